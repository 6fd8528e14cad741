// What can happen in a cluster that may let a Pod be scheduled that could not be before. Everything else wakes nobody.

import type { Node, PersistentVolumeClaim, Pod } from "../api/index.ts";
import { sameJson } from "../api/meta/json-object.ts";

export type NodeAspect = "allocatable" | "labels" | "taints" | "conditions";

export type PodAspect = "labels" | "requests" | "tolerations" | "schedulingGates";

export type ClusterEvent =
  | { readonly kind: "nodeAdded"; readonly node: Node }
  | {
      readonly kind: "nodeUpdated";
      readonly node: Node;
      readonly previous: Node;
      readonly changes: ReadonlySet<NodeAspect>;
    }
  | { readonly kind: "nodeDeleted"; readonly node: Node }
  /** A claim, or without one a volume or a StorageClass, came, changed or went. */
  | { readonly kind: "volumesChanged"; readonly claim?: PersistentVolumeClaim }
  /** A Pod is on a node now. */
  | { readonly kind: "assignedPodAdded"; readonly pod: Pod }
  /** A Pod on a node has other labels than before. */
  | { readonly kind: "assignedPodRelabeled"; readonly pod: Pod; readonly previous: Pod }
  /** A Pod that used a node's resources is gone, or has finished. */
  | { readonly kind: "assignedPodDeleted"; readonly pod: Pod }
  /** A Pod on a node asks for less than before. */
  | { readonly kind: "assignedPodScaledDown"; readonly pod: Pod; readonly previous: Pod };

/** What differs between two states of a node, as far as scheduling cares. A heartbeat changes nothing. */
export function nodeChanges(previous: Node, node: Node): ReadonlySet<NodeAspect> {
  const changes = new Set<NodeAspect>();
  if (!same(previous.status.allocatable, node.status.allocatable)) changes.add("allocatable");
  if (!same(previous.metadata.labels, node.metadata.labels)) changes.add("labels");
  // An unschedulable node counts as a tainted one.
  if (
    !same(previous.spec.taints, node.spec.taints) ||
    (previous.spec.unschedulable ?? false) !== (node.spec.unschedulable ?? false)
  ) {
    changes.add("taints");
  }
  if (!same(conditionStatuses(previous), conditionStatuses(node))) changes.add("conditions");
  return changes;
}

/** What differs between two states of a Pod, as far as scheduling cares. */
export function podChanges(previous: Pod, pod: Pod): ReadonlySet<PodAspect> {
  const changes = new Set<PodAspect>();
  if (!same(previous.metadata.labels, pod.metadata.labels)) changes.add("labels");
  if (!same(previous.spec.tolerations, pod.spec.tolerations)) changes.add("tolerations");
  if (!same(previous.spec.schedulingGates, pod.spec.schedulingGates)) changes.add("schedulingGates");
  if (!same(resourcesOf(previous), resourcesOf(pod))) changes.add("requests");
  return changes;
}

const conditionStatuses = (node: Node): Record<string, string> =>
  Object.fromEntries((node.status.conditions ?? []).map(({ type, status }) => [type, status]));

const resourcesOf = ({ spec }: Pod): unknown => [
  spec.containers.map(({ resources }) => resources),
  (spec.initContainers ?? []).map(({ resources }) => resources),
  spec.resources ?? null,
];

/** Absent and empty are the same. */
function same(a: unknown, b: unknown): boolean {
  return a === b || sameJson(a ?? null, b ?? null);
}
