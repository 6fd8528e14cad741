import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findSchema, rootSchema } from "../schema/schemas.ts";
import type { JsonObject } from "../wire/request.ts";
import { parseFieldSelector } from "./field-selector.ts";
import { isJsonObject } from "./json-object.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { formatLabelSelector, parseLabelSelector } from "./label-selector.ts";
import { mergePatch } from "./merge-patch.ts";
import { parseQuantity, quantityProblem } from "./quantity.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";

const podKind = { group: "", version: "v1", kind: "Pod" };

/** JSON objects made of the names that patches care about. */
const names = fc.constantFrom(
  "metadata",
  "spec",
  "containers",
  "name",
  "env",
  "finalizers",
  "volumes",
  "$patch",
  "$retainKeys",
  "$setElementOrder/containers",
  "$deleteFromPrimitiveList/finalizers",
  "__proto__",
  "constructor",
);
const { object } = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
  object: fc.array(fc.tuple(names, tie("value")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, 0, 7, "", "a", "delete", "replace"),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
}));

const pointer = fc
  .array(fc.oneof(names, fc.constantFrom("0", "-", "a")), { maxLength: 4 })
  .map((parts) => parts.map((part) => `/${part}`).join(""));
const operation = fc.record(
  {
    op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "x"),
    path: pointer,
    from: pointer,
    value: object,
  },
  { requiredKeys: [] },
);

describe("garbage from strangers", () => {
  it("never breaks a strategic merge patch, changes its input or leaves a directive behind", () => {
    fc.assert(
      fc.property(object, object, (original, patch) => {
        const before = JSON.stringify([original, patch]);
        const result = strategicMergePatch(original, patch, rootSchema(podKind), findSchema);
        expect(JSON.stringify([original, patch])).toBe(before);
        const clean = strategicMergePatch({}, patch, rootSchema(podKind), findSchema);
        const left = clean.kind === "patched" ? JSON.stringify(clean.object) : "";
        expect(left).not.toMatch(/"\$(?:patch|retainKeys|setElementOrder|deleteFrom)/);
        expect(["patched", "malformed", "unprocessable", "unclassified"]).toContain(result.kind);
        expect(({} as JsonObject)["a"]).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it("never breaks a merge patch, which changes nothing the second time", () => {
    fc.assert(
      fc.property(object, object, (original, patch) => {
        const before = JSON.stringify([original, patch]);
        const once = mergePatch(original, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect(JSON.stringify([original, patch])).toBe(before);
      }),
      { numRuns: 500 },
    );
  });

  it("never breaks a JSON patch or changes its input", () => {
    fc.assert(
      fc.property(object, fc.oneof(fc.array(operation, { maxLength: 6 }), object), (original, patch) => {
        const before = JSON.stringify([original, patch]);
        const result = applyJsonPatch(original, patch);
        expect(result.kind !== "patched" || isJsonObject(result.object)).toBe(true);
        expect(JSON.stringify([original, patch])).toBe(before);
        expect(({} as JsonObject)["a"]).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it("never breaks a selector, and what is read can be written and read again", () => {
    const text = fc
      .array(
        fc.constantFrom(
          "a",
          "b/c",
          "1",
          " ",
          ",",
          "=",
          "!",
          "(",
          ")",
          "<",
          ">",
          "in",
          "notin",
          "\\",
          "metadata.name",
          "\0",
        ),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (selector) => {
        const parsed = parseLabelSelector(selector);
        const again = parsed.kind === "parsed" ? parseLabelSelector(formatLabelSelector(parsed.requirements)) : parsed;
        expect(again).toEqual(parsed);
        expect(["parsed", "wrong"]).toContain(parseFieldSelector(selector, podKind).kind);
      }),
      { numRuns: 1000 },
    );
  });

  it("never breaks a quantity", () => {
    const text = fc
      .array(fc.constantFrom("0", "1", "9", ".", "-", "+", "e", "E", "K", "i", "m", "n", " "))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (quantity) => {
        const isGood = quantityProblem(quantity) === undefined;
        expect(isGood ? typeof parseQuantity(quantity).nanos : "bigint").toBe("bigint");
      }),
      { numRuns: 1000 },
    );
  });
});
