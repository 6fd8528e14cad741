// ReplicationControllers: the elder form of ReplicaSets, with a selector that is a plain map (pod-lifecycle 13.2).

import { validateReplicaCounts } from "../../apps/v1/replica-set.ts";
import type { Draft } from "../../draft.ts";
import type { ReplicationController, ReplicationControllerSpec } from "../../generated/core-v1.ts";
import { checkNotNegative } from "../../meta/field-checks.ts";
import { child, type FieldError, required } from "../../meta/field-errors.ts";
import { requirementsOf } from "../../meta/label-selector.ts";
import { defaultPodTemplate } from "./default-pod.ts";
import { validateReplicaTemplate } from "./pod-template.ts";

/** With every default: what says nothing of its own takes selector and labels from the template. */
export function defaultReplicationController(controller: Draft<ReplicationController>): ReplicationController {
  const { metadata, spec = {} } = controller;
  const labels = spec.template?.metadata?.labels;
  const inherits = <T extends object>(own: T | undefined): boolean =>
    labels !== undefined && Object.keys(own ?? {}).length === 0;
  return {
    ...controller,
    metadata: { ...metadata, ...(inherits(metadata?.labels) ? { labels } : {}) },
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      selector: inherits(spec.selector) ? labels : (spec.selector ?? {}),
      template: defaultPodTemplate(spec.template ?? {}),
    },
  } as ReplicationController;
}

export function validateReplicationController({ spec }: ReplicationController): FieldError[] {
  return validateSpec(spec, "spec");
}

export function validateReplicationControllerStatusUpdate({ status }: ReplicationController): FieldError[] {
  return validateReplicaCounts(status, "status");
}

function validateSpec(spec: ReplicationControllerSpec, path: string): FieldError[] {
  const requirements = requirementsOf({ matchLabels: spec.selector });
  const isEmpty = Object.keys(spec.selector).length === 0;
  const owner = { kind: "ReplicationController", requirements };
  return [
    ...checkNotNegative(child(path, "minReadySeconds"), spec.minReadySeconds),
    ...(isEmpty ? [required(child(path, "selector"))] : []),
    ...checkNotNegative(child(path, "replicas"), spec.replicas),
    ...validateReplicaTemplate(spec.template, owner, child(path, "template")),
  ];
}
