// Which names of resources there are, and what their kinds allow (pod-lifecycle 15.2).

import { qualifiedNameProblems } from "../../meta/names.ts";
import { parseQuantity, quantityProblem, quantityValue } from "../../meta/quantity.ts";

const containerResources: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

/** Names without a domain that mean something somewhere in the API (quotas count objects by some of them). */
const standardResources: ReadonlySet<string> = new Set([
  ...containerResources,
  ...["requests", "limits"].flatMap((prefix) => [...containerResources].map((name) => `${prefix}.${name}`)),
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "storage",
  "services.nodeports",
  "services.loadbalancers",
]);

const countedResources: ReadonlySet<string> = new Set([
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

export function isHugePages(name: string): boolean {
  return name.startsWith("hugepages-");
}

export function isStandardResource(name: string): boolean {
  return standardResources.has(name) || isHugePages(name);
}

export function isStandardContainerResource(name: string): boolean {
  return containerResources.has(name) || isHugePages(name);
}

/** Without a domain, or in Kubernetes' own. */
export function isNativeResource(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

/** Someone else's resource, such as `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  return (
    !isNativeResource(name) && !name.startsWith("requests.") && qualifiedNameProblems(`requests.${name}`).length === 0
  );
}

/** A request may be below its limit. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name);
}

/** Comes in whole units only. */
export function isWholeResource(name: string): boolean {
  return countedResources.has(name) || isExtendedResource(name);
}

/** Whether an amount of huge pages is a positive multiple of the size in the resource's name. */
export function isWholeHugePages(name: string, amount: string): boolean {
  const size = pageSize(name.slice("hugepages-".length));
  const value = quantityValue(parseQuantity(amount));
  return size > 0n && value > 0n && value % size === 0n;
}

/** A name like `hugepages-many` has no size, so nothing is a multiple of it. */
function pageSize(text: string): bigint {
  return quantityProblem(text) === undefined ? quantityValue(parseQuantity(text)) : 0n;
}
