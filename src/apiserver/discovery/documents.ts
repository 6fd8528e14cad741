// The discovery documents, made from the table of served resources (api-machinery 1.2-1.4).

import { apiVersionOf, type ResourceKind, type Subresource } from "../../api/kinds.ts";
import type { JsonObject } from "../../api/wire/request.ts";

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** The group versions in the order in which clients should prefer them: core first, then upstream's order, other groups last by name. */
export function groupVersionsOf(kinds: readonly ResourceKind[]): readonly GroupVersion[] {
  const found = new Map(kinds.map(({ group, version }) => [apiVersionOf({ group, version }), { group, version }]));
  return [...found.values()].sort(
    (a, b) => rankOf(a.group) - rankOf(b.group) || compare(a.group, b.group) || compare(b.version, a.version),
  );
}

/** `GET /api`. */
export function coreVersions(kinds: readonly ResourceKind[], serverAddress: string): JsonObject {
  return {
    kind: "APIVersions",
    versions: groupVersionsOf(kinds)
      .filter(({ group }) => group === "")
      .map(({ version }) => version),
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

/** `GET /apis`. */
export function groupList(kinds: readonly ResourceKind[]): JsonObject {
  const groups = namedGroups(kinds).map((group) => groupBody(kinds, group));
  return { kind: "APIGroupList", apiVersion: "v1", groups };
}

/** `GET /apis/<group>`; undefined when nothing of the group is served. */
export function groupDocument(kinds: readonly ResourceKind[], group: string): JsonObject | undefined {
  if (!namedGroups(kinds).includes(group)) return undefined;
  return { kind: "APIGroup", apiVersion: "v1", ...groupBody(kinds, group) };
}

/** `GET /api/v1`, `GET /apis/<group>/<version>`; undefined when nothing of it is served. */
export function resourceList(kinds: readonly ResourceKind[], { group, version }: GroupVersion): JsonObject | undefined {
  const served = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (served.length === 0) return undefined;
  const entries = served.flatMap((kind) => [
    resourceEntry(kind),
    ...kind.subresources.map((subresource) => subresourceEntry(kind, subresource)),
  ]);
  // Only documents of named groups say their own version.
  const typeMeta = group === "" ? { kind: "APIResourceList" } : { kind: "APIResourceList", apiVersion: "v1" };
  return {
    ...typeMeta,
    groupVersion: apiVersionOf({ group, version }),
    resources: entries.sort((a, b) => compare(a.name, b.name)),
  };
}

/** The aggregated document for `/api` (core alone) or `/apis` (all other groups). */
export function aggregatedDiscovery(
  kinds: readonly ResourceKind[],
  root: "api" | "apis",
  version: "v2" | "v2beta1",
): JsonObject {
  const groups = root === "api" ? [""] : namedGroups(kinds);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group === "" ? {} : { name: group }), creationTimestamp: null },
      versions: groupVersionsOf(kinds)
        .filter((groupVersion) => groupVersion.group === group)
        .map((groupVersion) => ({
          version: groupVersion.version,
          freshness: "Current",
          resources: aggregatedResources(kinds, groupVersion),
        })),
    })),
  };
}

/** `GET /`: the paths below which something is served. */
export function rootPaths(kinds: readonly ResourceKind[], others: readonly string[]): JsonObject {
  const named = namedGroups(kinds).map((group) => `/apis/${group}`);
  const versions = groupVersionsOf(kinds).map(({ group, version }) =>
    group === "" ? `/api/${version}` : `/apis/${group}/${version}`,
  );
  const paths = new Set([
    "/api",
    "/apis",
    "/apis/",
    ...named,
    ...versions,
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/",
    "/version",
    ...others,
  ]);
  return { paths: [...paths].sort(compare) };
}

const preferredGroups = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "resource.k8s.io",
  "flowcontrol.apiserver.k8s.io",
];

function rankOf(group: string): number {
  const rank = preferredGroups.indexOf(group);
  return rank === -1 ? preferredGroups.length : rank;
}

function namedGroups(kinds: readonly ResourceKind[]): readonly string[] {
  return [...new Set(groupVersionsOf(kinds).map(({ group }) => group))].filter((group) => group !== "");
}

function groupBody(kinds: readonly ResourceKind[], group: string): JsonObject {
  const versions = groupVersionsOf(kinds)
    .filter((groupVersion) => groupVersion.group === group)
    .map((groupVersion) => ({ groupVersion: apiVersionOf(groupVersion), version: groupVersion.version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceEntry(kind: ResourceKind): JsonObject & { readonly name: string } {
  return {
    name: kind.resource,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
  };
}

function subresourceEntry(
  kind: ResourceKind,
  { name, responseKind, verbs }: Subresource,
): JsonObject & { readonly name: string } {
  const elsewhere = responseKind.group !== kind.group || responseKind.version !== kind.version;
  return {
    name: `${kind.resource}/${name}`,
    singularName: "",
    namespaced: kind.namespaced,
    ...(elsewhere ? { group: responseKind.group, version: responseKind.version } : {}),
    kind: responseKind.kind,
    verbs,
  };
}

function aggregatedResources(kinds: readonly ResourceKind[], { group, version }: GroupVersion): readonly JsonObject[] {
  return kinds
    .filter((kind) => kind.group === group && kind.version === version)
    .sort((a, b) => compare(a.resource, b.resource))
    .map((kind) => ({
      resource: kind.resource,
      responseKind: { group, version, kind: kind.kind },
      scope: kind.namespaced ? "Namespaced" : "Cluster",
      singularResource: kind.singular,
      verbs: kind.verbs,
      ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
      ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
      ...(kind.subresources.length > 0 ? { subresources: kind.subresources.map(aggregatedSubresource) } : {}),
    }));
}

function aggregatedSubresource({ name, responseKind, verbs }: Subresource): JsonObject {
  return {
    subresource: name,
    responseKind: { group: responseKind.group, version: responseKind.version, kind: responseKind.kind },
    verbs,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
