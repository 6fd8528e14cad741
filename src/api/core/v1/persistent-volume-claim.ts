// PersistentVolumeClaims: defaults, validation, what of them stays (pod-lifecycle 14).

import type { Draft } from "../../draft.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../../generated/core-v1.ts";
import { checkImmutable } from "../../meta/field-checks.ts";
import { child, type FieldError, forbidden, invalid, key } from "../../meta/field-errors.ts";
import { goDiff } from "../../meta/go-diff.ts";
import { sameJson } from "../../meta/json-object.ts";
import { compareQuantities, parseQuantity, zeroQuantity } from "../../meta/quantity.ts";
import { defaultClaimSpec, validateClaimSpec } from "./volume-claim-spec.ts";

/** How classes were named before there was a field; it still wins. */
export const classAnnotation = "volume.beta.kubernetes.io/storage-class";

export function defaultPersistentVolumeClaim(claim: Draft<PersistentVolumeClaim>): PersistentVolumeClaim {
  return {
    ...claim,
    spec: defaultClaimSpec(claim.spec ?? {}),
    status: { ...claim.status, phase: claim.status?.phase || "Pending" },
  } as PersistentVolumeClaim;
}

export function validatePersistentVolumeClaim({ spec }: PersistentVolumeClaim): FieldError[] {
  return validateClaimSpec(spec, "spec");
}

/** The spec stays, but for the volume's name, which is given once, the class while there is none, and the size of a bound claim. */
export function validatePersistentVolumeClaimUpdate(
  next: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const errors = validatePersistentVolumeClaim(next);
  const annotations = (claim: PersistentVolumeClaim): string | undefined =>
    claim.metadata.annotations?.[classAnnotation];
  errors.push(
    ...checkImmutable(
      key(child("metadata", "annotations"), classAnnotation),
      annotations(next) ?? "",
      annotations(old) ?? "",
    ),
  );
  const kept = withFreeFieldsOf(old.spec, next);
  if (!sameJson(kept.next, kept.old)) {
    const text =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    errors.push(forbidden("spec", `${text}\n${goDiff("core.PersistentVolumeClaimSpec", kept.old, kept.next)}`));
  }
  const [newSize, oldSize] = [sizeOf(next.spec), sizeOf(old.spec)];
  const capacity = parseQuantity(old.status.capacity?.["storage"] ?? "0");
  // Less than was asked for is a way back from an expansion that does not succeed; less than there is would be shrinking.
  if (compareQuantities(newSize, oldSize) < 0 && compareQuantities(newSize, capacity) <= 0) {
    const field = child("spec", "resources", "requests", "storage");
    errors.push(forbidden(field, "field can not be less than status.capacity"));
  }
  return errors;
}

export function validatePersistentVolumeClaimStatusUpdate({ status }: PersistentVolumeClaim): FieldError[] {
  return Object.entries(status.capacity ?? {}).flatMap(([name, amount]) =>
    compareQuantities(parseQuantity(amount), zeroQuantity) < 0
      ? [invalid(key("status.capacity", name), amount, "must be greater than or equal to 0")]
      : [],
  );
}

/** What a claim asks for. */
export function sizeOf(spec: PersistentVolumeClaimSpec): ReturnType<typeof parseQuantity> {
  return parseQuantity(spec.resources?.requests?.["storage"] ?? "0");
}

/** The class that a claim names; `undefined` if it takes the default one, empty if it wants none. */
export function classOfClaim({ metadata, spec }: PersistentVolumeClaim): string | undefined {
  return metadata.annotations?.[classAnnotation] ?? spec.storageClassName;
}

/** Both specs, without the differences that are permitted. */
function withFreeFieldsOf(
  old: PersistentVolumeClaimSpec,
  { spec, status }: PersistentVolumeClaim,
): { readonly next: object; readonly old: object } {
  const { volumeName: oldName, storageClassName: oldClass, ...oldRest } = old;
  const { volumeName, storageClassName, ...rest } = spec;
  const storage = old.resources?.requests?.["storage"];
  const resources =
    status.phase === "Bound" && rest.resources?.requests !== undefined && storage !== undefined
      ? { ...rest.resources, requests: { ...rest.resources.requests, storage } }
      : rest.resources;
  return {
    next: {
      ...rest,
      resources,
      volumeName: volumeName ?? "",
      storageClassName: oldClass === undefined ? null : (storageClassName ?? null),
    },
    old: {
      ...oldRest,
      volumeName: (oldName ?? "") === "" ? (volumeName ?? "") : oldName,
      storageClassName: oldClass ?? null,
    },
  };
}
