// StatefulSets: defaults and validation (pod-lifecycle 13.4).

import { defaultPodTemplate } from "../../core/v1/default-pod.ts";
import { podSupport } from "../../core/v1/pod-support-table.ts";
import { validateReplicaTemplate } from "../../core/v1/pod-template.ts";
import type { Draft } from "../../draft.ts";
import type {
  RollingUpdateStatefulSetStrategy,
  StatefulSet,
  StatefulSetPersistentVolumeClaimRetentionPolicy,
  StatefulSetSpec,
  StatefulSetStatus,
  StatefulSetUpdateStrategy,
} from "../../generated/apps-v1.ts";
import type { PersistentVolumeClaim, PodTemplateSpec } from "../../generated/core-v1.ts";
import { amountOf, checkAtMostAll, validateAmount } from "../../meta/amounts.ts";
import { checkName, checkNotNegative } from "../../meta/field-checks.ts";
import { child, type FieldError, forbidden, invalid, notSupported } from "../../meta/field-errors.ts";
import { sameJson } from "../../meta/json-object.ts";
import { dns1123LabelProblems } from "../../meta/names.ts";
import { validateWorkloadSelector } from "./workload-selector.ts";

/** The StatefulSet with every default; applying it again changes nothing. */
export function defaultStatefulSet(statefulSet: Draft<StatefulSet>): StatefulSet {
  const spec = statefulSet.spec ?? {};
  const { whenDeleted = "Retain", whenScaled = "Retain" } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  return {
    ...statefulSet,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      podManagementPolicy: spec.podManagementPolicy || "OrderedReady",
      updateStrategy: defaultStrategy(spec.updateStrategy ?? {}),
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
      template: defaultPodTemplate(spec.template ?? {}),
      ...(spec.volumeClaimTemplates && { volumeClaimTemplates: spec.volumeClaimTemplates.map(defaultClaimTemplate) }),
    },
  } as StatefulSet;
}

export function validateStatefulSet({ spec }: StatefulSet): FieldError[] {
  return validateSpec(spec, "spec");
}

export function validateStatefulSetUpdate(next: StatefulSet, old: StatefulSet): FieldError[] {
  const errors = validateSpec(next.spec, "spec");
  if (!sameJson(unchangeable(next.spec), unchangeable(old.spec))) {
    const text =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    errors.push(forbidden("spec", text));
  }
  return errors;
}

export function validateStatefulSetStatusUpdate({ status: next }: StatefulSet, { status: old }: StatefulSet) {
  const errors = validateStatus(next, "status");
  if ((next.collisionCount ?? 0) < (old.collisionCount ?? 0)) {
    errors.push(invalid("status.collisionCount", next.collisionCount ?? 0, "cannot be decremented"));
  }
  return errors;
}

/** What is accepted and not acted on, and what upstream remarks. */
export function statefulSetWarnings({ spec }: StatefulSet): string[] {
  const warnings: string[] = [];
  if (spec.updateStrategy.rollingUpdate?.maxUnavailable !== undefined) {
    const why = "the feature gate MaxUnavailableStatefulSet is off";
    warnings.push(`spec.updateStrategy.rollingUpdate.maxUnavailable: lifepod does not act on this: ${why}`);
  }
  if (spec.revisionHistoryLimit < 0) {
    warnings.push("spec.revisionHistoryLimit: a negative value retains all historical revisions");
  }
  return warnings;
}

function defaultStrategy(strategy: Draft<StatefulSetUpdateStrategy>): Draft<StatefulSetUpdateStrategy> {
  const type = strategy.type || "RollingUpdate";
  if (type !== "RollingUpdate") return { ...strategy, type };
  const { partition = 0 } = strategy.rollingUpdate ?? {};
  return { ...strategy, type, rollingUpdate: { ...strategy.rollingUpdate, partition } };
}

function defaultClaimTemplate(claim: Draft<PersistentVolumeClaim>): Draft<PersistentVolumeClaim> {
  return {
    ...claim,
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    spec: { ...claim.spec, volumeMode: claim.spec?.volumeMode ?? "Filesystem" },
    status: { ...claim.status, phase: claim.status?.phase ?? "Pending" },
  };
}

function validateSpec(spec: StatefulSetSpec, path: string): FieldError[] {
  const { errors, usable } = validateWorkloadSelector(spec.selector, child(path, "selector"), "statefulset");
  const { podManagementPolicy, persistentVolumeClaimRetentionPolicy, volumeClaimTemplates = [] } = spec;
  const policies: readonly string[] = ["OrderedReady", "Parallel"];
  return [
    ...(policies.includes(podManagementPolicy)
      ? []
      : [invalid(child(path, "podManagementPolicy"), podManagementPolicy, "must be 'OrderedReady' or 'Parallel'")]),
    ...validateStrategy(spec.updateStrategy, child(path, "updateStrategy")),
    ...validateRetention(
      persistentVolumeClaimRetentionPolicy ?? {},
      child(path, "persistentVolumeClaimRetentionPolicy"),
    ),
    ...checkNotNegative(child(path, "replicas"), spec.replicas),
    ...checkNotNegative(child(path, "minReadySeconds"), spec.minReadySeconds),
    ...checkNotNegative(child(path, "ordinals", "start"), spec.ordinals?.start),
    ...errors,
    ...(usable === undefined
      ? []
      : validateReplicaTemplate(
          withClaimVolumes(spec.template, volumeClaimTemplates),
          { kind: "StatefulSet", ...usable },
          child(path, "template"),
        )),
    ...(spec.serviceName === undefined || spec.serviceName === ""
      ? []
      : checkName(child(path, "serviceName"), spec.serviceName, dns1123LabelProblems)),
    ...refusedClaims(volumeClaimTemplates, child(path, "volumeClaimTemplates")),
  ];
}

/** Containers may mount what the claims will become; which kind of volume that is does not matter here. */
function withClaimVolumes(template: PodTemplateSpec, claims: readonly PersistentVolumeClaim[]): PodTemplateSpec {
  if (claims.length === 0) return template;
  const names = new Set(claims.map(({ metadata }) => metadata.name));
  const others = (template.spec.volumes ?? []).filter(({ name }) => !names.has(name));
  const volumes = [...[...names].map((name) => ({ name, emptyDir: {} })), ...others];
  return { ...template, spec: { ...template.spec, volumes } };
}

/** As long as Pods are refused that use claims, so is what would make them. */
function refusedClaims(claims: readonly PersistentVolumeClaim[], path: string): FieldError[] {
  if (claims.length === 0) return [];
  const rules = podSupport["core/v1 Volume"]?.["persistentVolumeClaim"] ?? [];
  return rules.flatMap((rule) => (rule.kind === "refused" ? [forbidden(path, rule.why)] : []));
}

function validateStrategy(strategy: StatefulSetUpdateStrategy, path: string): FieldError[] {
  const { type, rollingUpdate } = strategy;
  const at = child(path, "rollingUpdate");
  switch (type) {
    case "OnDelete":
      if (rollingUpdate === undefined) return [];
      return [invalid(at, shownUpdate(rollingUpdate), "only allowed for updateStrategy 'RollingUpdate'")];
    case "RollingUpdate":
      return rollingUpdate === undefined ? [] : validateRollingUpdate(rollingUpdate, at);
    default:
      return [
        invalid(
          path,
          { Type: type, RollingUpdate: shownUpdate(rollingUpdate) },
          "must be 'RollingUpdate' or 'OnDelete'",
        ),
      ];
  }
}

/** Upstream shows its internal form. */
const shownUpdate = (rollingUpdate: RollingUpdateStatefulSetStrategy | undefined): object | null =>
  rollingUpdate === undefined
    ? null
    : { Partition: rollingUpdate.partition ?? 0, MaxUnavailable: rollingUpdate.maxUnavailable ?? null };

function validateRollingUpdate(
  { partition, maxUnavailable }: RollingUpdateStatefulSetStrategy,
  path: string,
): FieldError[] {
  const errors = checkNotNegative(child(path, "partition"), partition);
  if (maxUnavailable === undefined) return errors;
  const at = child(path, "maxUnavailable");
  errors.push(...validateAmount(maxUnavailable, at));
  if (amountOf(maxUnavailable) === 0) errors.push(invalid(at, maxUnavailable, "cannot be 0"));
  return [...errors, ...checkAtMostAll(maxUnavailable, at)];
}

function validateRetention(policy: StatefulSetPersistentVolumeClaimRetentionPolicy, path: string): FieldError[] {
  return (["whenDeleted", "whenScaled"] as const).flatMap((field) => {
    const value = policy[field] ?? "";
    return value === "Retain" || value === "Delete"
      ? []
      : [notSupported(child(path, field), value, ["Retain", "Delete"])];
  });
}

/** What makes a StatefulSet the one that it is: selector, Service, claims, order. */
function unchangeable(spec: StatefulSetSpec): object {
  const {
    replicas: _replicas,
    ordinals: _ordinals,
    template: _template,
    updateStrategy: _strategy,
    revisionHistoryLimit: _limit,
    persistentVolumeClaimRetentionPolicy: _retention,
    minReadySeconds: _seconds,
    ...rest
  } = spec;
  return rest;
}

function validateStatus(status: StatefulSetStatus, path: string): FieldError[] {
  const errors = (
    [
      "replicas",
      "readyReplicas",
      "currentReplicas",
      "updatedReplicas",
      "availableReplicas",
      "observedGeneration",
      "collisionCount",
    ] as const
  ).flatMap((field) => checkNotNegative(child(path, field), status[field]));
  const { replicas, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"] as const) {
    const count = status[field] ?? 0;
    if (count > replicas) errors.push(invalid(child(path, field), count, "cannot be greater than status.replicas"));
  }
  if (availableReplicas > readyReplicas) {
    const text = "cannot be greater than status.readyReplicas";
    errors.push(invalid(child(path, "availableReplicas"), availableReplicas, text));
  }
  return errors;
}
