// Which volume fits a claim, and what both say once they belong to each other (pod-lifecycle 14.2). The controller that binds and the scheduler that
// chooses a node must answer alike.

import type { Node, PersistentVolume, PersistentVolumeClaim } from "../../generated/core-v1.ts";
import { labelSelectorMatches } from "../../meta/label-selector.ts";
import { compareQuantities, parseQuantity } from "../../meta/quantity.ts";
import { matchesNodeSelector, type SelectableNode } from "./node-affinity.ts";
import { classAnnotation, classOfClaim, sizeOf } from "./persistent-volume-claim.ts";

/** On a claim: it has been bound; its volume vanishing is a loss from now on. */
export const bindCompletedAnnotation = "pv.kubernetes.io/bind-completed";
/** On a claim or a volume: the other side was chosen by the controller, not by a person. */
export const boundByControllerAnnotation = "pv.kubernetes.io/bound-by-controller";
/** On a volume: who made it. */
export const provisionedByAnnotation = "pv.kubernetes.io/provisioned-by";
/** On a claim: who shall make its volume. */
export const provisionerAnnotation = "volume.kubernetes.io/storage-provisioner";
export const betaProvisionerAnnotation = "volume.beta.kubernetes.io/storage-provisioner";
/** On a claim: the node that the scheduler has chosen for its first consumer. */
export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";

/** The class of a volume; empty if it has none. */
export function classOfVolume({ metadata, spec }: PersistentVolume): string {
  return metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? "";
}

/** Whether the volume's reference is to this claim: by name, and by uid where it has one. */
export function refersTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { claimRef } = spec;
  if (claimRef === undefined) return false;
  if (claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false;
  return (claimRef.uid ?? "") === "" || claimRef.uid === metadata.uid;
}

/** Why a volume cannot be a claim's; `undefined` if it can. A person who names the volume is told. */
export function mismatchOf(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (capacityBelow(volume, claim)) return "requested PV is too small";
  if (classOfVolume(volume) !== (classOfClaim(claim) ?? "")) return "storageClassName does not match";
  if (volume.spec.volumeMode !== claim.spec.volumeMode) return "incompatible volumeMode";
  if (!hasAccessModes(volume, claim)) return "incompatible accessMode";
  return undefined;
}

export interface VolumeSearch {
  /** The volume must be reachable from this node; without it nobody asks from where. */
  readonly node?: SelectableNode;
  /** Only what is reserved for the claim: everything else waits for the first consumer. */
  readonly delaysBinding?: boolean;
  /** Names of volumes that are taken already. */
  readonly taken?: ReadonlySet<string>;
}

/** The volume for an unbound claim: one that is reserved for it, else the smallest that fits, of those with the fewest access modes. */
export function findMatchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  { node, delaysBinding = false, taken = new Set() }: VolumeSearch = {},
): PersistentVolume | undefined {
  const possible = volumes.filter(
    (volume) => volume.spec.volumeMode === claim.spec.volumeMode && !taken.has(volume.metadata.name),
  );
  const reachable = (volume: PersistentVolume): boolean => node === undefined || isReachableFrom(volume, node);
  const reserved = possible.find((volume) => refersTo(volume, claim) && !isDeleting(volume));
  if (reserved !== undefined && !capacityBelow(reserved, claim)) return reachable(reserved) ? reserved : undefined;
  if (delaysBinding && node === undefined) return undefined;
  const wanted = classOfClaim(claim) ?? "";
  return possible
    .filter(
      (volume) =>
        volume.spec.claimRef === undefined &&
        !isDeleting(volume) &&
        volume.status.phase === "Available" &&
        classOfVolume(volume) === wanted &&
        hasAccessModes(volume, claim) &&
        !capacityBelow(volume, claim) &&
        (claim.spec.selector === undefined || labelSelectorMatches(claim.spec.selector, volume.metadata.labels)) &&
        reachable(volume),
    )
    .toSorted(bySuitability)[0];
}

export function isReachableFrom({ spec }: PersistentVolume, node: SelectableNode | Node): boolean {
  const required = spec.nodeAffinity?.required;
  return required === undefined || matchesNodeSelector(required, node);
}

/** The volume as it belongs to the claim; the same object if it does already. */
export function reservedVolume(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { claimRef } = volume.spec;
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  if (claimRef?.uid === uid && claimRef?.name === name && claimRef.namespace === namespace) return volume;
  const chosen = claimRef === undefined ? { [boundByControllerAnnotation]: "yes" } : {};
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...chosen } },
    spec: {
      ...volume.spec,
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid, resourceVersion },
    },
  } as PersistentVolume;
}

const isDeleting = ({ metadata }: PersistentVolume): boolean => metadata.deletionTimestamp !== undefined;

const capacityOf = ({ spec }: PersistentVolume): ReturnType<typeof parseQuantity> =>
  parseQuantity(spec.capacity?.["storage"] ?? "0");

const capacityBelow = (volume: PersistentVolume, { spec }: PersistentVolumeClaim): boolean =>
  compareQuantities(capacityOf(volume), sizeOf(spec)) < 0;

function hasAccessModes({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const modes = new Set(spec.accessModes ?? []);
  return (claim.spec.accessModes ?? []).every((mode) => modes.has(mode));
}

function bySuitability(a: PersistentVolume, b: PersistentVolume): number {
  const modes = (a.spec.accessModes ?? []).length - (b.spec.accessModes ?? []).length;
  if (modes !== 0) return modes;
  const size = compareQuantities(capacityOf(a), capacityOf(b));
  if (size !== 0) return size;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
