import { describe, expect, it } from "vitest";
import type { JsonObject } from "../wire/request.ts";
import { mergePatch } from "./merge-patch.ts";

describe("a JSON merge patch", () => {
  // The rows are RFC 7386's own examples, as far as both sides are objects.
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ["replaces a value", { a: "b" }, { a: "c" }, { a: "c" }],
    ["adds a value", { a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    ["deletes with null", { a: "b" }, { a: null }, {}],
    ["deletes one of two", { a: "b", b: "c" }, { a: null }, { b: "c" }],
    ["deletes what is not there", {}, { a: null }, {}],
    ["replaces a list by a text", { a: ["b"] }, { a: "c" }, { a: "c" }],
    ["replaces a text by a list", { a: "c" }, { a: ["b"] }, { a: ["b"] }],
    ["merges maps", { a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    ["replaces lists whole", { a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    ["makes missing parents without their nulls", {}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ["replaces a text by a map", { a: "b" }, { a: { c: 1 } }, { a: { c: 1 } }],
    ["keeps a null that was there", { e: null }, { a: 1 }, { e: null, a: 1 }],
  ])("%s", (_rule, original, patch, patched) => {
    const before = structuredClone(original);
    expect(mergePatch(original, patch)).toEqual(patched);
    expect(original).toEqual(before);
  });

  it("treats __proto__ and constructor as ordinary keys", () => {
    const patch = JSON.parse(
      '{"data":{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}}',
    );
    const patched = mergePatch({ data: { a: "b" } }, patch);
    expect(JSON.stringify(patched)).toBe(
      '{"data":{"a":"b","__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}}',
    );
    expect(({} as JsonObject)["polluted"]).toBeUndefined();
    expect((patched["data"] as JsonObject)["polluted"]).toBeUndefined();
    expect(JSON.stringify(mergePatch(patched, JSON.parse('{"data":{"__proto__":null,"constructor":null}}')))).toBe(
      '{"data":{"a":"b"}}',
    );
  });
});
