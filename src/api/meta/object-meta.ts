// The rules of metadata that hold for every kind (api-machinery 3.2), in upstream's words.

import { checkImmutable, checkName, checkNotNegative } from "./field-checks.ts";
import { child, type FieldError, forbidden, goQuote, index, invalid, required, tooLong } from "./field-errors.ts";
import { validateLabels } from "./label-selector.ts";
import { byteLength, dns1123LabelProblems, type NameCheck, qualifiedNameProblems } from "./names.ts";

/** Metadata before anyone has checked it: everything may be missing. */
export interface UncheckedMetadata {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly UncheckedOwnerReference[];
  readonly finalizers?: readonly string[];
}

export interface UncheckedOwnerReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly controller?: boolean;
}

/** How a kind names its objects. */
export interface NamingRules {
  readonly namespaced: boolean;
  readonly nameProblems: NameCheck;
}

/** All annotations of an object, keys and values, may have this many bytes together. */
export const annotationsLimitBytes = 256 * 1024;

/** What is wrong with the metadata of an object that is about to be stored. */
export function validateObjectMeta(
  metadata: UncheckedMetadata,
  { namespaced, nameProblems }: NamingRules,
): FieldError[] {
  const { name = "", generateName = "", namespace = "" } = metadata;
  const errors: FieldError[] = [];
  if (generateName !== "") {
    const problems = nameProblems(withoutTrailingDash(generateName));
    errors.push(...problems.map((problem) => invalid("metadata.generateName", generateName, problem)));
  }
  errors.push(
    ...(name === ""
      ? [required("metadata.name", "name or generateName is required")]
      : checkName("metadata.name", name, nameProblems)),
    ...validateNamespace(namespace, namespaced),
    ...checkNotNegative("metadata.generation", metadata.generation),
    ...validateLabels(metadata.labels, "metadata.labels"),
    ...validateAnnotations(metadata.annotations ?? {}, "metadata.annotations"),
    ...validateOwnerReferences(metadata.ownerReferences ?? [], "metadata.ownerReferences"),
    ...validateFinalizers(metadata.finalizers ?? [], "metadata.finalizers"),
  );
  return errors;
}

/**
 * What is wrong with a change of metadata, beside what {@link validateObjectMeta} says of the result. Upstream runs these checks twice, once for
 * every kind and once more in the kind's own, and lists their errors as often.
 */
export function validateObjectMetaUpdate(next: UncheckedMetadata, old: UncheckedMetadata): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter((finalizer) => !(old.finalizers ?? []).includes(finalizer));
    if (added.length > 0) {
      const found = [...new Set(added)].toSorted().map(goQuote).join(", ");
      const text = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${found}}`;
      errors.push(forbidden("metadata.finalizers", text));
    }
  }
  const generation = next.generation ?? 0;
  if (generation < (old.generation ?? 0)) {
    errors.push(invalid("metadata.generation", generation, "must not be decremented"));
  }
  for (const field of [
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
  ] as const) {
    errors.push(...checkImmutable(child("metadata", field), next[field], old[field]));
  }
  // These are checked here once more, too: an update with a bad label lists it three times.
  errors.push(
    ...validateLabels(next.labels, "metadata.labels"),
    ...validateAnnotations(next.annotations ?? {}, "metadata.annotations"),
    ...validateOwnerReferences(next.ownerReferences ?? [], "metadata.ownerReferences"),
  );
  return errors;
}

/** What is wrong with a map of annotations. Their keys are qualified names in which case does not matter. */
export function validateAnnotations(annotations: Readonly<Record<string, string>>, path: string): FieldError[] {
  const errors = Object.keys(annotations).flatMap((name) =>
    qualifiedNameProblems(name.toLowerCase()).map((problem) => invalid(path, name, problem)),
  );
  const size = Object.entries(annotations).reduce((sum, entry) => sum + byteLength(entry[0]) + byteLength(entry[1]), 0);
  return size > annotationsLimitBytes ? [...errors, tooLong(path, annotationsLimitBytes)] : errors;
}

/** What the generated part will end with is harmless, so a prefix may end where a name may not. */
function withoutTrailingDash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix;
}

function validateNamespace(namespace: string, namespaced: boolean): FieldError[] {
  const path = "metadata.namespace";
  if (!namespaced) return namespace === "" ? [] : [forbidden(path, "not allowed on this type")];
  return namespace === "" ? [required(path)] : checkName(path, namespace, dns1123LabelProblems);
}

/** Upstream names the list, not the reference. */
function validateOwnerReferences(references: readonly UncheckedOwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let first: string | undefined;
  for (const reference of references) {
    const { apiVersion = "", kind = "", name = "", controller } = reference;
    if (apiVersion === "") errors.push(invalid(child(path, "apiVersion"), "", "version must not be empty"));
    for (const field of ["kind", "name", "uid"] as const) {
      if ((reference[field] ?? "") === "") errors.push(invalid(child(path, field), "", "must not be empty"));
    }
    if (apiVersion === "v1" && kind === "Event") {
      errors.push(invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (controller !== true) continue;
    const current = `${kind}/${name}`;
    if (first === undefined) first = current;
    else {
      const text = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${current}`;
      errors.push(invalid(path, references, text));
    }
  }
  return errors;
}

const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((name) => checkName(path, name, qualifiedNameProblems));
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  finalizers.forEach((name, position) => {
    if (name.includes("/") || standardFinalizers.includes(name)) return;
    const text = "name is neither a standard finalizer name nor is it fully qualified";
    errors.push(invalid(index(path, position), name, text));
  });
  return errors;
}
