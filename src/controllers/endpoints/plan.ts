// Endpoints: the older, single list of where a Service leads (pod-lifecycle 13.9).

import type { EndpointAddress, EndpointPort, Endpoints, EndpointSubset, Pod, Service } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { isReady } from "../pod-state.ts";
import { hasNamedTargets, hostnameUnder, reachableAt, targetPortIn } from "../service-pods.ts";
import { triggerTimeAnnotation } from "../trigger-times.ts";

/** More than this many addresses are not listed; who needs all reads the EndpointSlices. */
export const addressLimit = 1000;
const headlessLabel = "service.kubernetes.io/headless";
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
const ownLabels = { "endpoints.kubernetes.io/managed-by": "endpoint-controller" };

export type EndpointsPlan =
  | { readonly kind: "create"; readonly endpoints: Pick<Endpoints, "subsets"> & { readonly metadata: object } }
  | { readonly kind: "update"; readonly endpoints: Endpoints }
  | { readonly kind: "leave" };

export function planEndpoints(
  service: Service,
  pods: readonly Pod[],
  existing: Endpoints | undefined,
  triggerTime: string | undefined,
): EndpointsPlan {
  const { subsets, isTruncated } = limited(subsetsOf(service, pods));
  const { name, namespace, labels: serviceLabels = {} } = service.metadata;
  const { [headlessLabel]: _, ...inherited } = serviceLabels;
  const labels = { ...inherited, ...ownLabels, ...(service.spec.clusterIP === "None" && { [headlessLabel]: "" }) };
  const annotations = {
    ...(isTruncated && { [overCapacityAnnotation]: "truncated" }),
    ...(triggerTime !== undefined && { [triggerTimeAnnotation]: triggerTime }),
  };
  if (existing === undefined) {
    return { kind: "create", endpoints: { metadata: { name, namespace, labels, annotations }, subsets } };
  }
  const wasTruncated = existing.metadata.annotations?.[overCapacityAnnotation] !== undefined;
  if (
    sameJson(existing.subsets ?? [], subsets) &&
    sameJson(existing.metadata.labels ?? {}, labels) &&
    wasTruncated === isTruncated
  ) {
    return { kind: "leave" };
  }
  return {
    kind: "update",
    endpoints: { ...existing, metadata: { ...existing.metadata, labels, annotations }, subsets },
  };
}

/** Addresses that answer on the same ports stand together; the order depends on nothing but what they are. */
export function subsetsOf(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  const tolerates = service.spec.publishNotReadyAddresses === true;
  const groups = new Map<
    string,
    { ports: readonly EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }
  >();
  const shared = hasNamedTargets(service) ? undefined : keyed(service, pods[0]);
  for (const pod of pods) {
    const address = reachableAt(pod);
    if (address === undefined || (pod.metadata.deletionTimestamp !== undefined && !tolerates)) continue;
    const { ports, key } = shared ?? keyed(service, pod);
    // A Service may have no ports at all; a Pod that has none of those it should have is left out.
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    groups.set(key, group);
    (tolerates || isReady(pod) ? group.ready : group.notReady).push(addressOf(service, pod, address));
  }
  return [...groups.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 && { addresses: inOrder(ready) }),
      ...(notReady.length > 0 && { notReadyAddresses: inOrder(notReady) }),
      ...(ports.length > 0 && { ports }),
    }));
}

/** The ports of a Pod; the same key means the same ports. */
function keyed(
  service: Service,
  pod: Pod | undefined,
): { readonly ports: readonly EndpointPort[]; readonly key: string } {
  const ports = pod === undefined ? [] : portsOf(service, pod);
  return { ports, key: JSON.stringify(ports) };
}

function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortIn(pod, port);
    if (number === undefined) return [];
    const { name = "", protocol, appProtocol } = port;
    return [
      { ...(name !== "" && { name }), port: number, protocol, ...(appProtocol !== undefined && { appProtocol }) },
    ];
  });
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { name, namespace, uid } = pod.metadata;
  const hostname = hostnameUnder(service, pod);
  return {
    ...(hostname !== undefined && { hostname }),
    ip,
    ...(pod.spec.nodeName !== undefined && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: "Pod", name, ...(namespace !== undefined && { namespace }), uid },
  };
}

function inOrder(addresses: readonly EndpointAddress[]): readonly EndpointAddress[] {
  const keyed = addresses.map((address) => ({ key: orderOf(address), address }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ address }) => address);
}

function orderOf({ ip, targetRef }: EndpointAddress): string {
  const parts = ip.split(".").map((part) => part.padStart(3, "0"));
  return `${parts.join(".")} ${targetRef?.uid ?? ""}`;
}

/** Ready addresses have the right of way; both kinds are cut in the order of the subsets. */
function limited(subsets: readonly EndpointSubset[]): {
  readonly subsets: readonly EndpointSubset[];
  readonly isTruncated: boolean;
} {
  const count = (field: "addresses" | "notReadyAddresses"): number =>
    subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
  if (count("addresses") + count("notReadyAddresses") <= addressLimit) return { subsets, isTruncated: false };
  let ready = addressLimit;
  let notReady = Math.max(0, addressLimit - count("addresses"));
  const cut = subsets.map(({ addresses = [], notReadyAddresses = [], ...rest }) => {
    const kept = addresses.slice(0, ready);
    ready -= kept.length;
    const keptNotReady = notReadyAddresses.slice(0, notReady);
    notReady -= keptNotReady.length;
    return {
      ...(kept.length > 0 && { addresses: kept }),
      ...(keptNotReady.length > 0 && { notReadyAddresses: keptNotReady }),
      ...rest,
    };
  });
  const left = cut.filter((subset) => "addresses" in subset || "notReadyAddresses" in subset);
  return { subsets: left, isTruncated: true };
}
