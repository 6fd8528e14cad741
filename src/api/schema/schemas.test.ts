import { describe, expect, it } from "vitest";
import { kinds } from "../kinds.ts";
import { missingCertainFields } from "./certain-fields.ts";
import { findSchema, patchStrategyOf, rootSchema, schemaFor, schemaNames } from "./schemas.ts";

const refsOf = (name: string): readonly string[] =>
  [...schemaFor(name).fields.values()]
    .flatMap((field) => [field.ref, field.items?.ref, field.items?.items?.ref])
    .filter((ref) => ref !== undefined);

describe("the schemas", () => {
  it("never refer to a message that does not exist", () => {
    const dangling = schemaNames()
      .flatMap(refsOf)
      .filter((ref) => findSchema(ref) === undefined);
    expect(dangling).toEqual([]);
  });

  it("know every kind that is served, and its list", () => {
    for (const { group, version, kind, listKind, verbs } of kinds) {
      expect(rootSchema({ group, version, kind })?.gvk).toEqual({ group, version, kind });
      expect(verbs.includes("list") === false || rootSchema({ group, version, kind: listKind }) !== undefined).toBe(
        true,
      );
    }
  });

  it("know tables and partial metadata under a group of their own", () => {
    expect(rootSchema({ group: "meta.k8s.io", version: "v1", kind: "Table" })?.name).toBe("meta/v1 Table");
    expect(rootSchema({ group: "apps", version: "v1", kind: "Deployment" })?.name).toBe("apps/v1 Deployment");
    expect(rootSchema({ group: "", version: "v1", kind: "Table" })).toBeUndefined();
  });

  it("know the kinds of all subresources", () => {
    // What exec, attach and portforward are asked for is in the query: nothing of their kinds is ever sent.
    const withoutBody = new Set(["PodAttachOptions", "PodExecOptions", "PodPortForwardOptions"]);
    const unknown = kinds
      .flatMap((kind) => kind.subresources)
      .filter(({ responseKind }) => rootSchema(responseKind) === undefined && !withoutBody.has(responseKind.kind));
    expect(unknown).toEqual([]);
  });

  it.each([
    ["core/v1 PodSpec", "containers", { strategies: ["merge"], mergeKey: "name" }],
    ["core/v1 PodSpec", "volumes", { strategies: ["merge", "retainKeys"], mergeKey: "name" }],
    ["core/v1 PodSpec", "tolerations", { strategies: [] }],
    ["core/v1 Container", "ports", { strategies: ["merge"], mergeKey: "containerPort" }],
    ["meta/v1 ObjectMeta", "finalizers", { strategies: ["merge"] }],
    ["core/v1 PodSpec", "no such field", { strategies: [] }],
  ])("tell how strategic merge patch treats %s %s", (message, field, strategy) => {
    expect(patchStrategyOf(message, field)).toEqual(strategy);
  });

  it("carry types, formats and closed sets of values", () => {
    const spec = schemaFor("core/v1 PodSpec").fields;
    expect(spec.get("terminationGracePeriodSeconds")).toEqual({
      type: "integer",
      format: "int64",
      presence: "pointer",
    });
    expect(spec.get("restartPolicy")?.enum).toEqual(["Always", "OnFailure", "Never"]);
    expect(spec.get("nodeSelector")).toEqual({ type: "map", items: { type: "string" }, mapType: "atomic" });
    expect(schemaFor("apiextensions.k8s.io/v1 JSONSchemaProps").fields.has("x-kubernetes-list-type")).toBe(true);
  });
});

describe("missing certain fields", () => {
  it("names what a stored object lacks, at any depth", () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", uid: "1", resourceVersion: "1" },
      spec: { containers: [{ name: "a" }] },
    };
    expect(missingCertainFields(pod, schemaFor("core/v1 Pod"))).toEqual([
      "status",
      "metadata.creationTimestamp",
      "spec.dnsPolicy",
      "spec.restartPolicy",
      "spec.schedulerName",
      "spec.securityContext",
      "spec.terminationGracePeriodSeconds",
      "spec.containers[0].image",
      "spec.containers[0].imagePullPolicy",
      "spec.containers[0].resources",
      "spec.containers[0].terminationMessagePath",
      "spec.containers[0].terminationMessagePolicy",
    ]);
  });
});
