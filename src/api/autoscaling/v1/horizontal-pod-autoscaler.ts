// The first version of the autoscaler: it knows one metric, and carries all else that the second knows in annotations, as upstream does.

import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from "../../generated/autoscaling-v1.ts";
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "../../generated/autoscaling-v2.ts";
import type { JsonObject } from "../../wire/request.ts";

const prefix = "autoscaling.alpha.kubernetes.io";
const metricsAnnotation = `${prefix}/metrics`;
const behaviorAnnotation = `${prefix}/behavior`;
const conditionsAnnotation = `${prefix}/conditions`;
const currentMetricsAnnotation = `${prefix}/current-metrics`;
const ownAnnotations = [metricsAnnotation, behaviorAnnotation, conditionsAnnotation, currentMetricsAnnotation];

/** As version 1 shows it. */
export function toAutoscalerV1(autoscaler: HorizontalPodAutoscaler): HorizontalPodAutoscalerV1 {
  const { metadata, spec, status } = autoscaler;
  const cpu = spec.metrics?.find(isCpuUtilization)?.resource?.target.averageUtilization;
  const others = (spec.metrics ?? []).filter((metric) => !isCpuUtilization(metric));
  const { conditions = [], currentMetrics = [], ...counts } = status;
  const cpuNow = currentMetrics.find(({ resource }) => resource?.name === "cpu")?.resource?.current.averageUtilization;
  const annotations = {
    ...metadata.annotations,
    ...(others.length > 0 && { [metricsAnnotation]: JSON.stringify(others.map(metricV1)) }),
    ...(spec.behavior !== undefined && {
      [behaviorAnnotation]: JSON.stringify(renamedKeys(spec.behavior, upperCaseFirst)),
    }),
    ...(conditions.length > 0 && { [conditionsAnnotation]: JSON.stringify(conditions) }),
    ...(currentMetrics.length > 0 && { [currentMetricsAnnotation]: JSON.stringify(currentMetrics.map(currentV1)) }),
  };
  const { scaleTargetRef, minReplicas, maxReplicas } = spec;
  return {
    ...autoscaler,
    apiVersion: "autoscaling/v1",
    metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations },
    spec: {
      scaleTargetRef,
      ...(minReplicas !== undefined && { minReplicas }),
      maxReplicas,
      ...(cpu !== undefined && { targetCPUUtilizationPercentage: cpu }),
    },
    status: {
      currentReplicas: 0,
      ...counts,
      ...(cpuNow !== undefined && { currentCPUUtilizationPercentage: cpuNow }),
    },
  } as HorizontalPodAutoscalerV1;
}

/** As it is stored. Annotations that cannot be read are dropped, as upstream does. */
export function fromAutoscalerV1(autoscaler: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  const { metadata, spec, status } = autoscaler;
  const all = metadata?.annotations ?? {};
  const kept = Object.fromEntries(Object.entries(all).filter(([name]) => !ownAnnotations.includes(name)));
  const { annotations: _annotations, ...bare } = metadata ?? {};
  const { targetCPUUtilizationPercentage: cpu, ...rest } = spec ?? {};
  const { currentCPUUtilizationPercentage: _cpu, ...counts } = status ?? {};
  const others = parsedList(all[metricsAnnotation]).map(metricV2);
  const cpuMetric: readonly MetricSpec[] =
    cpu === undefined
      ? []
      : [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpu } } }];
  const metrics = [...others, ...cpuMetric];
  const behavior = parsed(all[behaviorAnnotation]);
  const conditions = parsedList(all[conditionsAnnotation]);
  const currentMetrics = parsedList(all[currentMetricsAnnotation]).map(currentV2);
  return {
    ...autoscaler,
    apiVersion: "autoscaling/v2",
    metadata: Object.keys(kept).length === 0 ? bare : { ...bare, annotations: kept },
    spec: {
      ...rest,
      ...(metrics.length > 0 && { metrics }),
      ...(isObject(behavior) && { behavior: renamedKeys(behavior, lowerCaseFirst) }),
    },
    status: {
      ...counts,
      ...(conditions.length > 0 && { conditions }),
      ...(currentMetrics.length > 0 && { currentMetrics }),
    },
  } as unknown as HorizontalPodAutoscaler;
}

function isCpuUtilization({ type, resource }: MetricSpec): boolean {
  return type === "Resource" && resource?.name === "cpu" && resource.target.averageUtilization !== undefined;
}

/** How version 1 names the aims, which have the field `target` to themselves in version 2. */
function metricV1({ type, ...sources }: MetricSpec): JsonObject {
  return {
    type,
    ...mapSources(sources, ({ target, ...source }) => ({ ...source, ...targetV1(target as MetricTarget) })),
  };
}

function metricV2({ type, ...sources }: JsonObject): MetricSpec {
  const known = {
    type,
    ...mapSources(sources, ({ targetAverageUtilization, targetAverageValue, targetValue, ...source }) => {
      const aim =
        targetAverageUtilization !== undefined
          ? { type: "Utilization", averageUtilization: targetAverageUtilization }
          : targetAverageValue !== undefined
            ? { type: "AverageValue", averageValue: targetAverageValue }
            : { type: "Value", ...(targetValue !== undefined && { value: targetValue }) };
      return { ...source, target: aim };
    }),
  };
  return known as unknown as MetricSpec;
}

function targetV1({ averageUtilization, averageValue, value }: MetricTarget): JsonObject {
  return {
    ...(averageUtilization !== undefined && { targetAverageUtilization: averageUtilization }),
    ...(averageValue !== undefined && { targetAverageValue: averageValue }),
    ...(value !== undefined && { targetValue: value }),
  };
}

function currentV1({ type, ...sources }: MetricStatus): JsonObject {
  return {
    type,
    ...mapSources(sources, ({ current, ...source }) => {
      const { averageUtilization, averageValue, value } = current as MetricValueStatus;
      return {
        ...source,
        ...(averageUtilization !== undefined && { currentAverageUtilization: averageUtilization }),
        ...(averageValue !== undefined && { currentAverageValue: averageValue }),
        ...(value !== undefined && { currentValue: value }),
      };
    }),
  };
}

function currentV2({ type, ...sources }: JsonObject): JsonObject {
  return {
    type,
    ...mapSources(sources, ({ currentAverageUtilization, currentAverageValue, currentValue, ...source }) => ({
      ...source,
      current: {
        ...(currentAverageUtilization !== undefined && { averageUtilization: currentAverageUtilization }),
        ...(currentAverageValue !== undefined && { averageValue: currentAverageValue }),
        ...(currentValue !== undefined && { value: currentValue }),
      },
    })),
  };
}

function mapSources(sources: object, change: (source: JsonObject) => JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(sources).flatMap(([name, source]) => (isObject(source) ? [[name, change(source)]] : [])),
  );
}

const upperCaseFirst = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
const lowerCaseFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

/** Upstream writes the behavior with the names of its Go fields. */
function renamedKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamedKeys(item, rename));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [rename(key), renamedKeys(inner, rename)]));
}

function parsedList(json: string | undefined): readonly JsonObject[] {
  const value = parsed(json);
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function parsed(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
