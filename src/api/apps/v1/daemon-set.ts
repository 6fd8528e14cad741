// DaemonSets: defaults and validation (pod-lifecycle 13.7).

import { defaultPodTemplate } from "../../core/v1/default-pod.ts";
import { validateReplicaTemplate } from "../../core/v1/pod-template.ts";
import type { Draft } from "../../draft.ts";
import type { DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy } from "../../generated/apps-v1.ts";
import { amountOf, checkAtMostAll, validateAmount } from "../../meta/amounts.ts";
import { checkImmutable, checkNotNegative } from "../../meta/field-checks.ts";
import { child, type FieldError, invalid, notSupported, required } from "../../meta/field-errors.ts";
import { validateWorkloadSelector } from "./workload-selector.ts";

/** Counts the changes of the template, for clients of before there were ControllerRevisions. */
export const templateGenerationAnnotation = "deprecated.daemonset.template.generation";

/** The DaemonSet with every default; applying it again changes nothing. */
export function defaultDaemonSet(daemonSet: Draft<DaemonSet>): DaemonSet {
  const spec = daemonSet.spec ?? {};
  return {
    ...daemonSet,
    spec: {
      ...spec,
      template: defaultPodTemplate(spec.template ?? {}),
      updateStrategy: defaultStrategy(spec.updateStrategy ?? {}),
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
    },
  } as DaemonSet;
}

export function validateDaemonSet({ spec }: DaemonSet): FieldError[] {
  return validateSpec(spec, "spec");
}

export function validateDaemonSetUpdate(next: DaemonSet, old: DaemonSet): FieldError[] {
  return [
    ...validateSpec(next.spec, "spec"),
    ...checkImmutable("spec.selector", next.spec.selector, old.spec.selector),
  ];
}

export function validateDaemonSetStatusUpdate({ status: next }: DaemonSet, { status: old }: DaemonSet): FieldError[] {
  const errors = validateStatus(next, "status");
  if ((next.collisionCount ?? 0) < (old.collisionCount ?? 0)) {
    errors.push(invalid("status.collisionCount", next.collisionCount ?? 0, "cannot be decremented"));
  }
  return errors;
}

function defaultStrategy(strategy: Draft<DaemonSetUpdateStrategy>): Draft<DaemonSetUpdateStrategy> {
  const type = strategy.type || "RollingUpdate";
  if (type !== "RollingUpdate") return { ...strategy, type };
  const { maxSurge = 0, maxUnavailable = 1 } = strategy.rollingUpdate ?? {};
  return { ...strategy, type, rollingUpdate: { ...strategy.rollingUpdate, maxSurge, maxUnavailable } };
}

function validateSpec(spec: DaemonSetSpec, path: string): FieldError[] {
  const { errors, usable } = validateWorkloadSelector(spec.selector, child(path, "selector"), "daemonset");
  return [
    ...errors,
    ...(usable === undefined
      ? []
      : validateReplicaTemplate(spec.template, { kind: "DaemonSet", ...usable }, child(path, "template"))),
    ...checkNotNegative(child(path, "minReadySeconds"), spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy, child(path, "updateStrategy")),
    ...checkNotNegative(child(path, "revisionHistoryLimit"), spec.revisionHistoryLimit),
  ];
}

function validateStrategy({ type, rollingUpdate }: DaemonSetUpdateStrategy, path: string): FieldError[] {
  const at = child(path, "rollingUpdate");
  switch (type) {
    case "OnDelete":
      return [];
    case "RollingUpdate":
      return rollingUpdate === undefined ? [required(at)] : validateRollingUpdate(rollingUpdate, at);
    default:
      return [notSupported(path, shownStrategy({ type, rollingUpdate }), ["RollingUpdate", "OnDelete"])];
  }
}

/** Upstream shows its internal form. */
const shownStrategy = ({
  type,
  rollingUpdate,
}: Pick<DaemonSetUpdateStrategy, "type"> & ShownRollingUpdate): object => ({
  Type: type,
  RollingUpdate:
    rollingUpdate === undefined
      ? null
      : { MaxUnavailable: rollingUpdate.maxUnavailable ?? 0, MaxSurge: rollingUpdate.maxSurge ?? 0 },
});

interface ShownRollingUpdate {
  readonly rollingUpdate: DaemonSetUpdateStrategy["rollingUpdate"] | undefined;
}

/** Either some may be missing or some may be more, not both. */
function validateRollingUpdate(
  { maxUnavailable = 0, maxSurge = 0 }: NonNullable<DaemonSetUpdateStrategy["rollingUpdate"]>,
  path: string,
): FieldError[] {
  const unavailablePath = child(path, "maxUnavailable");
  const surgePath = child(path, "maxSurge");
  const errors = [
    ...validateAmount(maxUnavailable, unavailablePath),
    ...validateAmount(maxSurge, surgePath),
    ...checkAtMostAll(maxUnavailable, unavailablePath),
    ...checkAtMostAll(maxSurge, surgePath),
  ];
  const [hasUnavailable, hasSurge] = [amountOf(maxUnavailable) !== 0, amountOf(maxSurge) !== 0];
  if (hasUnavailable && hasSurge) {
    errors.push(invalid(surgePath, maxSurge, "may not be set when maxUnavailable is non-zero"));
  }
  if (!hasUnavailable && !hasSurge) errors.push(required(unavailablePath, "cannot be 0 when maxSurge is 0"));
  return errors;
}

function validateStatus(status: DaemonSetStatus, path: string): FieldError[] {
  return (
    [
      "currentNumberScheduled",
      "numberMisscheduled",
      "desiredNumberScheduled",
      "numberReady",
      "observedGeneration",
      "updatedNumberScheduled",
      "numberAvailable",
      "numberUnavailable",
      "collisionCount",
    ] as const
  ).flatMap((field) => checkNotNegative(child(path, field), status[field]));
}
