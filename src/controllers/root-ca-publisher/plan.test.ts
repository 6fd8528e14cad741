import { expect, it } from "vitest";
import type { ConfigMap, Namespace } from "../../api/index.ts";
import { planRootCertificate } from "./plan.ts";

const namespace = (metadata: object = {}) => ({ metadata: { name: "shop", ...metadata } }) as unknown as Namespace;
const draft = planRootCertificate(namespace(), undefined, "PEM");
const published = (change: object = {}): ConfigMap => {
  if (draft.kind !== "create") throw new Error("a namespace without the ConfigMap gets one");
  return { ...draft.draft, ...change } as unknown as ConfigMap;
};

it("makes what is missing, with its description", () => {
  expect(published()).toMatchObject({
    metadata: {
      name: "kube-root-ca.crt",
      namespace: "shop",
      annotations: { "kubernetes.io/description": expect.stringContaining("verify the kube-apiserver") },
    },
    data: { "ca.crt": "PEM" },
  });
});

it.each<[string, Namespace | undefined, ConfigMap | undefined, string]>([
  ["leaves what is right alone", namespace(), published(), "nothing"],
  ["replaces another certificate", namespace(), published({ data: { "ca.crt": "OLD" } }), "update"],
  ["removes what was added", namespace(), published({ data: { "ca.crt": "PEM", more: "x" } }), "update"],
  ["restores the description", namespace(), published({ metadata: { name: "kube-root-ca.crt" } }), "update"],
  ["gives nothing to a namespace that is going away", namespace({ deletionTimestamp: "2025" }), undefined, "nothing"],
  ["gives nothing to a namespace that is gone", undefined, undefined, "nothing"],
])("%s", (_rule, owner, present, want) => {
  expect(planRootCertificate(owner, present, "PEM").kind).toBe(want);
});

it("is content with what it planned", () => {
  const plan = planRootCertificate(namespace(), published({ data: { more: "x" } }), "PEM");
  const repaired = plan.kind === "update" ? plan.configMap : undefined;
  expect(repaired?.data).toEqual({ "ca.crt": "PEM" });
  expect(planRootCertificate(namespace(), repaired, "PEM").kind).toBe("nothing");
});
