// ReplicaSets: defaults and validation (pod-lifecycle 13.2).

import { defaultPodTemplate } from "../../core/v1/default-pod.ts";
import { validateReplicaTemplate } from "../../core/v1/pod-template.ts";
import type { Draft } from "../../draft.ts";
import type { ReplicaSet, ReplicaSetSpec, ReplicaSetStatus } from "../../generated/apps-v1.ts";
import { checkImmutable, checkNotNegative } from "../../meta/field-checks.ts";
import { child, type FieldError, invalid } from "../../meta/field-errors.ts";
import { validateWorkloadSelector } from "./workload-selector.ts";

/** The ReplicaSet with every default; applying it again changes nothing. */
export function defaultReplicaSet(replicaSet: Draft<ReplicaSet>): ReplicaSet {
  const spec = replicaSet.spec ?? {};
  return {
    ...replicaSet,
    spec: { ...spec, replicas: spec.replicas ?? 1, template: defaultPodTemplate(spec.template ?? {}) },
  } as ReplicaSet;
}

export function validateReplicaSet({ spec }: ReplicaSet): FieldError[] {
  return validateSpec(spec, "spec");
}

export function validateReplicaSetUpdate(next: ReplicaSet, old: ReplicaSet): FieldError[] {
  return [
    ...validateSpec(next.spec, "spec"),
    ...checkImmutable("spec.selector", next.spec.selector, old.spec.selector),
  ];
}

export function validateReplicaSetStatusUpdate({ status }: ReplicaSet): FieldError[] {
  return validateReplicaCounts(status, "status");
}

/** The counts that ReplicaSets and ReplicationControllers report: none negative, none larger than what contains it. */
export function validateReplicaCounts(status: ReplicaSetStatus, path: string): FieldError[] {
  const errors = (
    ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"] as const
  ).flatMap((field) => checkNotNegative(child(path, field), status[field]));
  const { replicas, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"] as const) {
    const count = status[field] ?? 0;
    if (count > replicas) errors.push(invalid(child(path, field), count, "cannot be greater than status.replicas"));
  }
  if (availableReplicas > readyReplicas) {
    const text = "cannot be greater than readyReplicas";
    errors.push(invalid(child(path, "availableReplicas"), availableReplicas, text));
  }
  return errors;
}

function validateSpec(spec: ReplicaSetSpec, path: string): FieldError[] {
  const { errors, usable } = validateWorkloadSelector(spec.selector, child(path, "selector"));
  return [
    ...checkNotNegative(child(path, "replicas"), spec.replicas),
    ...checkNotNegative(child(path, "minReadySeconds"), spec.minReadySeconds),
    ...errors,
    ...(usable === undefined
      ? []
      : validateReplicaTemplate(spec.template, { kind: "ReplicaSet", ...usable }, child(path, "template"))),
  ];
}
