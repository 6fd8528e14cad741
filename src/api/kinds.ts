// What this API serves: one row a resource. Discovery, OpenAPI, the codec and the registry are all made from this table.

import type { GroupVersionKind } from "./schema/schema.ts";

export type ResourceVerb = "create" | "delete" | "deletecollection" | "get" | "list" | "patch" | "update" | "watch";

/** One resource of one group version. */
export interface ResourceKind {
  /** Empty for core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The kind of a collection: `PodList`. */
  readonly listKind: string;
  /** The plural name in URLs. */
  readonly resource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly ResourceVerb[];
  readonly subresources: readonly Subresource[];
  /** The kind has a `status` that its main resource does not write. */
  readonly hasStatus: boolean;
  /** The server counts changes of the spec in `metadata.generation` (api-machinery 3.2). */
  readonly keepsGeneration: boolean;
  /** What clients of this resource are told each time they use it (api-machinery 12.2). */
  readonly deprecation?: string;
  /** The same objects are stored under this resource of another group version. */
  readonly storedAs?: { readonly group: string; readonly version: string; readonly resource: string };
}

/** A part of an object, or something that can be asked of it, with a URL of its own. */
export interface Subresource {
  /** `status` in `pods/status`. */
  readonly name: string;
  /** What is sent and answered there; often the resource's own kind. */
  readonly responseKind: GroupVersionKind;
  readonly verbs: readonly ResourceVerb[];
}

const virtual: RowOptions = { namespaced: false, verbs: ["create"] };
const autoscaler: RowOptions = { shortNames: ["hpa"], categories: ["all"], status: true };
const measured: RowOptions = { verbs: ["get", "list"] };

/** How many replicas are wanted and there are, in one shape for everything that has replicas (api-machinery 3.10). */
const scale: Subresource = {
  name: "scale",
  responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
  verbs: ["get", "patch", "update"],
};

/** The served resources. Within a group version in the order of their names, groups in the order in which clients should prefer them. */
export const kinds: readonly ResourceKind[] = [
  core("bindings", "Binding", { verbs: ["create"] }),
  core("configmaps", "ConfigMap", { shortNames: ["cm"] }),
  core("endpoints", "Endpoints", {
    shortNames: ["ep"],
    singular: "endpoints",
    deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  }),
  core("events", "Event", { shortNames: ["ev"] }),
  core("namespaces", "Namespace", {
    shortNames: ["ns"],
    namespaced: false,
    verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
    status: true,
    subresources: [
      { name: "finalize", responseKind: { group: "", version: "v1", kind: "Namespace" }, verbs: ["update"] },
    ],
  }),
  core("nodes", "Node", { shortNames: ["no"], namespaced: false, status: true }),
  core("persistentvolumeclaims", "PersistentVolumeClaim", { shortNames: ["pvc"], status: true }),
  core("persistentvolumes", "PersistentVolume", { shortNames: ["pv"], namespaced: false, status: true }),
  core("pods", "Pod", {
    shortNames: ["po"],
    categories: ["all"],
    status: true,
    generation: true,
    subresources: [
      {
        name: "attach",
        responseKind: { group: "", version: "v1", kind: "PodAttachOptions" },
        verbs: ["create", "get"],
      },
      { name: "binding", responseKind: { group: "", version: "v1", kind: "Binding" }, verbs: ["create"] },
      {
        name: "ephemeralcontainers",
        responseKind: { group: "", version: "v1", kind: "Pod" },
        verbs: ["get", "patch", "update"],
      },
      { name: "eviction", responseKind: { group: "policy", version: "v1", kind: "Eviction" }, verbs: ["create"] },
      { name: "exec", responseKind: { group: "", version: "v1", kind: "PodExecOptions" }, verbs: ["create", "get"] },
      { name: "log", responseKind: { group: "", version: "v1", kind: "Pod" }, verbs: ["get"] },
      {
        name: "portforward",
        responseKind: { group: "", version: "v1", kind: "PodPortForwardOptions" },
        verbs: ["create", "get"],
      },
    ],
  }),
  core("replicationcontrollers", "ReplicationController", {
    shortNames: ["rc"],
    categories: ["all"],
    status: true,
    generation: true,
    subresources: [scale],
  }),
  core("secrets", "Secret", {}),
  core("serviceaccounts", "ServiceAccount", { shortNames: ["sa"] }),
  core("services", "Service", { shortNames: ["svc"], categories: ["all"], status: true }),
  row("apps", "v1", "controllerrevisions", "ControllerRevision", {}),
  row("apps", "v1", "daemonsets", "DaemonSet", {
    shortNames: ["ds"],
    categories: ["all"],
    status: true,
    generation: true,
  }),
  row("apps", "v1", "deployments", "Deployment", {
    shortNames: ["deploy"],
    categories: ["all"],
    status: true,
    generation: true,
    subresources: [scale],
  }),
  row("apps", "v1", "replicasets", "ReplicaSet", {
    shortNames: ["rs"],
    categories: ["all"],
    status: true,
    generation: true,
    subresources: [scale],
  }),
  row("apps", "v1", "statefulsets", "StatefulSet", {
    shortNames: ["sts"],
    categories: ["all"],
    status: true,
    generation: true,
    subresources: [scale],
  }),
  row("events.k8s.io", "v1", "events", "Event", {
    shortNames: ["ev"],
    storedAs: { group: "", version: "v1", resource: "events" },
  }),
  // Questions of a client about itself; nothing of them is stored.
  row("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", virtual),
  row("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", virtual),
  row("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", virtual),
  row("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", autoscaler),
  row("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", {
    ...autoscaler,
    storedAs: { group: "autoscaling", version: "v2", resource: "horizontalpodautoscalers" },
  }),
  row("batch", "v1", "cronjobs", "CronJob", {
    shortNames: ["cj"],
    categories: ["all"],
    status: true,
    generation: true,
  }),
  row("batch", "v1", "jobs", "Job", { categories: ["all"], status: true, generation: true }),
  row("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", {
    shortNames: ["pdb"],
    status: true,
    generation: true,
  }),
  row("storage.k8s.io", "v1", "storageclasses", "StorageClass", { shortNames: ["sc"], namespaced: false }),
  row("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", {
    shortNames: ["pc"],
    namespaced: false,
    generation: true,
  }),
  row("coordination.k8s.io", "v1", "leases", "Lease", {}),
  // Measured when it is asked for; nothing of it is stored.
  row("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", { ...measured, singular: "node", namespaced: false }),
  row("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", { ...measured, singular: "pod" }),
  row("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", { generation: true }),
];

/** The resource at `/apis/<group>/<version>/<resource>`; undefined when it is not served. */
export function resourceKind(
  group: string,
  version: string,
  resource: string,
  among: readonly ResourceKind[] = kinds,
): ResourceKind | undefined {
  return among.find((kind) => kind.resource === resource && kind.version === version && kind.group === group);
}

/** The resource whose objects are of this kind. */
export function kindOf(gvk: GroupVersionKind, among: readonly ResourceKind[] = kinds): ResourceKind | undefined {
  return among.find((kind) => kind.kind === gvk.kind && kind.version === gvk.version && kind.group === gvk.group);
}

/** `v1` or `apps/v1`: what `apiVersion` says. */
export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === "" ? version : `${group}/${version}`;
}

/** The group and version in an `apiVersion`; `v1` belongs to core. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf("/");
  return slash === -1
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

interface RowOptions {
  /** The kind in lower case, unless said. */
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced?: boolean;
  readonly verbs?: readonly ResourceVerb[];
  /** Has a `status` subresource that is read and written like the resource. */
  readonly status?: boolean;
  readonly generation?: boolean;
  readonly subresources?: readonly Subresource[];
  readonly deprecation?: string;
  readonly storedAs?: ResourceKind["storedAs"];
}

function core(resource: string, kind: string, options: RowOptions): ResourceKind {
  return row("", "v1", resource, kind, options);
}

function row(group: string, version: string, resource: string, kind: string, options: RowOptions): ResourceKind {
  const status: readonly Subresource[] =
    options.status === true
      ? [{ name: "status", responseKind: { group, version, kind }, verbs: ["get", "patch", "update"] }]
      : [];
  return {
    group,
    version,
    kind,
    listKind: `${kind}List`,
    resource,
    singular: options.singular ?? kind.toLowerCase(),
    shortNames: options.shortNames ?? [],
    categories: options.categories ?? [],
    namespaced: options.namespaced ?? true,
    verbs: options.verbs ?? ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    subresources: [...(options.subresources ?? []), ...status].sort((a, b) => (a.name < b.name ? -1 : 1)),
    hasStatus: options.status ?? false,
    keepsGeneration: options.generation ?? false,
    ...(options.deprecation === undefined ? {} : { deprecation: options.deprecation }),
    ...(options.storedAs === undefined ? {} : { storedAs: options.storedAs }),
  };
}
