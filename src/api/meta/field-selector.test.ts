import { describe, expect, it } from "vitest";
import type { GroupVersionKind } from "../schema/schema.ts";
import type { JsonObject } from "../wire/request.ts";
import { exactFieldValue, matchesFields, parseFieldSelector } from "./field-selector.ts";

const pod: GroupVersionKind = { group: "", version: "v1", kind: "Pod" };
const node: GroupVersionKind = { group: "", version: "v1", kind: "Node" };
const event: GroupVersionKind = { group: "", version: "v1", kind: "Event" };
const newEvent: GroupVersionKind = { group: "events.k8s.io", version: "v1", kind: "Event" };
const lease: GroupVersionKind = { group: "coordination.k8s.io", version: "v1", kind: "Lease" };

function selects(text: string, gvk: GroupVersionKind, object: JsonObject): boolean {
  const parsed = parseFieldSelector(text, gvk);
  if (parsed.kind === "wrong") throw new Error(parsed.problem);
  return matchesFields(parsed.terms, object, gvk);
}

describe("a field selector", () => {
  it.each<[string, GroupVersionKind, JsonObject, boolean]>([
    ["", pod, {}, true],
    ["metadata.name=web", pod, { metadata: { name: "web" } }, true],
    ["metadata.name==web", pod, { metadata: { name: "db" } }, false],
    ["spec.nodeName=", pod, { spec: {} }, true],
    ["spec.host=a", pod, { spec: { nodeName: "a" } }, true],
    ["spec.hostNetwork=false", pod, { spec: {} }, true],
    ["spec.hostNetwork=true", pod, { spec: { hostNetwork: true } }, true],
    ["status.phase!=Succeeded", pod, { status: { phase: "Running" } }, true],
    ["status.phase!=Succeeded,status.phase!=Failed", pod, { status: { phase: "Failed" } }, false],
    ["status.podIPs=10.0.0.1", pod, { status: { podIPs: [{ ip: "10.0.0.1" }] } }, false],
    ["spec.unschedulable=true", node, { spec: {} }, false],
    ["spec.unschedulable=false", node, { spec: {} }, true],
    ["involvedObject.namespace=", event, { involvedObject: { kind: "Node" } }, true],
    ["involvedObject.uid=7,reason=Pulled", event, { involvedObject: { uid: "7" }, reason: "Pulled" }, true],
    ["source=kubelet", event, { source: { component: "kubelet" } }, true],
    ["source=kubelet", event, { source: {}, reportingComponent: "kubelet" }, true],
    ["regarding.name=web", newEvent, { regarding: { name: "web" } }, true],
    ["metadata.namespace=default", lease, { metadata: { namespace: "default" } }, true],
    ["metadata.name=a\\,b\\=c\\\\d", lease, { metadata: { name: "a,b=c\\d" } }, true],
    [",,metadata.name=web,", pod, { metadata: { name: "web" } }, true],
  ])("%j over a %o: %j matches %s", (text, gvk, object, selected) => {
    expect(selects(text, gvk, object)).toBe(selected);
  });

  it.each<[string, GroupVersionKind, string]>([
    ["spec.foo=x", pod, "field label not supported: spec.foo"],
    ["metadata.namespace=x", node, "field label not supported: metadata.namespace"],
    ["spec.foo=x", lease, '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    ["metadata.name", pod, "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ["metadata.name=a,b", pod, "invalid selector: 'metadata.name=a,b'; can't understand 'b'"],
    ["metadata.name=a=b", pod, "invalid field selector: unescaped character in value: ="],
    ["metadata.name=a\\b", pod, "invalid field selector: invalid escape sequence: \\b"],
    ["__proto__=x", pod, "field label not supported: __proto__"],
  ])("refuses %j: %s", (text, gvk, problem) => {
    expect(parseFieldSelector(text, gvk)).toEqual({ kind: "wrong", problem });
  });

  it("tells which value a field must have", () => {
    const parsed = parseFieldSelector("metadata.name=web,status.phase!=Failed", pod);
    const terms = parsed.kind === "parsed" ? parsed.terms : [];
    expect(exactFieldValue(terms, "metadata.name")).toBe("web");
    expect(exactFieldValue(terms, "status.phase")).toBeUndefined();
  });
});
