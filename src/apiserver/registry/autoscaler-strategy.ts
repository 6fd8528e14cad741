// HorizontalPodAutoscalers: stored as version 2, served as both versions.

import { fromAutoscalerV1, toAutoscalerV1 } from "../../api/autoscaling/v1/horizontal-pod-autoscaler.ts";
import {
  defaultHorizontalPodAutoscaler,
  validateHorizontalPodAutoscaler,
} from "../../api/autoscaling/v2/horizontal-pod-autoscaler.ts";
import type { FieldError } from "../../api/meta/field-errors.ts";
import { checkNotNegative } from "../../api/meta/field-checks.ts";
import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import { type ApiObject, objectAt, withField } from "./api-object.ts";
import type { VersionConversion } from "./resource-definition.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";

/** After decoding and defaulting, the objects of a resource have the shape of their type. */
const as = <T>(object: ApiObject): T => object as unknown as T;

export const autoscalerStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  default: (object) => defaultHorizontalPodAutoscaler(as(object)) as unknown as ApiObject,
  prepareForCreate: (object) => withField(object, "status", { currentReplicas: 0, desiredReplicas: 0 }),
  validate: (object) => validateHorizontalPodAutoscaler(as(object)),
  update: {
    prepare: (next, old) => withField(next, "status", old["status"]),
    validate: (next) => validateHorizontalPodAutoscaler(as(next)),
  },
  subresources: {
    status: { prepare: (next, old) => withField(next, "spec", old["spec"]), validate: validateStatus },
  },
};

export const autoscalerConversion: VersionConversion = {
  apiVersion: "autoscaling/v1",
  fromStorage: (object) => toAutoscalerV1(as(object)) as unknown as ApiObject,
  toStorage: (object) => fromAutoscalerV1(as(object)) as unknown as ApiObject,
};

function validateStatus(object: ApiObject): readonly FieldError[] {
  const status = objectAt(object, "status");
  return ["currentReplicas", "desiredReplicas"].flatMap((field) =>
    checkNotNegative(`status.${field}`, status[field] as number | undefined),
  );
}
