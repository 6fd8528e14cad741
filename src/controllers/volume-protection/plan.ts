// Who may go: a claim that nobody uses, a volume that nobody has (pod-lifecycle 14.5).

import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/index.ts";

export const claimFinalizer = "kubernetes.io/pvc-protection";
export const volumeFinalizer = "kubernetes.io/pv-protection";

/** A Pod uses its claims from the moment it has a node until it is gone, finished or not. */
export function usesItsClaims({ spec }: Pod): boolean {
  return (spec.nodeName ?? "") !== "";
}

/** Whether the claim waits for nothing but its protection. */
export function isClaimHeld({ metadata }: PersistentVolumeClaim): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(claimFinalizer);
}

export function mayVolumeGo({ metadata, status }: PersistentVolume): boolean {
  const isHeld = metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(volumeFinalizer);
  return isHeld && status.phase !== "Bound";
}

/** What remains when the protection is lifted. */
export function withoutFinalizer<T extends PersistentVolume | PersistentVolumeClaim>(object: T, finalizer: string): T {
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  return { ...object, metadata: { ...object.metadata, finalizers } };
}
