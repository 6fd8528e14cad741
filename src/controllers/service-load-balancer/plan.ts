// Services of type LoadBalancer: without a cloud around, the nodes themselves are the balancer (pod-lifecycle 13.9).

import type { Node, Service } from "../../api/index.ts";
import { isIpv4 } from "../../api/meta/names.ts";

type Ingress = NonNullable<NonNullable<Service["status"]["loadBalancer"]>["ingress"]>;

const excludingLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

/**
 * Where the world outside reaches the Service.
 * @returns undefined when that is not for this controller to say: another type, or a class that somebody else serves
 */
export function ingressOf({ spec }: Service, nodes: readonly Node[]): Ingress | undefined {
  if (spec.type !== "LoadBalancer" || spec.loadBalancerClass !== undefined) return undefined;
  const addresses = nodes.filter(takesTraffic).flatMap((node) => addressOf(node) ?? []);
  return [...new Set(addresses)].toSorted().map((ip) => ({ ip, ipMode: "VIP" }));
}

function takesTraffic({ metadata, spec, status }: Node): boolean {
  if (metadata.labels?.[excludingLabel] !== undefined || metadata.deletionTimestamp !== undefined) return false;
  if ((spec.taints ?? []).some(({ key }) => key === "ToBeDeletedByClusterAutoscaler")) return false;
  return (status.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");
}

function addressOf({ status }: Node): string | undefined {
  const addresses = status.addresses ?? [];
  const ofType = (wanted: string) => addresses.find(({ type, address }) => type === wanted && isIpv4(address))?.address;
  return ofType("ExternalIP") ?? ofType("InternalIP");
}
