import { describe, expect, it } from "vitest";
import type { Schema, SchemaField } from "../schema/schema.ts";
import type { JsonObject } from "../wire/request.ts";
import { strategicMergePatch, type StrategicMergePatchResult } from "./strategic-merge-patch.ts";

const text: SchemaField = { type: "string" };
const list = (items: SchemaField, more: Partial<SchemaField> = {}): SchemaField => ({ type: "array", items, ...more });
const message = (ref: string): SchemaField => ({ type: "object", ref });
const merged = (ref: string, patchMergeKey: string): SchemaField =>
  list(message(ref), { patchStrategy: ["merge"], patchMergeKey });

function schema(name: string, fields: Record<string, SchemaField>): [string, Schema] {
  return [name, { name, fields: new Map(Object.entries(fields)), required: [], certain: [] }];
}

const schemas = new Map([
  schema("Pod", { metadata: message("Meta"), spec: message("Spec") }),
  schema("Meta", {
    name: text,
    labels: { type: "map", items: text },
    finalizers: list(text, { patchStrategy: ["merge"] }),
  }),
  schema("Spec", {
    containers: merged("Container", "name"),
    volumes: list(message("Volume"), { patchStrategy: ["merge", "retainKeys"], patchMergeKey: "name" }),
    tolerations: list(message("Toleration")),
    selector: { ...message("Selector"), patchStrategy: ["replace"] },
    securityContext: message("SecurityContext"),
  }),
  schema("Container", { name: text, image: text, args: list(text), env: merged("EnvVar", "name") }),
  schema("EnvVar", { name: text, value: text }),
  schema("Volume", { name: text, emptyDir: message("EmptyDir"), hostPath: message("HostPath") }),
]);

function patched(original: JsonObject, patch: JsonObject): StrategicMergePatchResult {
  const before = structuredClone([original, patch]);
  const result = strategicMergePatch(original, patch, schemas.get("Pod"), (name) => schemas.get(name));
  expect([original, patch]).toEqual(before);
  return result;
}

const containers = (...names: string[]): JsonObject => ({ spec: { containers: names.map((name) => ({ name })) } });
const finalizers = (...names: string[]): JsonObject => ({ metadata: { finalizers: names } });
const spec = (fields: JsonObject): JsonObject => ({ spec: fields });

describe("a strategic merge patch", () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      "deletes a key with null",
      { metadata: { labels: { a: "1", b: "2" } } },
      { metadata: { labels: { a: null } } },
      { metadata: { labels: { b: "2" } } },
    ],
    [
      "drops nulls for what is not there",
      {},
      spec({ nodeName: null, securityContext: { runAsUser: null } }),
      spec({ securityContext: {} }),
    ],
    [
      "merges an element by its key",
      spec({ containers: [{ name: "a", image: "1", args: ["x"] }] }),
      spec({ containers: [{ name: "a", image: "2" }] }),
      spec({ containers: [{ name: "a", image: "2", args: ["x"] }] }),
    ],
    ["puts an element that is new first, as upstream does", containers("a"), containers("b"), containers("b", "a")],
    [
      "merges lists inside elements",
      spec({ containers: [{ name: "a", env: [{ name: "X", value: "1" }] }] }),
      spec({ containers: [{ name: "a", env: [{ name: "Y", value: "2" }] }] }),
      spec({
        containers: [
          {
            name: "a",
            env: [
              { name: "Y", value: "2" },
              { name: "X", value: "1" },
            ],
          },
        ],
      }),
    ],
    [
      "replaces a list without a strategy",
      spec({ containers: [{ name: "a", args: ["1", "2"] }] }),
      spec({ containers: [{ name: "a", args: ["3"] }] }),
      spec({ containers: [{ name: "a", args: ["3"] }] }),
    ],
    [
      "replaces a list of maps without a strategy",
      spec({ tolerations: [{ key: "a" }] }),
      spec({ tolerations: [{ key: "b" }] }),
      spec({ tolerations: [{ key: "b" }] }),
    ],
    ["unites a primitive list", finalizers("a", "b"), finalizers("b", "c"), finalizers("a", "b", "c")],
    [
      "deletes an element",
      containers("a", "b"),
      spec({ containers: [{ $patch: "delete", name: "a" }] }),
      containers("b"),
    ],
    [
      "deletes one element and adds another",
      containers("a", "b"),
      spec({ containers: [{ $patch: "delete", name: "a" }, { name: "c" }] }),
      containers("c", "b"),
    ],
    [
      "replaces a list on request",
      containers("a", "b"),
      spec({ containers: [{ name: "c" }, { $patch: "replace" }] }),
      containers("c"),
    ],
    [
      "replaces a map on request",
      { metadata: { labels: { a: "1" } } },
      { metadata: { labels: { $patch: "replace", b: "2" } } },
      { metadata: { labels: { b: "2" } } },
    ],
    [
      "merges a map when told what it does anyway",
      { metadata: { labels: { a: "1" } } },
      { metadata: { labels: { $patch: "merge", b: "2" } } },
      { metadata: { labels: { a: "1", b: "2" } } },
    ],
    [
      "empties a map on request",
      spec({ securityContext: { runAsUser: 1 } }),
      spec({ securityContext: { $patch: "delete" } }),
      spec({ securityContext: {} }),
    ],
    [
      "replaces a message whose strategy says so",
      spec({ selector: { matchLabels: { a: "1" } } }),
      spec({ selector: { matchLabels: { b: "2" } } }),
      spec({ selector: { matchLabels: { b: "2" } } }),
    ],
    [
      "keeps only the retained keys",
      spec({ volumes: [{ name: "v", emptyDir: {} }] }),
      spec({ volumes: [{ $retainKeys: ["name", "hostPath"], name: "v", hostPath: { path: "/x" } }] }),
      spec({ volumes: [{ name: "v", hostPath: { path: "/x" } }] }),
    ],
    [
      "orders a list",
      containers("a", "b", "c"),
      spec({ "$setElementOrder/containers": [{ name: "c" }, { name: "a" }, { name: "b" }] }),
      containers("c", "a", "b"),
    ],
    [
      "orders a list with a new element in the middle",
      containers("a", "b"),
      spec({
        "$setElementOrder/containers": [{ name: "a" }, { name: "n" }, { name: "b" }],
        containers: [{ name: "n" }],
      }),
      containers("a", "n", "b"),
    ],
    [
      "leaves unmentioned elements in their place",
      containers("x", "a", "y", "b"),
      spec({ "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] }),
      containers("x", "y", "b", "a"),
    ],
    [
      "ignores an order for a list that is nowhere",
      {},
      spec({ "$setElementOrder/containers": [{ name: "a" }] }),
      spec({}),
    ],
    [
      "orders a primitive list",
      finalizers("a", "b"),
      { metadata: { "$setElementOrder/finalizers": ["c", "b", "a"], finalizers: ["c"] } },
      finalizers("c", "b", "a"),
    ],
    [
      "removes from a primitive list",
      finalizers("a", "b"),
      { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"] } },
      finalizers("b"),
    ],
    [
      "removes from, adds to and orders a primitive list",
      finalizers("a", "b"),
      {
        metadata: {
          "$deleteFromPrimitiveList/finalizers": ["a"],
          "$setElementOrder/finalizers": ["c", "b"],
          finalizers: ["c"],
        },
      },
      finalizers("c", "b"),
    ],
    [
      "removes from a list that is not there",
      { metadata: {} },
      { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"] } },
      { metadata: {} },
    ],
    [
      "deletes a list in spite of its order",
      containers("a"),
      spec({ "$setElementOrder/containers": [], containers: null }),
      spec({}),
    ],
    ["replaces what has another type", spec({ containers: "x" }), containers("a"), containers("a")],
    [
      "strips directives from what is new",
      {},
      spec({
        containers: [
          { name: "a", $retainKeys: ["name"] },
          { $patch: "delete", name: "b" },
        ],
      }),
      containers("a"),
    ],
    [
      "strips directives from lists that are replaced",
      {},
      spec({ tolerations: [{ $patch: "replace" }, { key: "a", $retainKeys: ["key"] }] }),
      spec({ tolerations: [{ key: "a" }] }),
    ],
    [
      "merges what the schema does not know like a merge patch",
      { other: { a: 1, l: [1] } },
      { other: { b: 2, l: [2] } },
      { other: { a: 1, b: 2, l: [2] } },
    ],
  ])("%s", (_rule, original, patch, object) => {
    expect(patched(original, patch)).toEqual({ kind: "patched", object });
  });

  it.each<[string, JsonObject, JsonObject, "malformed" | "unprocessable" | "unclassified", string]>([
    [
      "an element without the merge key",
      containers("a"),
      spec({ containers: [{ image: "x" }] }),
      "unclassified",
      "map: map[image:x] does not contain declared merge key: name",
    ],
    [
      "a delete without the merge key",
      containers("a"),
      spec({ containers: [{ $patch: "delete" }] }),
      "unclassified",
      "map: map[$patch:delete] does not contain declared merge key: name",
    ],
    [
      "an unknown $patch",
      {},
      spec({ $patch: "destroy" }),
      "unclassified",
      "unknown patch type: destroy in map: map[$patch:destroy]",
    ],
    [
      "an unknown $patch in a list",
      containers("a"),
      spec({ containers: [{ $patch: "x", name: "a" }] }),
      "unclassified",
      "unknown patch type: x in map: map[$patch:x name:a]",
    ],
    [
      "$patch merge in a list",
      containers("a"),
      spec({ containers: [{ $patch: "merge", name: "a" }] }),
      "unclassified",
      "merging lists cannot yet be specified in the patch",
    ],
    ["$retainKeys that is no list", {}, spec({ $retainKeys: "x" }), "malformed", "invalid patch format of retainKeys"],
    [
      "a change that $retainKeys does not allow",
      spec({ volumes: [{ name: "v" }] }),
      spec({ volumes: [{ $retainKeys: ["name"], name: "v", emptyDir: {} }] }),
      "unprocessable",
      "patch content doesn't match retainKeys list",
    ],
    [
      "an order that is no list",
      containers("a"),
      spec({ "$setElementOrder/containers": "x" }),
      "malformed",
      "invalid patch format of setElementOrder list",
    ],
    [
      "an order without merge keys",
      containers("a"),
      spec({ "$setElementOrder/containers": [{ image: "x" }] }),
      "malformed",
      "invalid patch format of setElementOrder list",
    ],
    [
      "a list that contradicts its order",
      containers("a"),
      spec({
        "$setElementOrder/containers": [{ name: "a" }, { name: "b" }],
        containers: [{ name: "b" }, { name: "a" }],
      }),
      "unclassified",
      "The order in patch list:\n[map[name:b] map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:a] map[name:b]]\n",
    ],
    [
      "a removal that is no list",
      finalizers("a"),
      { metadata: { "$deleteFromPrimitiveList/finalizers": "a" } },
      "malformed",
      "invalid patch format of primitive list",
    ],
    [
      "a list of lists",
      finalizers("a"),
      { metadata: { finalizers: [["x"]] } },
      "unprocessable",
      "lists of lists are not supported",
    ],
    [
      "a list of mixed elements",
      containers("a"),
      spec({ containers: ["x"] }),
      "unclassified",
      "list element types are not identical",
    ],
  ])("refuses %s", (_rule, original, patch, kind, problem) => {
    expect(patched(original, patch)).toEqual({ kind, problem });
  });

  it("treats __proto__ as an ordinary key", () => {
    const patch = JSON.parse('{"metadata":{"labels":{"__proto__":{"polluted":"yes"}}}}');
    const result = patched({ metadata: { labels: { a: "1" } } }, patch);
    expect(JSON.stringify(result)).toContain('"labels":{"a":"1","__proto__":{"polluted":"yes"}}');
    expect(({} as JsonObject)["polluted"]).toBeUndefined();
  });
});
