// What keeps Pods alive: ReplicaSets, ReplicationControllers, Deployments (pod-lifecycle 2.8, 13).

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
import { podTemplateWarnings } from "../../api/core/v1/pod-support.ts";
import {
  defaultReplicationController,
  validateReplicationController,
  validateReplicationControllerStatusUpdate,
} from "../../api/core/v1/replication-controller.ts";
import type { PodTemplateSpec } from "../../api/index.ts";
import type { FieldError } from "../../api/meta/field-errors.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { dns1123LabelProblems, dns1123SubdomainProblems } from "../../api/meta/names.ts";
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
  const update: UpdateStrategy = {
    prepare: (next, old) => withField(next, "status", old["status"]),
    validate: (next, old) => rules.validateUpdate(as(next), as(old)),
    // Whoever does not touch the template has heard it before.
    warnings: (next, old) => (sameJson(next["spec"], old["spec"]) ? [] : templateWarnings(next)),
    ...(rules.generationCountsAnnotations && { generationCountsAnnotations: true }),
  };
  const status: UpdateStrategy = {
    prepare(next, old) {
      const kept = withField(next, "spec", old["spec"]);
      return rules.statusKeepsLabels ? withMetadata(kept, { labels: old.metadata.labels }) : kept;
    },
    validate: (next, old) => rules.validateStatusUpdate(as(next), as(old)),
  };
  return {
    ...ordinaryStrategy,
    nameProblems: dns1123SubdomainProblems,
    default: (object) => rules.default(object) as ApiObject,
    validate: (object) => rules.validate(as(object)),
    warnings: (object) => [...nameWarnings(object), ...templateWarnings(object)],
    prepareForCreate: (object) => withField(object, "status", rules.initialStatus),
    update,
    subresources: { status, scale: update },
  };
}

function nameWarnings({ metadata }: ApiObject): string[] {
  const problems = dns1123LabelProblems(metadata.name ?? "");
  if (problems.length === 0) return [];
  const text =
    "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: ${text}: [${problems.join(" ")}]`];
}

function templateWarnings(object: ApiObject): string[] {
  return podTemplateWarnings(
    objectAt(objectAt(object, "spec"), "template") as unknown as PodTemplateSpec,
    "spec.template",
  );
}
