import { describe, expect, it } from "vitest";
import type { JsonObject } from "../wire/request.ts";
import { applyJsonPatch, jsonPatchOperationLimit } from "./json-patch.ts";

const pod = (): JsonObject => ({
  metadata: { name: "web", labels: { "a/b": "1", "~": "2" } },
  spec: { containers: [{ name: "a" }, { name: "b" }] },
});

describe("a JSON patch", () => {
  it.each<[string, JsonObject[], JsonObject]>([
    [
      "adds",
      [{ op: "add", path: "/spec/nodeName", value: "n" }],
      { nodeName: "n", containers: [{ name: "a" }, { name: "b" }] },
    ],
    [
      "appends",
      [{ op: "add", path: "/spec/containers/-", value: { name: "c" } }],
      { containers: [{ name: "a" }, { name: "b" }, { name: "c" }] },
    ],
    [
      "inserts",
      [{ op: "add", path: "/spec/containers/1", value: { name: "c" } }],
      { containers: [{ name: "a" }, { name: "c" }, { name: "b" }] },
    ],
    ["removes", [{ op: "remove", path: "/spec/containers/0" }], { containers: [{ name: "b" }] }],
    [
      "replaces",
      [{ op: "replace", path: "/spec/containers/0/name", value: "z" }],
      { containers: [{ name: "z" }, { name: "b" }] },
    ],
    [
      "moves",
      [{ op: "move", from: "/spec/containers/0", path: "/spec/containers/1" }],
      { containers: [{ name: "b" }, { name: "a" }] },
    ],
    [
      "copies",
      [{ op: "copy", from: "/spec/containers/0/name", path: "/spec/nodeName" }],
      { nodeName: "a", containers: [{ name: "a" }, { name: "b" }] },
    ],
    [
      "tests",
      [
        { op: "test", path: "/metadata/labels/a~1b", value: "1" },
        { op: "test", path: "/metadata/labels/~0", value: "2" },
      ],
      { containers: [{ name: "a" }, { name: "b" }] },
    ],
  ])("%s", (_rule, patch, spec) => {
    const original = pod();
    const result = applyJsonPatch(original, patch);
    expect(result.kind === "patched" && result.object["spec"]).toEqual(spec);
    expect(original).toEqual(pod());
  });

  it.each<[string, JsonObject[]]>([
    ["a failed test", [{ op: "test", path: "/metadata/name", value: "x" }]],
    ["a replace of what is not there", [{ op: "replace", path: "/spec/nodeName", value: "x" }]],
    ["a remove of what is not there", [{ op: "remove", path: "/spec/nodeName" }]],
    ["an add below a missing parent", [{ op: "add", path: "/metadata/annotations/a", value: "x" }]],
    ["an index past the end", [{ op: "add", path: "/spec/containers/7", value: {} }]],
    ["a path into a text", [{ op: "add", path: "/metadata/name/x", value: 1 }]],
    ["a copy from nowhere", [{ op: "copy", from: "/nowhere", path: "/spec/x" }]],
    ["a move into itself", [{ op: "move", from: "/spec", path: "/spec/inner" }]],
    ["a move of everything", [{ op: "move", from: "", path: "/spec" }]],
    ["everything replaced by nothing", [{ op: "move", from: "/nowhere", path: "" }]],
    ["an object replaced by a list", [{ op: "replace", path: "", value: [] }]],
    ["a path into a prototype", [{ op: "add", path: "/__proto__/polluted", value: "yes" }]],
    ["a path through a constructor", [{ op: "add", path: "/metadata/constructor/prototype/polluted", value: "yes" }]],
    ["a move into a prototype", [{ op: "move", from: "/metadata/name", path: "/metadata/__proto__/polluted" }]],
  ])("%s is 422 and changes nothing", (_rule, patch) => {
    const original = pod();
    expect(applyJsonPatch(original, patch)).toEqual({
      kind: "failed",
      problem: "the server rejected our request due to an error in our request",
    });
    expect(original).toEqual(pod());
    expect(({} as JsonObject)["polluted"]).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["an object", {}],
    ["an unknown operation", [{ op: "merge", path: "/a", value: 1 }]],
    ["an operation without a path", [{ op: "remove" }]],
    ["a path without a slash", [{ op: "remove", path: "spec" }]],
    ["a wrong escape", [{ op: "remove", path: "/a~2" }]],
    ["an add without a value", [{ op: "add", path: "/a" }]],
    ["a move without from", [{ op: "move", path: "/a" }]],
    ["a text among the operations", ["add"]],
  ])("%s is malformed", (_rule, patch) => {
    expect(applyJsonPatch(pod(), patch).kind).toBe("malformed");
  });

  it("does not change the patch either", () => {
    const patch = [
      { op: "add", path: "/spec/securityContext", value: {} },
      { op: "add", path: "/spec/securityContext/runAsUser", value: 1 },
    ];
    const before = structuredClone(patch);
    expect(applyJsonPatch(pod(), patch).kind).toBe("patched");
    expect(patch).toEqual(before);
  });

  it("stops copies that double the object each time", () => {
    const patch = Array.from({ length: 40 }, (_, round) => ({
      op: "copy",
      from: "/spec",
      path: `/spec/again${round}`,
    }));
    expect(applyJsonPatch(pod(), patch)).toEqual({
      kind: "tooLarge",
      problem: expect.stringMatching(
        /^Request entity too large: Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
      ),
    });
  });

  it("takes 10,000 operations and not one more", () => {
    const operation = { op: "test", path: "/metadata/name", value: "web" };
    expect(applyJsonPatch(pod(), Array(jsonPatchOperationLimit).fill(operation)).kind).toBe("patched");
    expect(applyJsonPatch(pod(), Array(jsonPatchOperationLimit + 1).fill(operation))).toEqual({
      kind: "tooLarge",
      problem: "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    });
  });
});
