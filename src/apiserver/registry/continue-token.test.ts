import { expect, it } from "vitest";
import type { Revision } from "../../store/store.ts";
import { decodeContinueToken, encodeContinueToken } from "./continue-token.ts";

it("comes back as it went out", () => {
  const token = { revision: 42 as Revision, after: "default/web-ü" };
  expect(decodeContinueToken(encodeContinueToken(token))).toEqual(token);
});

it("has upstream's form, so that people can read it", () => {
  const text = encodeContinueToken({ revision: 7 as Revision, after: "default/web" });
  expect(text).toMatch(/^[\w-]+$/);
  expect(atob(text)).toBe('{"v":"meta.k8s.io/v1","rv":7,"start":"default/web\\u0000"}');
});

const encode = (value: unknown): string => btoa(typeof value === "string" ? value : JSON.stringify(value));

it.each([
  ["no base64", "%%%"],
  ["no JSON", encode("nonsense")],
  ["no object", encode("7")],
  ["another version", encode({ v: "v9", rv: 1, start: "a\u0000" })],
  ["no revision", encode({ v: "meta.k8s.io/v1", start: "a\u0000" })],
  ["revision 0", encode({ v: "meta.k8s.io/v1", rv: 0, start: "a\u0000" })],
  ["a broken revision", encode({ v: "meta.k8s.io/v1", rv: 1.5, start: "a\u0000" })],
  ["no start", encode({ v: "meta.k8s.io/v1", rv: 1 })],
  ["an empty start", encode({ v: "meta.k8s.io/v1", rv: 1, start: "\u0000" })],
  ["a start that leads elsewhere", encode({ v: "meta.k8s.io/v1", rv: 1, start: "../secrets\u0000" })],
])("refuses a token with %s", (_what, token) => {
  expect(() => decodeContinueToken(token)).toThrow(/^continue key is not valid: /);
});
