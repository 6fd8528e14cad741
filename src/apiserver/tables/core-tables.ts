// The tables of the small kinds of core: namespaces, nodes, configuration, accounts, quotas, leases.

import type { Lease } from "../../api/generated/coordination-v1.ts";
import type { ConfigMap, Namespace, Node, ResourceQuota, Secret, ServiceAccount } from "../../api/generated/core-v1.ts";
import type { PriorityClass } from "../../api/generated/scheduling-v1.ts";
import type { RuntimeClass } from "../../api/generated/node-v1.ts";
import { compareCodePoints } from "../../base/ordered-keys.ts";
import type { Printed } from "./table-printer.ts";
import { ageColumn, nameColumn, orElse, printerOf } from "./table-printer.ts";

export const namespacePrinter = printerOf<Namespace>([
  nameColumn,
  {
    name: "Status",
    description: "Active, or Terminating while its objects go",
    cell: ({ status }) => status?.phase ?? "",
  },
  ageColumn,
]);

export const nodePrinter = printerOf<Node>([
  nameColumn,
  { name: "Status", description: "Whether the node is ready, and whether new Pods may come", cell: nodeStatusText },
  { name: "Roles", description: "Roles that the node's labels name", cell: rolesText },
  ageColumn,
  {
    name: "Version",
    description: "Version of the kubelet",
    cell: ({ status }) => status?.nodeInfo?.kubeletVersion ?? "",
  },
  {
    name: "Internal-IP",
    wide: true,
    description: "Address inside the cluster's network",
    cell: (node) => addressText(node, "InternalIP"),
  },
  {
    name: "External-IP",
    wide: true,
    description: "Address for the world outside",
    cell: (node) => addressText(node, "ExternalIP"),
  },
  {
    name: "OS-Image",
    wide: true,
    description: "Operating system",
    cell: ({ status }) => orElse(status?.nodeInfo?.osImage, "<unknown>"),
  },
  {
    name: "Kernel-Version",
    wide: true,
    description: "Version of the kernel",
    cell: ({ status }) => orElse(status?.nodeInfo?.kernelVersion, "<unknown>"),
  },
  {
    name: "Container-Runtime",
    wide: true,
    description: "Container runtime and its version",
    cell: ({ status }) => orElse(status?.nodeInfo?.containerRuntimeVersion, "<unknown>"),
  },
]);

function nodeStatusText({ spec, status }: Printed<Node>): string {
  const ready = (status?.conditions ?? []).find(({ type }) => type === "Ready");
  const text = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

const rolePrefix = "node-role.kubernetes.io/";

function rolesText({ metadata }: Printed<Node>): string {
  const roles = Object.entries(metadata?.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.length > rolePrefix.length ? [key.slice(rolePrefix.length)] : [];
    return key === "kubernetes.io/role" && value !== undefined && value !== "" ? [value] : [];
  });
  return orElse([...new Set(roles)].toSorted(compareCodePoints).join(","), "<none>");
}

function addressText({ status }: Printed<Node>, type: string): string {
  return orElse((status?.addresses ?? []).find((address) => address.type === type)?.address, "<none>");
}

export const configMapPrinter = printerOf<ConfigMap>([
  nameColumn,
  {
    name: "Data",
    description: "Number of entries",
    cell: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
  },
  ageColumn,
]);

export const secretPrinter = printerOf<Secret>([
  nameColumn,
  { name: "Type", description: "What the entries are for", cell: ({ type }) => type ?? "" },
  { name: "Data", description: "Number of entries", cell: ({ data }) => Object.keys(data ?? {}).length },
  ageColumn,
]);

export const serviceAccountPrinter = printerOf<ServiceAccount>([
  nameColumn,
  {
    name: "Secrets",
    description: "Number of secrets that Pods of the account may use",
    cell: ({ secrets }) => (secrets ?? []).length,
  },
  ageColumn,
]);

export const resourceQuotaPrinter = printerOf<ResourceQuota>([
  nameColumn,
  {
    name: "Request",
    description: "Used and allowed amounts",
    cell: (quota) => quotaText(quota, (resource) => !resource.startsWith("limits.")),
  },
  {
    name: "Limit",
    description: "Used and allowed amounts of limits",
    cell: (quota) => quotaText(quota, (resource) => resource.startsWith("limits.")),
  },
  ageColumn,
]);

function quotaText({ status }: Printed<ResourceQuota>, belongs: (resource: string) => boolean): string {
  return Object.entries(status?.hard ?? {})
    .filter(([resource]) => belongs(resource))
    .toSorted(([a], [b]) => compareCodePoints(a, b))
    .map(([resource, hard]) => `${resource}: ${status?.used?.[resource] ?? "0"}/${hard ?? "0"}`)
    .join(", ");
}

export const leasePrinter = printerOf<Lease>([
  nameColumn,
  { name: "Holder", description: "Who holds the lease", cell: ({ spec }) => spec?.holderIdentity ?? "" },
  ageColumn,
]);

export const priorityClassPrinter = printerOf<PriorityClass>([
  nameColumn,
  { name: "Value", type: "integer", description: "The priority; higher goes first", cell: ({ value }) => value ?? 0 },
  {
    name: "Global-Default",
    type: "boolean",
    description: "Whether Pods without a class get this one",
    cell: ({ globalDefault }) => globalDefault ?? false,
  },
  ageColumn,
  {
    name: "PreemptionPolicy",
    description: "Whether Pods of the class may drive others out",
    cell: ({ preemptionPolicy }) => preemptionPolicy ?? "",
  },
]);

export const runtimeClassPrinter = printerOf<RuntimeClass>([
  nameColumn,
  { name: "Handler", description: "Name of the runtime's configuration", cell: ({ handler }) => handler ?? "" },
  ageColumn,
]);
