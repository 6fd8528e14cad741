// What becomes of a claim and of a volume, given all of both (pod-lifecycle 14): pure. Names, reasons and messages are upstream's.

import { classOfClaim } from "../../api/core/v1/persistent-volume-claim.ts";
import {
  betaProvisionerAnnotation,
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  findMatchingVolume,
  mismatchOf,
  provisionedByAnnotation,
  provisionerAnnotation,
  refersTo,
  selectedNodeAnnotation,
} from "../../api/core/v1/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../api/index.ts";
import { goQuote } from "../../api/meta/field-errors.ts";
import type { EventNote } from "../../client/event-recorder.ts";

/** What a decision may look at. */
export interface VolumeView {
  readonly volumes: readonly PersistentVolume[];
  volume(name: string): PersistentVolume | undefined;
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  storageClass(name: string): StorageClass | undefined;
  /** The class of claims that name none. */
  readonly defaultClass: StorageClass | undefined;
  /** Pods that use the claim and wait for a node. */
  waitingPods(claim: PersistentVolumeClaim): readonly Pod[];
}

export type ClaimPlan =
  | { readonly kind: "nothing" }
  /** The class that has become the default since the claim was made. */
  | { readonly kind: "assignClass"; readonly storageClassName: string }
  /** Make both sides say that they belong together. */
  | { readonly kind: "bind"; readonly volume: PersistentVolume }
  /** Somebody else makes the volume; the annotations ask for it. */
  | { readonly kind: "provision"; readonly annotations: Readonly<Record<string, string>>; readonly note: EventNote }
  | { readonly kind: "wait"; readonly note?: EventNote }
  | { readonly kind: "lose"; readonly note: EventNote };

const normal = (reason: string, message: string): EventNote => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): EventNote => ({ type: "Warning", reason, message });

/** A provisioner that provisions nothing: volumes of such a class are made by people. */
const noProvisioner = "kubernetes.io/no-provisioner";

export function planClaim(claim: PersistentVolumeClaim, view: VolumeView): ClaimPlan {
  return claim.metadata.annotations?.[bindCompletedAnnotation] === undefined
    ? planUnbound(claim, view)
    : planBound(claim, view);
}

/** The claim has had a volume: it keeps this one or has lost it. */
function planBound(claim: PersistentVolumeClaim, view: VolumeView): ClaimPlan {
  const { volumeName = "" } = claim.spec;
  const lost = (reason: string, message: string): ClaimPlan =>
    claim.status.phase === "Lost" ? { kind: "nothing" } : { kind: "lose", note: warning(reason, message) };
  if (volumeName === "") {
    return lost("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  }
  const volume = view.volume(volumeName);
  if (volume === undefined) {
    return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  }
  const { claimRef } = volume.spec;
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return { kind: "bind", volume };
  return lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}

function planUnbound(claim: PersistentVolumeClaim, view: VolumeView): ClaimPlan {
  const { volumeName = "" } = claim.spec;
  if (volumeName !== "") return planNamedVolume(claim, volumeName, view);
  const className = classOfClaim(claim);
  if (className === undefined && view.defaultClass !== undefined) {
    return { kind: "assignClass", storageClassName: view.defaultClass.metadata.name };
  }
  const storageClass = className === undefined || className === "" ? undefined : view.storageClass(className);
  const delaysBinding = storageClass?.volumeBindingMode === "WaitForFirstConsumer";
  const volume = findMatchingVolume(claim, view.volumes, { delaysBinding });
  if (volume !== undefined) return { kind: "bind", volume };
  if (delaysBinding && claim.metadata.annotations?.[selectedNodeAnnotation] === undefined) {
    return { kind: "wait", note: waitingNote(view.waitingPods(claim)) };
  }
  if (className === undefined || className === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    return { kind: "wait", note: normal("FailedBinding", message) };
  }
  return planProvisioning(className, storageClass);
}

/** A person has said which volume it shall be. */
function planNamedVolume(claim: PersistentVolumeClaim, name: string, view: VolumeView): ClaimPlan {
  const volume = view.volume(name);
  if (volume === undefined) return { kind: "wait" };
  if (volume.spec.claimRef === undefined) {
    const mismatch = mismatchOf(volume, claim);
    if (mismatch === undefined) return { kind: "bind", volume };
    return {
      kind: "wait",
      note: warning("VolumeMismatch", `Cannot bind to requested volume ${goQuote(name)}: ${mismatch}`),
    };
  }
  if (refersTo(volume, claim)) return { kind: "bind", volume };
  return {
    kind: "wait",
    note: warning("FailedBinding", `volume ${goQuote(name)} already bound to a different claim.`),
  };
}

function waitingNote(pods: readonly Pod[]): EventNote {
  if (pods.length === 0) {
    return normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  }
  const names = pods.map(({ metadata }) => metadata.name).join(",");
  return normal("WaitForPodScheduled", `waiting for pod ${names} to be scheduled`);
}

function planProvisioning(className: string, storageClass: StorageClass | undefined): ClaimPlan {
  if (storageClass === undefined) {
    const message = `storageclass.storage.k8s.io ${goQuote(className)} not found`;
    return { kind: "wait", note: warning("ProvisioningFailed", message) };
  }
  const { provisioner } = storageClass;
  if (provisioner === noProvisioner) {
    return {
      kind: "wait",
      note: warning("ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner"),
    };
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  return {
    kind: "provision",
    annotations: { [betaProvisionerAnnotation]: provisioner, [provisionerAnnotation]: provisioner },
    note: normal("ExternalProvisioning", message),
  };
}

export type VolumePlan =
  | { readonly kind: "nothing" }
  | { readonly kind: "phase"; readonly phase: "Available" | "Bound" | "Released" }
  /** Its claim has another volume: the reservation ends; one that a person made is kept, without the uid. */
  | { readonly kind: "unbind"; readonly volume: PersistentVolume }
  /** The claim has to say first that it belongs to the volume. */
  | { readonly kind: "wakeClaim"; readonly namespace: string; readonly name: string }
  /** Released, and nobody here can delete what it holds. */
  | { readonly kind: "fail"; readonly note: EventNote };

export function planVolume(volume: PersistentVolume, view: VolumeView): VolumePlan {
  const { claimRef } = volume.spec;
  if (claimRef === undefined) return { kind: "phase", phase: "Available" };
  const { namespace = "", name = "", uid = "" } = claimRef;
  const found = view.claim(namespace, name);
  if (uid === "") {
    // Reserved by a person: the claim may come at any time.
    return found === undefined || found.spec.volumeName === volume.metadata.name || (found.spec.volumeName ?? "") !== ""
      ? { kind: "phase", phase: "Available" }
      : { kind: "wakeClaim", namespace, name };
  }
  // Another claim of the same name is not the one that the volume belonged to.
  const claim = found?.metadata.uid === uid ? found : undefined;
  if (claim === undefined) return planReleased(volume);
  const { volumeName = "" } = claim.spec;
  if (volumeName === "") return { kind: "wakeClaim", namespace, name };
  if (volumeName === volume.metadata.name) return { kind: "phase", phase: "Bound" };
  return isProvisioned(volume) && volume.spec.persistentVolumeReclaimPolicy === "Delete"
    ? planReleased(volume)
    : { kind: "unbind", volume: unbound(volume) };
}

function planReleased(volume: PersistentVolume): VolumePlan {
  const { phase } = volume.status;
  if (phase === "Failed") return { kind: "nothing" };
  if (phase !== "Released") return { kind: "phase", phase: "Released" };
  if (volume.spec.persistentVolumeReclaimPolicy !== "Delete" || isProvisioned(volume)) return { kind: "nothing" };
  const shown = goQuote(volume.metadata.name);
  const message =
    volume.spec.local === undefined
      ? "host_path deleter: lifepod deletes only what it has provisioned; remove the files yourself"
      : `error getting deleter volume plugin for volume ${shown}: no deletable volume plugin matched`;
  return { kind: "fail", note: warning("VolumeFailedDelete", message) };
}

/** Whether a provisioner made it, who then also deletes it. */
const isProvisioned = ({ metadata }: PersistentVolume): boolean =>
  metadata.annotations?.[provisionedByAnnotation] !== undefined;

function unbound(volume: PersistentVolume): PersistentVolume {
  const { annotations = {} } = volume.metadata;
  const { [boundByControllerAnnotation]: byController, ...others } = annotations;
  const { claimRef, ...spec } = volume.spec;
  if (byController !== undefined) return { ...volume, metadata: { ...volume.metadata, annotations: others }, spec };
  const { uid: _uid, resourceVersion: _version, ...kept } = claimRef ?? {};
  return { ...volume, spec: { ...spec, claimRef: kept } };
}

/** The claim as it belongs to the volume; the same object if it does already. */
export function boundClaim(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim {
  const { annotations = {} } = claim.metadata;
  const { name } = volume.metadata;
  const isNamed = claim.spec.volumeName === name;
  if (isNamed && annotations[bindCompletedAnnotation] !== undefined) return claim;
  const chosen = isNamed ? {} : { [boundByControllerAnnotation]: "yes" };
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...annotations, ...chosen, [bindCompletedAnnotation]: "yes" } },
    spec: { ...claim.spec, volumeName: name },
  };
}

/** What a bound claim shows. Once it is bound, its size is for the one who expands it to say. */
export function boundStatus(
  { status }: PersistentVolumeClaim,
  { spec }: PersistentVolume,
): PersistentVolumeClaim["status"] {
  const { accessModes, capacity } = spec;
  return {
    ...status,
    phase: "Bound",
    ...(accessModes && { accessModes }),
    ...(status.phase === "Bound" && status.capacity !== undefined
      ? {}
      : capacity && { capacity: { storage: capacity["storage"] ?? "0" } }),
  };
}
