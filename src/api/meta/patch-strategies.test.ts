import { describe, expect, it } from "vitest";
import { findSchema, rootSchema } from "../schema/schemas.ts";
import type { JsonObject } from "../wire/request.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";

/** Patches a Pod as the API's own schema says. */
function patched(pod: JsonObject, patch: JsonObject): unknown {
  const schema = rootSchema({ group: "", version: "v1", kind: "Pod" });
  const result = strategicMergePatch(pod, patch, schema, findSchema);
  return result.kind === "patched" ? result.object : result;
}

const spec = (fields: JsonObject): JsonObject => ({ spec: fields });
const containers = (fields: JsonObject): JsonObject => spec({ containers: [{ name: "a", ...fields }] });

describe("a strategic merge patch of a Pod", () => {
  // Every list of a Pod that merges, with its key (api-machinery 5.4).
  it.each<[string, (list: JsonObject[]) => JsonObject, string]>([
    ["containers", (list) => spec({ containers: list }), "name"],
    ["initContainers", (list) => spec({ initContainers: list }), "name"],
    ["ephemeralContainers", (list) => spec({ ephemeralContainers: list }), "name"],
    ["imagePullSecrets", (list) => spec({ imagePullSecrets: list }), "name"],
    ["schedulingGates", (list) => spec({ schedulingGates: list }), "name"],
    ["volumes", (list) => spec({ volumes: list }), "name"],
    ["resourceClaims", (list) => spec({ resourceClaims: list }), "name"],
    ["hostAliases", (list) => spec({ hostAliases: list }), "ip"],
    ["topologySpreadConstraints", (list) => spec({ topologySpreadConstraints: list }), "topologyKey"],
    ["ports", (list) => containers({ ports: list }), "containerPort"],
    ["env", (list) => containers({ env: list }), "name"],
    ["volumeMounts", (list) => containers({ volumeMounts: list }), "mountPath"],
    ["volumeDevices", (list) => containers({ volumeDevices: list }), "devicePath"],
    ["conditions", (list) => ({ status: { conditions: list } }), "type"],
    ["podIPs", (list) => ({ status: { podIPs: list } }), "ip"],
    ["hostIPs", (list) => ({ status: { hostIPs: list } }), "ip"],
    ["ownerReferences", (list) => ({ metadata: { ownerReferences: list } }), "uid"],
  ])("merges %s", (_name, pod, key) => {
    const merged = patched(pod([{ [key]: "1", kept: "x" }]), pod([{ [key]: "1", added: "y" }]));
    expect(merged).toEqual(pod([{ [key]: "1", kept: "x", added: "y" }]));
  });

  it.each<[string, (list: unknown[]) => JsonObject]>([
    ["tolerations", (list) => spec({ tolerations: list })],
    ["args", (list) => containers({ args: list })],
    ["command", (list) => containers({ command: list })],
    ["envFrom", (list) => containers({ envFrom: list })],
    ["containerStatuses", (list) => ({ status: { containerStatuses: list } })],
  ])("replaces %s", (_name, pod) => {
    expect(patched(pod([{ name: "1" }]), pod([{ name: "2" }]))).toEqual(pod([{ name: "2" }]));
  });

  it("unites finalizers", () => {
    expect(patched({ metadata: { finalizers: ["a"] } }, { metadata: { finalizers: ["b"] } })).toEqual({
      metadata: { finalizers: ["b", "a"] },
    });
  });

  it("changes the kind of a volume as kubectl apply does", () => {
    const pod = spec({ volumes: [{ name: "v", emptyDir: {} }] });
    const patch = spec({
      "$setElementOrder/volumes": [{ name: "v" }],
      volumes: [{ $retainKeys: ["name", "hostPath"], name: "v", hostPath: { path: "/x" } }],
    });
    expect(patched(pod, patch)).toEqual(spec({ volumes: [{ name: "v", hostPath: { path: "/x" } }] }));
  });
});
