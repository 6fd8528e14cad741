// Where a Service leads: its Pods as endpoints, in slices (pod-lifecycle 13.9).

import type { Endpoint, EndpointSlice, Node, Pod, Service } from "../../api/index.ts";
import { isReady } from "../pod-state.ts";
import { hasNamedTargets, hostnameUnder, reachableAt, targetPortIn } from "../service-pods.ts";
import { type EndpointGroup, planSlices, type SliceOwner, type SlicePlan, type SlicePort } from "../slice-plan.ts";
import { triggerTimeAnnotation } from "../trigger-times.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const headlessLabel = "service.kubernetes.io/headless";
export const endpointSliceController = "endpointslice-controller.k8s.io";
export const zoneLabel = "topology.kubernetes.io/zone";

/** How many endpoints go into one slice. */
export const endpointsPerSlice = 100;

export interface ServiceSight {
  readonly service: Service;
  /** Those that the Service chooses. */
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** The slices of this controller for the Service. */
  readonly existing: readonly EndpointSlice[];
  /** When what changed did so. */
  readonly triggerTime: string | undefined;
}

export function planServiceSlices({ service, pods, nodeOf, existing, triggerTime }: ServiceSight): SlicePlan {
  const groups = endpointGroups(service, pods, nodeOf);
  return planSlices(sliceOwner(service, triggerTime), groups, existing, {
    capacity: endpointsPerSlice,
    keepsEmptySlice: true,
  });
}

/** The reachable Pods, together those whose ports have the same numbers: a named port may differ from Pod to Pod. */
export function endpointGroups(
  service: Service,
  pods: readonly Pod[],
  nodeOf: ServiceSight["nodeOf"],
): readonly EndpointGroup[] {
  const groups = new Map<string, { ports: readonly SlicePort[]; endpoints: Endpoint[] }>();
  const shared = hasNamedTargets(service) ? undefined : keyed(service, pods[0]);
  for (const pod of pods) {
    const address = reachableAt(pod);
    if (address === undefined) continue;
    const { ports, key } = shared ?? keyed(service, pod);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(service, pod, address, nodeOf));
  }
  return [...groups.values()];
}

/** The ports of a Pod; the same key means the same ports. */
function keyed(service: Service, pod: Pod | undefined): { readonly ports: readonly SlicePort[]; readonly key: string } {
  const ports = pod === undefined ? [] : portsOf(service, pod);
  return { ports, key: JSON.stringify(ports) };
}

function portsOf(service: Service, pod: Pod): readonly SlicePort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortIn(pod, port);
    if (number === undefined) return [];
    const { name = "", protocol, appProtocol } = port;
    return [{ ...(appProtocol !== undefined && { appProtocol }), name, port: number, protocol }];
  });
}

function endpointOf(service: Service, pod: Pod, address: string, nodeOf: ServiceSight["nodeOf"]): Endpoint {
  const { metadata, spec } = pod;
  const serving = isReady(pod);
  const terminating = metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = spec.nodeName === undefined ? undefined : nodeOf(spec.nodeName)?.metadata.labels?.[zoneLabel];
  const hostname = hostnameUnder(service, pod);
  const hints = ready ? hintsOf(service, zone, spec.nodeName) : undefined;
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hints !== undefined && { hints }),
    ...(hostname !== undefined && { hostname }),
    ...(spec.nodeName !== undefined && { nodeName: spec.nodeName }),
    targetRef: {
      kind: "Pod",
      name: metadata.name,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      uid: metadata.uid,
    },
    ...(zone !== undefined && { zone }),
  };
}

/** Who should prefer this endpoint, if the Service wants short ways. */
function hintsOf({ spec }: Service, zone: string | undefined, node: string | undefined): Endpoint["hints"] {
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  switch (spec.trafficDistribution) {
    case "PreferClose":
    case "PreferSameZone":
      return zone === undefined ? undefined : forZones;
    case "PreferSameNode":
      return node === undefined ? undefined : { forNodes: [{ name: node }], ...forZones };
    case undefined:
    default:
      return undefined;
  }
}

function sliceOwner({ metadata, spec }: Service, triggerTime: string | undefined): SliceOwner {
  const { name, namespace = "", uid, labels = {} } = metadata;
  const { [headlessLabel]: _, ...own } = labels;
  return {
    namespace,
    generateName: `${name}-`,
    labels: {
      ...own,
      ...(spec.clusterIP === "None" && { [headlessLabel]: "" }),
      [serviceNameLabel]: name,
      [managedByLabel]: endpointSliceController,
    },
    annotations: triggerTime === undefined ? {} : { [triggerTimeAnnotation]: triggerTime },
    reference: { apiVersion: "v1", kind: "Service", name, uid, controller: true, blockOwnerDeletion: true },
  };
}
