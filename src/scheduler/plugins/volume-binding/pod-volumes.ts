// What a Pod's claims demand of a node, and what has to be done for them there before the Pod is bound (pod-lifecycle 14.3): pure.

import { classOfClaim } from "../../../api/core/v1/persistent-volume-claim.ts";
import { claimsOfPod, foreignClaim } from "../../../api/core/v1/pod-claims.ts";
import {
  bindCompletedAnnotation,
  findMatchingVolume,
  isReachableFrom,
  selectedNodeAnnotation,
} from "../../../api/core/v1/volume-matching.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../../api/index.ts";

/** What is known about volumes. */
export interface VolumeLookup {
  readonly volumes: () => readonly PersistentVolume[];
  readonly volume: (name: string) => PersistentVolume | undefined;
  readonly claim: (namespace: string, name: string) => PersistentVolumeClaim | undefined;
  readonly storageClass: (name: string) => StorageClass | undefined;
}

/** A Pod's claims, by what is left to do for them. */
export type PodClaims =
  | { readonly kind: "rejected"; readonly message: string }
  | {
      readonly kind: "claims";
      readonly bound: readonly PersistentVolumeClaim[];
      /** They wait for their first consumer. */
      readonly delayed: readonly PersistentVolumeClaim[];
    };

export function podClaims(pod: Pod, lookup: VolumeLookup): PodClaims {
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  let waitsForOthers = false;
  for (const { claimName, isEphemeral } of claimsOfPod(pod)) {
    const claim = lookup.claim(pod.metadata.namespace ?? "", claimName);
    const objection = objectionTo(claim, claimName, isEphemeral, pod);
    if (claim === undefined || objection !== undefined) return { kind: "rejected", message: objection ?? "" };
    const { volumeName = "" } = claim.spec;
    if (isBound(claim)) bound.push(claim);
    else if (volumeName === "" && isDelayed(claim, lookup)) delayed.push(claim);
    else waitsForOthers = true;
  }
  if (waitsForOthers) return { kind: "rejected", message: "pod has unbound immediate PersistentVolumeClaims" };
  return { kind: "claims", bound, delayed };
}

function objectionTo(
  claim: PersistentVolumeClaim | undefined,
  name: string,
  isEphemeral: boolean,
  pod: Pod,
): string | undefined {
  if (claim === undefined) {
    return isEphemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
      : `persistentvolumeclaim "${name}" not found`;
  }
  if (claim.status.phase === "Lost") {
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ""}"`;
  }
  if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
  return isEphemeral ? foreignClaim(claim, pod) : undefined;
}

export function isBound({ metadata, spec }: PersistentVolumeClaim): boolean {
  return (spec.volumeName ?? "") !== "" && metadata.annotations?.[bindCompletedAnnotation] !== undefined;
}

function isDelayed(claim: PersistentVolumeClaim, { storageClass }: VolumeLookup): boolean {
  return storageClass(classOfClaim(claim) ?? "")?.volumeBindingMode === "WaitForFirstConsumer";
}

/** What has to be done for one claim on the node that was chosen. */
export type VolumeStep =
  | { readonly kind: "reserve"; readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
  | { readonly kind: "provision"; readonly claim: PersistentVolumeClaim };

export type NodeVolumes =
  | { readonly kind: "fits"; readonly steps: readonly VolumeStep[] }
  | { readonly kind: "conflicts"; readonly reasons: readonly string[] };

const noVolume = "node(s) didn't find available persistent volumes to bind";
const wrongNode = "node(s) didn't match PersistentVolume's node affinity";
const volumeGone = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

export function volumesOnNode(
  { bound, delayed }: PodClaims & { readonly kind: "claims" },
  node: Node,
  lookup: VolumeLookup,
): NodeVolumes {
  const reasons = new Set<string>();
  for (const { spec } of bound) {
    const volume = lookup.volume(spec.volumeName ?? "");
    if (volume === undefined) reasons.add(volumeGone);
    else if (!isReachableFrom(volume, node)) reasons.add(wrongNode);
  }
  const steps: VolumeStep[] = [];
  const taken = new Set<string>();
  for (const claim of delayed) {
    const step = stepFor(claim, node, lookup, taken);
    if (step === undefined) reasons.add(noVolume);
    else steps.push(step);
    if (step?.kind === "reserve") taken.add(step.volume.metadata.name);
  }
  return reasons.size > 0 ? { kind: "conflicts", reasons: [...reasons] } : { kind: "fits", steps };
}

function stepFor(
  claim: PersistentVolumeClaim,
  node: Node,
  lookup: VolumeLookup,
  taken: ReadonlySet<string>,
): VolumeStep | undefined {
  const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
  // A volume is being made for it on a node: it is that one or none.
  if (selected !== undefined) return selected === node.metadata.name ? { kind: "provision", claim } : undefined;
  const volume = findMatchingVolume(claim, lookup.volumes(), { node, taken });
  if (volume !== undefined) return { kind: "reserve", claim, volume };
  const storageClass = lookup.storageClass(classOfClaim(claim) ?? "");
  if (storageClass === undefined || storageClass.provisioner === "kubernetes.io/no-provisioner") return undefined;
  return mayProvisionOn(node, storageClass) ? { kind: "provision", claim } : undefined;
}

/** Without topologies everywhere; else where one of them holds. */
function mayProvisionOn({ metadata }: Node, { allowedTopologies = [] }: StorageClass): boolean {
  if (allowedTopologies.length === 0) return true;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(metadata.labels?.[key] ?? "")),
  );
}
