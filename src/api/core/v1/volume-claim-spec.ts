// What a claim asks for, in a PersistentVolumeClaim and in the template of a generic ephemeral volume (pod-lifecycle 14).

import type { Draft } from "../../draft.ts";
import type { PersistentVolumeClaimSpec } from "../../generated/core-v1.ts";
import { checkName, checkOneOf } from "../../meta/field-checks.ts";
import { child, type FieldError, forbidden, invalid, key, notSupported, required } from "../../meta/field-errors.ts";
import { validateLabelSelector } from "../../meta/label-selector.ts";
import { dns1123SubdomainProblems } from "../../meta/names.ts";
import { compareQuantities, parseQuantity, zeroQuantity } from "../../meta/quantity.ts";
import { roundedList } from "./default-resources.ts";

export function defaultClaimSpec(spec: Draft<PersistentVolumeClaimSpec>): PersistentVolumeClaimSpec {
  const { requests, limits } = spec.resources ?? {};
  return {
    ...spec,
    resources: {
      ...spec.resources,
      ...(requests && { requests: roundedList(requests) }),
      ...(limits && { limits: roundedList(limits) }),
    },
    volumeMode: spec.volumeMode ?? "Filesystem",
  } as PersistentVolumeClaimSpec;
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { accessModes = [], selector, storageClassName, volumeMode } = spec;
  const at = key(child(path, "resources"), "storage");
  const storage = spec.resources?.requests?.["storage"];
  const modes = child(path, "accessModes");
  return [
    ...(accessModes.length === 0 ? [required(modes, "at least 1 access mode is required")] : []),
    ...validateLabelSelector(selector, child(path, "selector")),
    ...validateAccessModes(accessModes, modes),
    ...(storage === undefined ? [required(at)] : validateStorageSize(storage, at)),
    ...validateClassName(storageClassName, child(path, "storageClassName")),
    ...checkOneOf(child(path, "volumeMode"), volumeMode, volumeModes),
    ...refusedClaimFields(spec, path),
  ];
}

export const volumeModes = ["Block", "Filesystem"];

const knownAccessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

export function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  const errors = modes
    .filter((mode) => !knownAccessModes.includes(mode))
    .map((mode) => notSupported(path, mode, knownAccessModes));
  const isAlone = modes.every((mode) => mode === "ReadWriteOncePod");
  if (modes.includes("ReadWriteOncePod") && !isAlone) {
    errors.push(forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  }
  return errors;
}

/** An amount of storage: more than nothing. */
export function validateStorageSize(amount: string, path: string): FieldError[] {
  if (compareQuantities(parseQuantity(amount), zeroQuantity) > 0) return [];
  return [invalid(path, amount, "must be greater than zero")];
}

export function validateClassName(name: string | undefined, path: string): FieldError[] {
  return name === undefined || name === "" ? [] : checkName(path, name, dns1123SubdomainProblems);
}

export const blockRefusal = "raw block volumes are not served";
const attributesRefusal = "VolumeAttributesClasses are not served";

/** What would be ignored, and what a claim would not be without it. */
function refusedClaimFields(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.volumeMode === "Block") errors.push(forbidden(child(path, "volumeMode"), blockRefusal));
  for (const field of ["dataSource", "dataSourceRef"] as const) {
    if (spec[field] !== undefined) {
      errors.push(forbidden(child(path, field), "volumes cannot be filled from snapshots or other claims"));
    }
  }
  if (spec.volumeAttributesClassName !== undefined) {
    errors.push(forbidden(child(path, "volumeAttributesClassName"), attributesRefusal));
  }
  return errors;
}
