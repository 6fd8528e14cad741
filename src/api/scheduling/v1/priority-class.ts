// PriorityClasses: the two that every cluster has, defaults and validation (pod-lifecycle 11.5).

import type { Draft } from "../../draft.ts";
import type { PriorityClass } from "../../generated/scheduling-v1.ts";
import { checkImmutable, checkRequiredOneOf } from "../../meta/field-checks.ts";
import { type FieldError, forbidden } from "../../meta/field-errors.ts";

/** Above this only the system's own Pods stand. */
export const highestUserPriority = 1_000_000_000;

const reservedPrefix = "system-";

/** The classes that are there from the start and cannot be deleted. */
export const systemPriorityClasses: readonly (Draft<PriorityClass> & {
  readonly metadata: { readonly name: string };
  readonly value: number;
})[] = [
  {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "system-node-critical" },
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "system-cluster-critical" },
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
];

/** Whether it is one of those that are there from the start. */
export function isSystemPriorityClass(name: string): boolean {
  return systemPriorityClasses.some(({ metadata }) => metadata.name === name);
}

/** The PriorityClass with every default; applying it again changes nothing. */
export function defaultPriorityClass(priorityClass: Draft<PriorityClass>): PriorityClass {
  const { value = 0, preemptionPolicy = "PreemptLowerPriority" } = priorityClass;
  return { ...priorityClass, value, preemptionPolicy } as PriorityClass;
}

export function validatePriorityClass(priorityClass: PriorityClass): FieldError[] {
  const { value, preemptionPolicy } = priorityClass;
  return [
    ...reservedNameErrors(priorityClass),
    ...(value > highestUserPriority && !priorityClass.metadata.name.startsWith(reservedPrefix)
      ? [forbidden("value", `maximum allowed value of a user defined priority is ${highestUserPriority}`)]
      : []),
    ...checkRequiredOneOf("preemptionPolicy", preemptionPolicy, ["PreemptLowerPriority", "Never"]),
  ];
}

/** Pods keep the number that they got, so a class keeps it, too. */
export function validatePriorityClassUpdate(next: PriorityClass, old: PriorityClass): FieldError[] {
  return [
    ...(next.value === old.value ? [] : [forbidden("value", "may not be changed in an update.")]),
    ...checkImmutable("preemptionPolicy", next.preemptionPolicy, old.preemptionPolicy),
  ];
}

function reservedNameErrors({ metadata, value, globalDefault = false }: PriorityClass): FieldError[] {
  const { name } = metadata;
  if (!name.startsWith(reservedPrefix)) return [];
  const known = systemPriorityClasses.find((each) => each.metadata.name === name);
  const why =
    known === undefined
      ? `${name} is not a known system priority class`
      : known.value !== value
        ? `value of ${name} PriorityClass must be ${known.value}`
        : globalDefault
          ? `globalDefault of ${name} PriorityClass must be false`
          : undefined;
  if (why === undefined) return [];
  const text = `priority class names with '${reservedPrefix}' prefix are reserved for system use only. error: ${why}`;
  return [forbidden("metadata.name", text)];
}
