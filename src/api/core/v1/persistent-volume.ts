// PersistentVolumes: defaults, validation, what of them stays (pod-lifecycle 14).

import type { Draft } from "../../draft.ts";
import type { PersistentVolume, PersistentVolumeSpec } from "../../generated/core-v1.ts";
import { checkImmutable, checkOneOf, checkPresent } from "../../meta/field-checks.ts";
import { child, type FieldError, forbidden, key, notSupported, required } from "../../meta/field-errors.ts";
import { goDiff } from "../../meta/go-diff.ts";
import { sameJson } from "../../meta/json-object.ts";
import { roundedList } from "./default-resources.ts";
import { validateNoBacksteps } from "./validate-paths.ts";
import { validateNodeSelector } from "./validate-scheduling.ts";
import { validateHostPath } from "./validate-volumes.ts";
import {
  blockRefusal,
  validateAccessModes,
  validateClassName,
  validateStorageSize,
  volumeModes,
} from "./volume-claim-spec.ts";

export function defaultPersistentVolume(volume: Draft<PersistentVolume>): PersistentVolume {
  const spec = volume.spec ?? {};
  const { claimRef, hostPath } = spec;
  return {
    ...volume,
    spec: {
      ...spec,
      ...(spec.capacity && { capacity: roundedList(spec.capacity) }),
      ...(claimRef && {
        claimRef: {
          ...claimRef,
          kind: claimRef.kind ?? "PersistentVolumeClaim",
          apiVersion: claimRef.apiVersion ?? "v1",
        },
      }),
      ...(hostPath && { hostPath: { ...hostPath, type: hostPath.type ?? "" } }),
      persistentVolumeReclaimPolicy: spec.persistentVolumeReclaimPolicy || "Retain",
      volumeMode: spec.volumeMode ?? "Filesystem",
    },
    status: { ...volume.status, phase: volume.status?.phase || "Pending" },
  } as PersistentVolume;
}

export function validatePersistentVolume({ spec }: PersistentVolume): FieldError[] {
  const { accessModes = [], persistentVolumeReclaimPolicy, storageClassName, volumeMode } = spec;
  return [
    ...(accessModes.length === 0 ? [required("spec.accessModes")] : []),
    ...validateAccessModes(accessModes, "spec.accessModes"),
    ...validateCapacity(spec.capacity ?? {}, "spec.capacity"),
    ...checkOneOf("spec.persistentVolumeReclaimPolicy", persistentVolumeReclaimPolicy, reclaimPolicies),
    ...validateNodeAffinity(spec, "spec.nodeAffinity"),
    ...validateSources(spec, "spec"),
    ...validateClassName(storageClassName, "spec.storageClassName"),
    ...checkOneOf("spec.volumeMode", volumeMode, volumeModes),
    ...refusedVolumeFields(spec, "spec"),
  ];
}

/** What a volume is and where it is stays; who has it, how large it is and what becomes of it may change. */
export function validatePersistentVolumeUpdate(next: PersistentVolume, old: PersistentVolume): FieldError[] {
  const errors = validatePersistentVolume(next);
  const [newSource, oldSource] = [sourcesOf(next.spec), sourcesOf(old.spec)];
  if (!sameJson(newSource, oldSource)) {
    const diff = goDiff("core.PersistentVolumeSource", oldSource, newSource);
    const text = `spec.persistentvolumesource is immutable after creation\n${diff}`;
    errors.push(forbidden("spec.persistentvolumesource", text));
  }
  errors.push(...checkImmutable("volumeMode", next.spec.volumeMode, old.spec.volumeMode));
  if (old.spec.nodeAffinity !== undefined) {
    errors.push(...checkImmutable("nodeAffinity", next.spec.nodeAffinity ?? null, old.spec.nodeAffinity));
  }
  return errors;
}

/** What is accepted and nothing follows from. */
export function persistentVolumeWarnings({ spec }: PersistentVolume): string[] {
  if ((spec.mountOptions ?? []).length === 0) return [];
  return ["spec.mountOptions: lifepod does not act on this: folders are mounted as they are"];
}

const reclaimPolicies = ["Delete", "Recycle", "Retain"];

function validateCapacity(capacity: Readonly<Record<string, string>>, path: string): FieldError[] {
  const names = Object.keys(capacity);
  return [
    ...(names.length === 0 ? [required(path)] : []),
    ...(names.length === 1 && names[0] === "storage" ? [] : [notSupported(path, capacity, ["storage"])]),
    ...Object.entries(capacity).flatMap(([name, amount]) => validateStorageSize(amount, key(path, name))),
  ];
}

function validateNodeAffinity({ nodeAffinity }: PersistentVolumeSpec, path: string): FieldError[] {
  if (nodeAffinity === undefined) return [];
  const { required: selector } = nodeAffinity;
  const at = child(path, "required");
  if (selector === undefined) return [required(at, "must specify required node constraints")];
  return validateNodeSelector(selector, at);
}

type SourceField = keyof PersistentVolumeSpec;

/** Everything in a spec that says where the bytes are. */
const sourceFields: readonly SourceField[] = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "flocker",
  "nfs",
  "rbd",
  "quobyte",
  "cephfs",
  "iscsi",
  "cinder",
  "fc",
  "flexVolume",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "scaleIO",
  "local",
  "storageos",
  "csi",
];

function sourcesOf(spec: PersistentVolumeSpec): object {
  return Object.fromEntries(sourceFields.flatMap((field) => (spec[field] === undefined ? [] : [[field, spec[field]]])));
}

function validateSources(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const [first, ...others] = sourceFields.filter((field) => spec[field] !== undefined);
  if (first === undefined) return [required(path, "must specify a volume type")];
  const errors = others.map((field) => forbidden(child(path, field), "may not specify more than 1 volume type"));
  if (spec.hostPath !== undefined) errors.unshift(...validateHostPath(spec.hostPath, child(path, "hostPath")));
  if (spec.local !== undefined) {
    const at = child(path, "local", "path");
    errors.push(...checkPresent(at, spec.local.path), ...validateNoBacksteps(spec.local.path, at));
    // Upstream still looks for it where it was in its alpha days.
    if (spec.nodeAffinity === undefined) {
      errors.push(required("metadata.annotations", "Local volume requires node affinity"));
    }
  }
  return errors;
}

/** What lifepod's nodes cannot mount, and would be another volume without it. */
function refusedVolumeFields(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const errors = sourceFields
    .filter((field) => spec[field] !== undefined && field !== "hostPath" && field !== "local")
    .map((field) => forbidden(child(path, field), `${field} volumes are not served; use local or hostPath`));
  if (spec.persistentVolumeReclaimPolicy === "Recycle") {
    errors.push(
      forbidden(child(path, "persistentVolumeReclaimPolicy"), "volumes are not recycled; use Retain or Delete"),
    );
  }
  if (spec.volumeMode === "Block") errors.push(forbidden(child(path, "volumeMode"), blockRefusal));
  if (spec.volumeAttributesClassName !== undefined) {
    errors.push(forbidden(child(path, "volumeAttributesClassName"), "VolumeAttributesClasses are not served"));
  }
  if (spec.local?.fsType !== undefined) {
    errors.push(
      forbidden(child(path, "local", "fsType"), "local volumes are folders; devices are not formatted or mounted"),
    );
  }
  return errors;
}
