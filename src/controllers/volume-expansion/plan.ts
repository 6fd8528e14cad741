// Claims that ask for more than they have (pod-lifecycle 14). A folder has no size of its own: what grows is what is promised.

import { sizeOf } from "../../api/core/v1/persistent-volume-claim.ts";
import { provisionedByAnnotation } from "../../api/core/v1/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/index.ts";
import { compareQuantities, parseQuantity } from "../../api/meta/quantity.ts";
import type { EventNote } from "../../client/event-recorder.ts";
import { folderProvisioner } from "../folder-provisioner.ts";

export type ExpansionPlan =
  | { readonly kind: "nothing" }
  /** First the claim says that it is being resized, then the volume grows, then the claim. */
  | { readonly kind: "expand"; readonly volume: PersistentVolume; readonly size: string }
  /** Whoever made the volume has to resize it. */
  | { readonly kind: "wait"; readonly note: EventNote };

export function planExpansion(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume | undefined,
  storageClass: StorageClass | undefined,
): ExpansionPlan {
  const { status, spec, metadata } = claim;
  const size = spec.resources?.requests?.["storage"];
  if (volume === undefined || size === undefined || status.phase !== "Bound") return { kind: "nothing" };
  if (metadata.deletionTimestamp !== undefined || volume.spec.claimRef?.uid !== metadata.uid)
    return { kind: "nothing" };
  const capacity = parseQuantity(status.capacity?.["storage"] ?? "0");
  if (compareQuantities(sizeOf(spec), capacity) <= 0 || storageClass?.allowVolumeExpansion !== true) {
    return { kind: "nothing" };
  }
  if (volume.metadata.annotations?.[provisionedByAnnotation] === folderProvisioner) {
    return { kind: "expand", volume, size };
  }
  const message = "waiting for an external controller to expand this PVC";
  return { kind: "wait", note: { type: "Normal", reason: "ExternalExpanding", message } };
}

/** The claim's status while its volume grows. @param now as the API writes it */
export function resizing(status: PersistentVolumeClaim["status"], now: string): PersistentVolumeClaim["status"] {
  const others = (status.conditions ?? []).filter(({ type }) => type !== "Resizing");
  const condition = { type: "Resizing", status: "True", lastTransitionTime: now } as const;
  return { ...status, conditions: [...others, condition] };
}

/** The claim's status when it has what it asked for. */
export function resized(status: PersistentVolumeClaim["status"], size: string): PersistentVolumeClaim["status"] {
  const { conditions = [], ...rest } = status;
  const others = conditions.filter(({ type }) => type !== "Resizing" && type !== "FileSystemResizePending");
  return { ...rest, capacity: { ...status.capacity, storage: size }, ...(others.length > 0 && { conditions: others }) };
}
