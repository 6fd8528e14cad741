// What a Pod may learn about itself: fields and resources as text (pod-lifecycle 4.6.3, 4.6.4).

import type { Container, EphemeralContainer, Pod, ResourceFieldSelector } from "../api/generated/core-v1.ts";
import { parseQuantity } from "../api/meta/quantity.ts";
import { containerNamed, namespaceOf } from "./pod-containers.ts";

/** Addresses as they are known when a container is made, which may be before the API shows them. */
export interface PodAddresses {
  readonly hostIPs: readonly string[];
  readonly podIPs: readonly string[];
}

/** @throws Error if the path names nothing that may be referred to */
export function fieldValue(pod: Pod, path: string, addresses: PodAddresses): string {
  const { metadata, spec } = pod;
  const single = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (single !== null) return metadata[single[1] as "labels" | "annotations"]?.[single[2] as string] ?? "";
  switch (path) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return namespaceOf(pod);
    case "metadata.uid":
      return metadata.uid;
    case "metadata.labels":
      return formatMap(metadata.labels);
    case "metadata.annotations":
      return formatMap(metadata.annotations);
    case "spec.nodeName":
      return spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? "";
    case "status.hostIP":
      return addresses.hostIPs[0] ?? "";
    case "status.hostIPs":
      return addresses.hostIPs.join(",");
    case "status.podIP":
      return addresses.podIPs[0] ?? "";
    case "status.podIPs":
      return addresses.podIPs.join(",");
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

/**
 * A resource's amount in units of the divisor, rounded up. A limit that is not set is the Pod's, else what the node can give.
 * @throws Error if the resource or the container is unknown
 */
export function resourceFieldValue(
  pod: Pod,
  own: Container | EphemeralContainer | undefined,
  selector: ResourceFieldSelector,
  allocatable: Readonly<Record<string, string>>,
): string {
  const named = selector.containerName ?? "";
  const container = named === "" ? own : containerNamed(pod, named)?.spec;
  if (container === undefined) throw new Error(`container ${named} not found`);
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(selector.resource);
  if (match === null) throw new Error(`unsupported container resource : ${selector.resource}`);
  const [, list, resource = ""] = match;
  const asked =
    list === "requests"
      ? container.resources.requests?.[resource]
      : (container.resources.limits?.[resource] ?? pod.spec.resources?.limits?.[resource] ?? allocatable[resource]);
  const amount = parseQuantity(asked ?? "0").nanos;
  const divisor = parseQuantity(selector.divisor ?? "0").nanos;
  const unit = divisor === 0n ? 1_000_000_000n : divisor;
  return String((amount + unit - 1n) / unit);
}

/** `key="value"` lines, sorted, as volumes show whole maps. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
}
