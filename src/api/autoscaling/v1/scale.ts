// Scales: one shape for everything that has replicas (api-machinery 3.10).

import type { Deployment, ReplicaSet } from "../../generated/apps-v1.ts";
import type { Scale } from "../../generated/autoscaling-v1.ts";
import type { ReplicationController } from "../../generated/core-v1.ts";
import { checkNotNegative } from "../../meta/field-checks.ts";
import type { FieldError } from "../../meta/field-errors.ts";
import { formatLabelSelector, requirementsOf } from "../../meta/label-selector.ts";

/** What has replicas and a selector for them. */
export type Scalable = Deployment | ReplicaSet | ReplicationController;

/** The scale of an object; it stands for the object itself, so name, uid and version are the object's. */
export function scaleOf(object: Scalable): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector =
    object.kind === "ReplicationController" ? { matchLabels: object.spec.selector } : object.spec.selector;
  const text = formatLabelSelector(requirementsOf(selector) ?? []);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: object.spec.replicas === 0 ? {} : { replicas: object.spec.replicas },
    status: { replicas: object.status.replicas ?? 0, ...(text === "" ? {} : { selector: text }) },
  };
}

export function validateScale({ spec }: Scale): FieldError[] {
  return checkNotNegative("spec.replicas", spec.replicas);
}
