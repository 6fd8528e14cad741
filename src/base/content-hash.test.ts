import fc from "fast-check";
import { expect, it } from "vitest";
import { contentHash } from "./content-hash.ts";

it("is always the same for the same text, and 32 hexadecimal digits", () => {
  expect(contentHash("")).toBe(contentHash(""));
  expect(contentHash("lifepod")).toMatch(/^[0-9A-F]{32}$/);
});

it("differs when a text differs by one character, a swap or its length", () => {
  const texts = ["", "a", "b", "ab", "ba", "aaaa", "aaaaa", "abcd", "abdc", "acbd", "dbca", "\u0000", "\u0000\u0000"];
  expect(new Set(texts.map(contentHash)).size).toBe(texts.length);
});

it("tells any two texts apart", () => {
  const property = fc.property(fc.string(), fc.string(), (a, b) => (contentHash(a) === contentHash(b)) === (a === b));
  expect(fc.check(property, { numRuns: 2000 }).failed).toBe(false);
});
