// The rules of metadata that hold for every kind (api-machinery 3.2): what the server sets, what it keeps, what it refuses.

import { type FieldError, forbidden, goQuote, invalid, required } from "../../api/meta/field-errors.ts";
import { isJsonObject, sameJson } from "../../api/meta/json-object.ts";
import { validateLabels } from "../../api/meta/label-selector.ts";
import { byteLength, qualifiedNameProblems } from "../../api/meta/names.ts";
import type { RandomStream } from "../../base/random.ts";
import { formatTime, type Instant } from "../../base/time.ts";
import { type ApiObject, type ObjectMetadata, type OwnerReference, withMetadata } from "./api-object.ts";
import type { Strategy } from "./strategy.ts";

/** A generated name keeps this much of its prefix and gets this many characters behind it. */
const generatedPrefixLength = 58;
const generatedSuffixLength = 5;
const annotationsSizeLimit = 256 * 1024;
const legacyFinalizers: ReadonlySet<string> = new Set(["foregroundDeletion", "orphan", "kubernetes"]);

/** Sets what only the server sets on a new object, and drops what a client may not bring. */
export function fillSystemMetadata(object: ApiObject, random: RandomStream, now: Instant): ApiObject {
  return withMetadata(object, {
    uid: random.uuid(),
    creationTimestamp: formatTime(now),
    resourceVersion: undefined,
    generation: undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    managedFields: undefined,
    selfLink: undefined,
  });
}

export function generatedName(prefix: string, random: RandomStream): string {
  return `${prefix.slice(0, generatedPrefixLength)}${random.suffix(generatedSuffixLength)}`;
}

/** What an update may not change silently stays as it was (api-machinery 3.2). */
export function keepSystemMetadata(next: ApiObject, old: ApiObject): ApiObject {
  const { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds, generateName } =
    old.metadata;
  return withMetadata(next, {
    creationTimestamp,
    generation,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    managedFields: undefined,
    selfLink: undefined,
    resourceVersion: undefined,
    ...(next.metadata.uid === undefined || next.metadata.uid === "" ? { uid } : {}),
    ...(generateName === undefined ? {} : { generateName }),
  });
}

/** The generation that `next` gets: one more when anything but metadata and status has changed. */
export function nextGeneration(next: ApiObject, old: ApiObject): number {
  const generation = old.metadata.generation ?? 0;
  return sameJson(next["spec"], old["spec"]) ? generation : generation + 1;
}

/** Owner references without repetitions of the same uid, and the uids that were repeated. */
export function dedupedOwnerReferences(object: ApiObject): {
  readonly object: ApiObject;
  readonly duplicates: readonly string[];
} {
  const references = object.metadata.ownerReferences;
  if (references === undefined || references.length < 2) return { object, duplicates: [] };
  const kept: OwnerReference[] = [];
  const duplicates: string[] = [];
  for (const reference of references) {
    if (kept.some((known) => sameJson(known, reference))) duplicates.push(reference.uid);
    else kept.push(reference);
  }
  if (duplicates.length === 0) return { object, duplicates };
  return { object: withMetadata(object, { ownerReferences: kept }), duplicates };
}

/** Everything that is wrong with the metadata of an object about to be stored. */
export function validateMetadata(
  metadata: ObjectMetadata,
  { namespaced, nameProblems }: { readonly namespaced: boolean; readonly nameProblems: Strategy["nameProblems"] },
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, generateName, namespace } = metadata;
  if (generateName !== undefined && generateName !== "") {
    // What the generated name will end with is harmless, so a prefix may end where a name may not.
    for (const problem of nameProblems(`${generateName.slice(0, generatedPrefixLength)}x`)) {
      errors.push(invalid("metadata.generateName", generateName, problem));
    }
  }
  if (name === undefined || name === "") {
    errors.push(required("metadata.name", "name or generateName is required"));
  } else {
    for (const problem of nameProblems(name)) errors.push(invalid("metadata.name", name, problem));
  }
  if (namespaced && (namespace === undefined || namespace === "")) errors.push(required("metadata.namespace"));
  errors.push(...validateLabels(metadata.labels, "metadata.labels"), ...validateAnnotations(metadata.annotations));
  errors.push(...validateOwnerReferences(metadata.ownerReferences ?? []));
  errors.push(...validateFinalizers(metadata.finalizers ?? []));
  return errors;
}

/** What an update of the metadata may not do. */
export function validateMetadataUpdate(next: ObjectMetadata, old: ObjectMetadata): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter((finalizer) => !(old.finalizers ?? []).includes(finalizer));
    if (added.length > 0) {
      const found = `[]string{${added.map(goQuote).join(", ")}}`;
      errors.push(
        forbidden(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers ${found}`,
        ),
      );
    }
  }
  for (const field of ["name", "namespace", "uid"] as const) {
    if ((next[field] ?? "") !== (old[field] ?? "")) {
      errors.push(invalid(`metadata.${field}`, next[field] ?? "", "field is immutable"));
    }
  }
  return errors;
}

function validateAnnotations(annotations: ObjectMetadata["annotations"]): FieldError[] {
  if (!isJsonObject(annotations)) return [];
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    // The rule says lower case because the prefix is a DNS name; only the check ignores case.
    for (const problem of qualifiedNameProblems(key.toLowerCase()))
      errors.push(invalid("metadata.annotations", key, problem));
    size += byteLength(key) + byteLength(String(value));
  }
  if (size > annotationsSizeLimit) {
    errors.push({
      type: "FieldValueTooLong",
      field: "metadata.annotations",
      body: `Too long: may not be more than ${annotationsSizeLimit} bytes`,
    });
  }
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[]): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const reference of references) {
    const at = "metadata.ownerReferences";
    const version = reference.apiVersion ?? "";
    if (version === "") errors.push(invalid(`${at}.apiVersion`, "", "version must not be empty"));
    for (const field of ["kind", "name", "uid"] as const) {
      if ((reference[field] ?? "") === "") errors.push(invalid(`${at}.${field}`, "", "must not be empty"));
    }
    if (reference.controller !== true) continue;
    if (controller !== undefined) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${reference.name}`;
      errors.push(invalid(at, references, why));
    }
    controller ??= reference.name;
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const finalizer of finalizers) {
    for (const problem of qualifiedNameProblems(finalizer))
      errors.push(invalid("metadata.finalizers", finalizer, problem));
    if (!finalizer.includes("/") && !legacyFinalizers.has(finalizer)) {
      errors.push(
        invalid(
          "metadata.finalizers",
          finalizer,
          "name is neither a standard finalizer name nor is it fully qualified",
        ),
      );
    }
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(
      invalid("metadata.finalizers", finalizers, 'finalizers "orphan" and "foregroundDeletion" cannot be both set'),
    );
  }
  return errors;
}
