// HorizontalPodAutoscalers: defaults and validation.

import type { Draft } from "../../draft.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from "../../generated/autoscaling-v2.ts";
import { child, type FieldError, forbidden, index, invalid, notSupported, required } from "../../meta/field-errors.ts";
import { parseQuantity } from "../../meta/quantity.ts";

const defaultMetrics: readonly MetricSpec[] = [
  { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
];

const defaultScaleUp: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};

/** Without a window of its own: the controller's five minutes count. */
const defaultScaleDown: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

/** The autoscaler with every default; applying it again changes nothing. Rules are filled in only where there is a behavior at all. */
export function defaultHorizontalPodAutoscaler(autoscaler: Draft<HorizontalPodAutoscaler>): HorizontalPodAutoscaler {
  const spec = autoscaler.spec ?? {};
  const { behavior, metrics } = spec;
  return {
    ...autoscaler,
    spec: {
      ...spec,
      minReplicas: spec.minReplicas ?? 1,
      maxReplicas: spec.maxReplicas ?? 0,
      metrics: metrics === undefined || metrics.length === 0 ? defaultMetrics : metrics,
      ...(behavior !== undefined && {
        behavior: {
          scaleUp: { ...defaultScaleUp, ...behavior.scaleUp },
          scaleDown: { ...defaultScaleDown, ...behavior.scaleDown },
        },
      }),
    },
  } as HorizontalPodAutoscaler;
}

export function validateHorizontalPodAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  const { minReplicas = 1, maxReplicas, scaleTargetRef } = spec;
  if (minReplicas < 1) {
    errors.push(invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  }
  if (maxReplicas < 1) errors.push(invalid("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (maxReplicas < minReplicas) {
    errors.push(invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  for (const field of ["kind", "name"] as const) {
    const value = scaleTargetRef?.[field] ?? "";
    const at = `spec.scaleTargetRef.${field}`;
    if (value === "") errors.push(required(at));
    else if (/[/%]/.test(value)) errors.push(invalid(at, value, "may not contain '/'"));
  }
  for (const [position, metric] of (spec.metrics ?? []).entries()) {
    errors.push(...validateMetric(metric, index("spec.metrics", position)));
  }
  if (spec.behavior !== undefined) errors.push(...validateBehavior(spec.behavior, "spec.behavior"));
  return errors;
}

const sources = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;

type SourceType = keyof typeof sources;

function validateMetric(metric: MetricSpec, path: string): FieldError[] {
  const { type } = metric;
  if (type === undefined || type === "") return [required(child(path, "type"), "must specify a metric source type")];
  if (!isSourceType(type)) return [notSupported(child(path, "type"), type, Object.keys(sources))];
  const errors: FieldError[] = [];
  for (const field of Object.values(sources)) {
    if (field !== sources[type] && metric[field] !== undefined) {
      errors.push(forbidden(child(path, field), "must populate the given metric source only"));
    }
  }
  const source = metric[sources[type]];
  if (source === undefined) {
    return [...errors, required(child(path, sources[type]), "must populate information for the given metric source")];
  }
  const at = child(path, sources[type]);
  if ("name" in source) {
    if (!source.name) errors.push(required(child(at, "name"), "must specify a resource name"));
    if ("container" in source && !source.container) {
      errors.push(required(child(at, "container"), "must specify a container"));
    }
    return [
      ...errors,
      ...validateTarget(source.target, child(at, "target")),
      ...validateUsage(source.target, child(at, "target")),
    ];
  }
  if ("metric" in source && !source.metric?.name) {
    errors.push(required(child(at, "metric", "name"), "must specify a metric name"));
  }
  return [...errors, ...validateTarget(source.target, child(at, "target"))];
}

function isSourceType(type: string): type is SourceType {
  return Object.hasOwn(sources, type);
}

function validateTarget(target: MetricTarget | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "", value, averageValue, averageUtilization } = target ?? {};
  if (type === "") errors.push(required(child(path, "type"), "must specify a metric target type"));
  else if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    errors.push(invalid(child(path, "type"), type, "must be either Utilization, Value, or AverageValue"));
  }
  for (const [field, amount] of [["value", value] as const, ["averageValue", averageValue] as const]) {
    if (amount !== undefined && parseQuantity(amount).nanos <= 0n) {
      errors.push(invalid(child(path, field), amount, "must be positive"));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(child(path, "averageUtilization"), averageUtilization, "must be greater than 0"));
  }
  return errors;
}

/** The usage of a resource has one aim: an amount, or a share of what is requested. */
function validateUsage(target: MetricTarget | undefined, path: string): FieldError[] {
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    const why = "must set either a target raw value or a target utilization";
    return [required(child(path, "averageUtilization"), why)];
  }
  if (averageUtilization === undefined || averageValue === undefined) return [];
  return [forbidden(child(path, "averageValue"), "may not set both a target raw value and a target utilization")];
}

function validateBehavior({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior, path: string): FieldError[] {
  return [...validateRules(scaleUp, child(path, "scaleUp")), ...validateRules(scaleDown, child(path, "scaleDown"))];
}

/** The longest stabilization window and the longest period of a policy. */
const longestWindowSeconds = 3600;
const longestPeriodSeconds = 1800;

function validateRules(rules: HPAScalingRules | undefined, path: string): FieldError[] {
  if (rules === undefined) return [];
  const errors: FieldError[] = [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  const windowPath = child(path, "stabilizationWindowSeconds");
  if (window !== undefined && window < 0) {
    errors.push(invalid(windowPath, window, "must be greater than or equal to zero"));
  }
  if (window !== undefined && window > longestWindowSeconds) {
    errors.push(invalid(windowPath, window, `must be less than or equal to ${longestWindowSeconds}`));
  }
  if (selectPolicy !== undefined && !["Disabled", "Max", "Min"].includes(selectPolicy)) {
    errors.push(notSupported(child(path, "selectPolicy"), selectPolicy, ["Disabled", "Max", "Min"]));
  }
  if (policies.length === 0) errors.push(required(child(path, "policies"), "must specify at least one Policy"));
  for (const [position, { type, value, periodSeconds }] of policies.entries()) {
    const at = index(child(path, "policies"), position);
    if (type !== "Percent" && type !== "Pods") {
      errors.push(notSupported(child(at, "type"), type, ["Percent", "Pods"]));
    }
    if (!(value > 0)) errors.push(invalid(child(at, "value"), value, "must be greater than zero"));
    if (!(periodSeconds > 0)) {
      errors.push(invalid(child(at, "periodSeconds"), periodSeconds, "must be greater than zero"));
    } else if (periodSeconds > longestPeriodSeconds) {
      const why = `must be less than or equal to ${longestPeriodSeconds}`;
      errors.push(invalid(child(at, "periodSeconds"), periodSeconds, why));
    }
  }
  if (tolerance !== undefined && parseQuantity(tolerance).nanos < 0n) {
    errors.push(invalid(child(path, "tolerance"), tolerance, "must be greater than or equal to 0"));
  }
  return errors;
}
