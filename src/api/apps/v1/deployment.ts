// Deployments: defaults and validation (pod-lifecycle 13.3).

import { defaultPodTemplate } from "../../core/v1/default-pod.ts";
import { validateReplicaTemplate } from "../../core/v1/pod-template.ts";
import type { Draft } from "../../draft.ts";
import type {
  Deployment,
  DeploymentSpec,
  DeploymentStatus,
  DeploymentStrategy,
  RollingUpdateDeployment,
} from "../../generated/apps-v1.ts";
import { amountOf, checkAtMostAll, validateAmount } from "../../meta/amounts.ts";
import { checkImmutable, checkNotNegative } from "../../meta/field-checks.ts";
import { child, type FieldError, forbidden, invalid, notSupported, required } from "../../meta/field-errors.ts";
import { validateWorkloadSelector } from "./workload-selector.ts";

/** The Deployment with every default; applying it again changes nothing. */
export function defaultDeployment(deployment: Draft<Deployment>): Deployment {
  const spec = deployment.spec ?? {};
  return {
    ...deployment,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      template: defaultPodTemplate(spec.template ?? {}),
      strategy: defaultStrategy(spec.strategy ?? {}),
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
      progressDeadlineSeconds: spec.progressDeadlineSeconds ?? 600,
    },
  } as Deployment;
}

export function validateDeployment({ spec }: Deployment): FieldError[] {
  return validateSpec(spec, "spec");
}

export function validateDeploymentUpdate(next: Deployment, old: Deployment): FieldError[] {
  return [
    ...validateSpec(next.spec, "spec"),
    ...checkImmutable("spec.selector", next.spec.selector, old.spec.selector),
  ];
}

export function validateDeploymentStatusUpdate({ status: next }: Deployment, { status: old }: Deployment) {
  const errors = validateStatus(next, "status");
  if ((next.collisionCount ?? 0) < (old.collisionCount ?? 0)) {
    errors.push(invalid("status.collisionCount", next.collisionCount ?? 0, "cannot be decremented"));
  }
  return errors;
}

function defaultStrategy(strategy: Draft<DeploymentStrategy>): Draft<DeploymentStrategy> {
  const type = strategy.type || "RollingUpdate";
  if (type !== "RollingUpdate") return { ...strategy, type };
  const { maxSurge = "25%", maxUnavailable = "25%" } = strategy.rollingUpdate ?? {};
  return { ...strategy, type, rollingUpdate: { ...strategy.rollingUpdate, maxSurge, maxUnavailable } };
}

function validateSpec(spec: DeploymentSpec, path: string): FieldError[] {
  const { errors, usable } = validateWorkloadSelector(spec.selector, child(path, "selector"));
  const { minReadySeconds = 0, progressDeadlineSeconds } = spec;
  const deadlinePath = child(path, "progressDeadlineSeconds");
  return [
    ...checkNotNegative(child(path, "replicas"), spec.replicas),
    ...errors,
    ...(usable === undefined
      ? []
      : validateReplicaTemplate(spec.template, { kind: "ReplicaSet", ...usable }, child(path, "template"))),
    ...validateStrategy(spec.strategy, child(path, "strategy")),
    ...checkNotNegative(child(path, "minReadySeconds"), minReadySeconds),
    ...checkNotNegative(child(path, "revisionHistoryLimit"), spec.revisionHistoryLimit),
    ...checkNotNegative(deadlinePath, progressDeadlineSeconds),
    ...(progressDeadlineSeconds <= minReadySeconds
      ? [invalid(deadlinePath, progressDeadlineSeconds, "must be greater than minReadySeconds")]
      : []),
  ];
}

function validateStrategy(strategy: DeploymentStrategy, path: string): FieldError[] {
  const at = child(path, "rollingUpdate");
  const { rollingUpdate } = strategy;
  switch (strategy.type) {
    case "Recreate":
      if (rollingUpdate === undefined) return [];
      return [forbidden(at, "may not be specified when strategy `type` is 'Recreate'")];
    case "RollingUpdate":
      if (rollingUpdate === undefined) return [required(at, "this should be defaulted and never be nil")];
      return validateRollingUpdate(rollingUpdate, at);
    default:
      return [notSupported(path, shownStrategy(strategy), ["Recreate", "RollingUpdate"])];
  }
}

/** Upstream shows its internal form. */
const shownStrategy = ({ type, rollingUpdate }: DeploymentStrategy): object => ({
  Type: type,
  RollingUpdate:
    rollingUpdate === undefined
      ? null
      : { MaxUnavailable: rollingUpdate.maxUnavailable ?? 0, MaxSurge: rollingUpdate.maxSurge ?? 0 },
});

function validateRollingUpdate(rollingUpdate: RollingUpdateDeployment, path: string): FieldError[] {
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const unavailablePath = child(path, "maxUnavailable");
  const errors = [
    ...validateAmount(maxUnavailable, unavailablePath),
    ...validateAmount(maxSurge, child(path, "maxSurge")),
  ];
  if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
    errors.push(invalid(unavailablePath, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
  }
  return [...errors, ...checkAtMostAll(maxUnavailable, unavailablePath)];
}

function validateStatus(status: DeploymentStatus, path: string): FieldError[] {
  const counts = [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
  ] as const;
  const errors = counts.flatMap((field) => checkNotNegative(child(path, field), status[field]));
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of ["updatedReplicas", "readyReplicas", "availableReplicas"] as const) {
    const count = status[field] ?? 0;
    if (count > replicas) errors.push(invalid(child(path, field), count, "cannot be greater than status.replicas"));
  }
  if (availableReplicas > readyReplicas) {
    const text = "cannot be greater than readyReplicas";
    errors.push(invalid(child(path, "availableReplicas"), availableReplicas, text));
  }
  return errors;
}
