// What keeps Pods alive: ReplicaSets, ReplicationControllers, Deployments, StatefulSets, DaemonSets (pod-lifecycle 2.8, 13).

import {
  defaultDaemonSet,
  templateGenerationAnnotation,
  validateDaemonSet,
  validateDaemonSetStatusUpdate,
  validateDaemonSetUpdate,
} from "../../api/apps/v1/daemon-set.ts";
import {
  defaultDeployment,
  validateDeployment,
  validateDeploymentStatusUpdate,
  validateDeploymentUpdate,
} from "../../api/apps/v1/deployment.ts";
import {
  defaultReplicaSet,
  validateReplicaSet,
  validateReplicaSetStatusUpdate,
  validateReplicaSetUpdate,
} from "../../api/apps/v1/replica-set.ts";
import {
  defaultStatefulSet,
  statefulSetWarnings,
  validateStatefulSet,
  validateStatefulSetStatusUpdate,
  validateStatefulSetUpdate,
} from "../../api/apps/v1/stateful-set.ts";
import { podTemplateWarnings } from "../../api/core/v1/pod-support.ts";
import {
  defaultReplicationController,
  validateReplicationController,
  validateReplicationControllerStatusUpdate,
} from "../../api/core/v1/replication-controller.ts";
import type { PodTemplateSpec } from "../../api/index.ts";
import type { FieldError } from "../../api/meta/field-errors.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { dns1123LabelProblems, dns1123SubdomainProblems, type NameCheck } from "../../api/meta/names.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { type ApiObject, objectAt, withField, withMetadata } from "./api-object.ts";
import { ordinaryStrategy, type Strategy, type UpdateStrategy } from "./strategy.ts";

/** What differs from one kind to the next. After decoding and defaulting the objects have the shape of `T`. */
interface WorkloadRules<T> {
  default(object: object): T;
  validate(object: T): readonly FieldError[];
  validateUpdate(next: T, old: T): readonly FieldError[];
  validateStatusUpdate(next: T, old: T): readonly FieldError[];
  /** The status of a new object, whatever the client sent. */
  readonly initialStatus: JsonObject;
  readonly generationCountsAnnotations?: true;
  /** A status write cannot change the labels. */
  readonly statusKeepsLabels?: true;
  /** The grammar of the name, where a name that makes no host name is refused and not only remarked. */
  readonly nameProblems?: NameCheck;
  /** A name that makes no host name is nothing to remark. */
  readonly namesAnything?: true;
  /** More to remark than the template's. */
  warnings?(object: T): readonly string[];
  /** What the server itself writes into the object. @param old undefined for a new one */
  complete?(next: ApiObject, old: ApiObject | undefined): ApiObject;
}

export const deploymentStrategy = workloadStrategy({
  default: defaultDeployment,
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  validateStatusUpdate: validateDeploymentStatusUpdate,
  initialStatus: {},
  generationCountsAnnotations: true,
  statusKeepsLabels: true,
});

export const replicaSetStrategy = workloadStrategy({
  default: defaultReplicaSet,
  validate: validateReplicaSet,
  validateUpdate: validateReplicaSetUpdate,
  validateStatusUpdate: validateReplicaSetStatusUpdate,
  initialStatus: { replicas: 0 },
});

/** Its name becomes part of its Pods' host names. */
export const statefulSetStrategy = workloadStrategy({
  default: defaultStatefulSet,
  validate: validateStatefulSet,
  validateUpdate: validateStatefulSetUpdate,
  validateStatusUpdate: validateStatefulSetStatusUpdate,
  warnings: statefulSetWarnings,
  initialStatus: { replicas: 0, availableReplicas: 0 },
  nameProblems: dns1123LabelProblems,
});

export const daemonSetStrategy = workloadStrategy({
  default: defaultDaemonSet,
  validate: validateDaemonSet,
  validateUpdate: validateDaemonSetUpdate,
  validateStatusUpdate: validateDaemonSetStatusUpdate,
  initialStatus: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  namesAnything: true,
  complete: withTemplateGeneration,
});

/** Deleted without further wishes it leaves its Pods behind, as it did before there were owner references. */
export const replicationControllerStrategy: Strategy = {
  ...workloadStrategy({
    default: defaultReplicationController,
    validate: validateReplicationController,
    validateUpdate: validateReplicationController,
    validateStatusUpdate: validateReplicationControllerStatusUpdate,
    initialStatus: { replicas: 0 },
  }),
  orphansDependents: true,
};

function workloadStrategy<T>(rules: WorkloadRules<T>): Strategy {
  const as = (object: ApiObject): T => object as unknown as T;
  const complete = (next: ApiObject, old: ApiObject | undefined): ApiObject => rules.complete?.(next, old) ?? next;
  const remarks = (object: ApiObject): readonly string[] => [
    ...templateWarnings(object),
    ...(rules.warnings?.(as(object)) ?? []),
  ];
  const update: UpdateStrategy = {
    prepare: (next, old) => complete(withField(next, "status", old["status"]), old),
    validate: (next, old) => rules.validateUpdate(as(next), as(old)),
    // Whoever does not touch the template has heard it before.
    warnings: (next, old) => (sameJson(next["spec"], old["spec"]) ? [] : remarks(next)),
    ...(rules.generationCountsAnnotations && { generationCountsAnnotations: true }),
  };
  const status: UpdateStrategy = {
    prepare(next, old) {
      const kept = complete(withField(next, "spec", old["spec"]), old);
      return rules.statusKeepsLabels ? withMetadata(kept, { labels: old.metadata.labels }) : kept;
    },
    validate: (next, old) => rules.validateStatusUpdate(as(next), as(old)),
  };
  return {
    ...ordinaryStrategy,
    nameProblems: rules.nameProblems ?? dns1123SubdomainProblems,
    default: (object) => rules.default(object) as ApiObject,
    validate: (object) => rules.validate(as(object)),
    warnings: (object) => [...(rules.namesAnything ? [] : nameWarnings(object)), ...remarks(object)],
    prepareForCreate: (object) => complete(withField(object, "status", rules.initialStatus), undefined),
    update,
    subresources: { status, scale: update },
  };
}

/** What to remark about a name that becomes part of Pods' names and hosts. */
export function nameWarnings({ metadata }: ApiObject): string[] {
  const problems = dns1123LabelProblems(metadata.name ?? "");
  if (problems.length === 0) return [];
  const text =
    "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: ${text}: [${problems.join(" ")}]`];
}

/** The number of the template: one, and one more with each change of it, whatever clients say. */
function withTemplateGeneration(next: ApiObject, old: ApiObject | undefined): ApiObject {
  const before = Number(old?.metadata.annotations?.[templateGenerationAnnotation] ?? "0");
  const templateOf = (object: ApiObject): unknown => objectAt(object, "spec")["template"];
  const isChanged = old === undefined || !sameJson(templateOf(next), templateOf(old));
  const annotations = {
    ...next.metadata.annotations,
    [templateGenerationAnnotation]: String(isChanged ? before + 1 : before),
  };
  return withMetadata(next, { annotations });
}

function templateWarnings(object: ApiObject): string[] {
  return podTemplateWarnings(
    objectAt(objectAt(object, "spec"), "template") as unknown as PodTemplateSpec,
    "spec.template",
  );
}
