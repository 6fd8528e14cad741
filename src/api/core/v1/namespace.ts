// Namespaces: their finalizers and their phase (api-machinery 3.11).

import type { Namespace } from "../../generated/core-v1.ts";
import { checkName } from "../../meta/field-checks.ts";
import { type FieldError, index, invalid } from "../../meta/field-errors.ts";
import { qualifiedNameProblems } from "../../meta/names.ts";

export function validateNamespace(namespace: Namespace): FieldError[] {
  return (namespace.spec.finalizers ?? []).flatMap((name) => validateFinalizer(name, "spec.finalizers"));
}

/** The phase follows from whether the namespace is being deleted. */
export function validateNamespaceStatusUpdate(next: Namespace): FieldError[] {
  const deleting = next.metadata.deletionTimestamp !== undefined;
  const { phase } = next.status;
  if (phase === (deleting ? "Terminating" : "Active")) return [];
  const text = deleting
    ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
    : "may only be 'Active' if `deletionTimestamp` is empty";
  return [invalid("status.Phase", phase, text)];
}

export function validateNamespaceFinalize(next: Namespace): FieldError[] {
  return (next.spec.finalizers ?? []).flatMap((name, position) =>
    validateFinalizer(name, index("spec.finalizers", position)),
  );
}

const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

function validateFinalizer(name: string, path: string): FieldError[] {
  const errors = checkName(path, name, qualifiedNameProblems);
  if (!name.includes("/") && !standardFinalizers.includes(name)) {
    errors.push(invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"));
  }
  return errors;
}
