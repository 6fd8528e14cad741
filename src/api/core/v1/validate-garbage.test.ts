import fc from "fast-check";
import { expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { Pod } from "../../generated/core-v1.ts";
import { sameJson } from "../../meta/json-object.ts";
import { decodeObject } from "../../schema/decode-object.ts";
import type { Schema, SchemaField } from "../../schema/schema.ts";
import { schemaFor } from "../../schema/schemas.ts";
import { defaultPod } from "./default-pod.ts";
import { podWarnings, refusedPodFields } from "./pod-support.ts";
import { validatePod } from "./validate-pod.ts";
import {
  validateEphemeralContainersUpdate,
  validatePodStatusUpdate,
  validatePodUpdate,
} from "./validate-pod-update.ts";
import { computeQosClass } from "./qos.ts";

const someText = fc.constantFrom(
  "",
  "a",
  "A_b",
  "web",
  "/x",
  "../y",
  "a/b/c",
  "Always",
  "None",
  "In",
  "Exists",
  "10.0.0.1",
  "$(A)",
);
const someNumber = fc.constantFrom(-1, 0, 1, 80, 70000, 2 ** 31 - 1);

/** Values that the decoder takes for a field, most of them nonsense. */
function valuesOf(field: SchemaField, depth: number): fc.Arbitrary<unknown> {
  switch (field.type) {
    case "string":
      return field.enum === undefined ? someText : fc.oneof(someText, fc.constantFrom(...field.enum));
    case "integer":
    case "number":
      return someNumber;
    case "boolean":
      return fc.boolean();
    case "intOrString":
      return fc.oneof(someText, someNumber);
    case "quantity":
      return fc.constantFrom("1", "-1", "100m", "1Gi", "0.5u", "2e3");
    case "time":
    case "microTime":
      return fc.constant("2025-01-01T00:00:00Z");
    case "bytes":
      return fc.constantFrom("", "AA==");
    case "any":
      return fc.constant({});
    case "array":
      return depth <= 0 ? fc.constant([]) : fc.array(itemsOf(field, depth - 1), { maxLength: 2 });
    case "map":
      return fc.dictionary(
        fc.constantFrom("a", "cpu", "memory", "hugepages-2Mi", "x/y", "constructor", "/bad"),
        itemsOf(field, depth),
        { maxKeys: 2 },
      );
    case "object":
      return field.ref === undefined || depth <= 0 ? fc.constant({}) : messagesOf(schemaFor(field.ref), depth - 1);
  }
}

function itemsOf(field: SchemaField, depth: number): fc.Arbitrary<unknown> {
  return field.items === undefined ? fc.constant({}) : valuesOf(field.items, depth);
}

const built = new Map<string, fc.Arbitrary<unknown>>();

/** Messages with a few of their fields. */
function messagesOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const known = built.get(`${schema.name} ${depth}`);
  if (known !== undefined) return known;
  const fields = [...schema.fields].map(([name, field]) =>
    fc.tuple(fc.constant(name), fc.nat(3), valuesOf(field, depth)),
  );
  const made = fc
    .tuple(...fields)
    .map((entries) =>
      Object.fromEntries(entries.filter(([, chance]) => chance === 0).map(([name, , value]) => [name, value])),
    );
  built.set(`${schema.name} ${depth}`, made);
  return made;
}

it("judges any Pod that the decoder lets through, without breaking and without changing it", () => {
  const pods = fc
    .record({
      metadata: fc.constant({ name: "web" }),
      spec: messagesOf(schemaFor("core/v1 PodSpec"), 4),
      status: messagesOf(schemaFor("core/v1 PodStatus"), 3),
    })
    .map((pod) => defaultPod(decodeObject(pod, schemaFor("core/v1 Pod")).object as Draft<Pod>));
  fc.assert(
    fc.property(pods, pods, (next, old) => {
      const before = JSON.stringify(next);
      const errors = [
        ...validatePod(next),
        ...refusedPodFields(next),
        ...validatePodUpdate(next, old),
        ...validatePodStatusUpdate(next, old),
        ...validateEphemeralContainersUpdate(next, old),
      ];
      expect(errors.every(({ field, body }) => field !== "" && body !== "")).toBe(true);
      expect(podWarnings(next).every((text) => text !== "")).toBe(true);
      expect(["Guaranteed", "Burstable", "BestEffort"]).toContain(computeQosClass(next));
      expect(sameJson(defaultPod(next), next)).toBe(true);
      expect(JSON.stringify(next)).toBe(before);
    }),
    { numRuns: 200 },
  );
});
