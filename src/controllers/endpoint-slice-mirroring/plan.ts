// EndpointSlices for Endpoints that somebody wrote by hand, so that readers of slices see them, too (pod-lifecycle 13.9).

import type { Endpoint, EndpointAddress, Endpoints, EndpointSlice, Service } from "../../api/index.ts";
import { isIpv4 } from "../../api/meta/names.ts";
import { hasSelector } from "../service-pods.ts";
import { type EndpointGroup, planSlices, type SliceOwner, type SlicePlan } from "../slice-plan.ts";

export const mirroringController = "endpointslicemirroring-controller.k8s.io";
/** How many endpoints of one subset are copied into one slice. */
export const endpointsPerSlice = 1000;
const serviceNameLabel = "kubernetes.io/service-name";
const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
/** What is about the Endpoints themselves. */
const ownAnnotations: readonly string[] = [
  "kubectl.kubernetes.io/last-applied-configuration",
  "endpoints.kubernetes.io/last-change-trigger-time",
];

/** Endpoints of a Service that chooses no Pods, and that do not say that they are to be left alone. */
export function isMirrored(endpoints: Endpoints | undefined, service: Service | undefined): endpoints is Endpoints {
  if (endpoints === undefined || service === undefined) return false;
  const { labels = {}, annotations = {}, deletionTimestamp } = endpoints.metadata;
  if (labels[skipLabel] === "true" || annotations[leaderAnnotation] !== undefined) return false;
  return deletionTimestamp === undefined && service.spec.type !== "ExternalName" && !hasSelector(service);
}

/** @param endpoints undefined when nothing is to be mirrored, so that what was goes */
export function planMirror(endpoints: Endpoints | undefined, existing: readonly EndpointSlice[]): SlicePlan {
  if (endpoints === undefined) return { create: [], update: [], delete: existing };
  const rules = { capacity: endpointsPerSlice, keepsEmptySlice: false };
  return planSlices(sliceOwner(endpoints), groupsOf(endpoints), existing, rules);
}

function groupsOf({ subsets = [] }: Endpoints): readonly EndpointGroup[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const endpoints = [
      ...addresses.filter(({ ip }) => isIpv4(ip)).map((address) => endpointOf(address, true)),
      ...notReadyAddresses.filter(({ ip }) => isIpv4(ip)).map((address) => endpointOf(address, false)),
    ];
    if (endpoints.length === 0) return [];
    return [{ ports: ports.map((port) => ({ ...port, name: port.name ?? "" })), endpoints }];
  });
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname !== undefined && hostname !== "" && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    ...(targetRef !== undefined && { targetRef }),
  };
}

function sliceOwner({ metadata }: Endpoints): SliceOwner {
  const { name, namespace = "", uid, labels = {}, annotations = {} } = metadata;
  return {
    namespace,
    generateName: `${name}-`,
    labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirroringController },
    annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => !ownAnnotations.includes(key))),
    reference: { apiVersion: "v1", kind: "Endpoints", name, uid, controller: true, blockOwnerDeletion: true },
  };
}
