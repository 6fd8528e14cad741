// StorageClasses: where volumes come from, when, and what becomes of them (pod-lifecycle 14).

import type { Draft } from "../../draft.ts";
import type { StorageClass } from "../../generated/storage-v1.ts";
import { checkImmutable, checkOneOf, checkPresent } from "../../meta/field-checks.ts";
import {
  child,
  type FieldError,
  forbidden,
  index,
  invalid,
  required,
  tooLong,
  tooMany,
} from "../../meta/field-errors.ts";
import { sameJson } from "../../meta/json-object.ts";
import { validateLabelName } from "../../meta/label-selector.ts";
import { byteLength, labelValueProblems, qualifiedNameProblems } from "../../meta/names.ts";

/** Set to `true` on the class that claims without a class get. */
export const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";
const betaDefaultClassAnnotation = "storageclass.beta.kubernetes.io/is-default-class";

export function isDefaultClass({ metadata }: StorageClass): boolean {
  const { annotations = {} } = metadata;
  return annotations[defaultClassAnnotation] === "true" || annotations[betaDefaultClassAnnotation] === "true";
}

/** The class that claims without a class get: of several the newest, then the first by name. */
export function defaultClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
  const created = ({ metadata }: StorageClass): string => metadata.creationTimestamp ?? "";
  const before = (a: StorageClass, b: StorageClass): boolean =>
    created(a) === created(b) ? a.metadata.name < b.metadata.name : created(a) > created(b);
  return classes
    .filter(isDefaultClass)
    .reduce<StorageClass | undefined>(
      (best, next) => (best === undefined || before(next, best) ? next : best),
      undefined,
    );
}

export function defaultStorageClass(storageClass: Draft<StorageClass>): StorageClass {
  const { reclaimPolicy = "Delete", volumeBindingMode = "Immediate" } = storageClass;
  return { ...storageClass, reclaimPolicy, volumeBindingMode } as StorageClass;
}

export function validateStorageClass(storageClass: StorageClass): FieldError[] {
  const { provisioner, reclaimPolicy, volumeBindingMode } = storageClass;
  return [
    ...checkPresent("provisioner", provisioner),
    ...(provisioner === "" || provisioner === undefined
      ? []
      : qualifiedNameProblems(provisioner.toLowerCase()).map((problem) =>
          invalid("provisioner", provisioner, problem),
        )),
    ...validateParameters(storageClass.parameters ?? {}, "parameters"),
    ...checkOneOf("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]),
    ...checkOneOf("volumeBindingMode", volumeBindingMode, ["Immediate", "WaitForFirstConsumer"]),
    ...validateTopologies(storageClass.allowedTopologies ?? [], "allowedTopologies"),
  ];
}

export function validateStorageClassUpdate(next: StorageClass, old: StorageClass): FieldError[] {
  const errors = validateStorageClass(next);
  const same = (field: "parameters" | "provisioner" | "reclaimPolicy"): boolean =>
    sameJson(next[field] ?? {}, old[field] ?? {});
  for (const field of ["parameters", "provisioner", "reclaimPolicy"] as const) {
    if (!same(field)) errors.push(forbidden(field, `updates to ${field} are forbidden.`));
  }
  return [...errors, ...checkImmutable("volumeBindingMode", next.volumeBindingMode, old.volumeBindingMode)];
}

/** What is accepted and nothing follows from. */
export function storageClassWarnings({ mountOptions = [] }: StorageClass): string[] {
  if (mountOptions.length === 0) return [];
  return ["mountOptions: lifepod does not act on this: folders are mounted as they are"];
}

const mostParameters = 512;
const parametersLimitBytes = 256 * 1024;

function validateParameters(parameters: Readonly<Record<string, string>>, path: string): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > mostParameters) return [tooMany(path, entries.length, mostParameters)];
  const size = entries.reduce((sum, [name, value]) => sum + byteLength(name) + byteLength(value), 0);
  return [
    ...entries.flatMap(([name]) => (name === "" ? [invalid(path, name, "field can not be empty.")] : [])),
    ...(size > parametersLimitBytes ? [tooLong(path, parametersLimitBytes)] : []),
  ];
}

function validateTopologies(terms: NonNullable<StorageClass["allowedTopologies"]>, path: string): FieldError[] {
  return terms.flatMap(({ matchLabelExpressions = [] }, position) => {
    const at = child(index(path, position), "matchLabelExpressions");
    return matchLabelExpressions.flatMap(({ key, values }, place) => {
      const here = index(at, place);
      return [
        ...validateLabelName(key, child(here, "key")),
        ...(values.length === 0 ? [required(child(here, "values"))] : []),
        ...values.flatMap((value, nth) =>
          labelValueProblems(value).map((problem) => invalid(index(child(here, "values"), nth), value, problem)),
        ),
      ];
    });
  });
}
