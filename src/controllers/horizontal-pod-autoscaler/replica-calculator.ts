// How many replicas a metric asks for, as upstream counts: Pods that are new, not ready or not measured must not drive the number.

import type { Pod } from "../../api/index.ts";
import { parseQuantity, quantityMilliValue } from "../../api/meta/quantity.ts";
import { after, type Instant, type Millis, minutes, parseTime, seconds } from "../../base/time.ts";

/** What a Pod uses of a resource, in thousandths of its unit. */
export interface PodMetric {
  readonly at: Instant;
  readonly window: Millis;
  readonly milliValue: number;
}

/** By the Pod's name. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

/** By how much the usage may miss its aim, up and down, before anything is done. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export const defaultTolerance = 0.1;

/** While a Pod is younger, the processor time it uses counts only if it was ready for the whole window. */
export const cpuInitializationPeriod = minutes(5);
/** A Pod that became unready within this time of its start was never ready. */
export const initialReadinessDelay = seconds(30);

export type Aim =
  /** A share of what is requested, in percent. */
  | { readonly kind: "utilization"; readonly percent: number }
  /** An average over the Pods, in thousandths. */
  | { readonly kind: "average"; readonly milliValue: number };

export interface MetricQuestion {
  readonly currentReplicas: number;
  /** All that the selector of the scale takes. */
  readonly pods: readonly Pod[];
  readonly metrics: PodMetrics;
  /** `cpu` or `memory`. */
  readonly resource: string;
  /** Only this container counts. */
  readonly container?: string;
  readonly aim: Aim;
  readonly tolerances: Tolerances;
  readonly now: Instant;
}

export type MetricAnswer =
  | {
      readonly kind: "replicas";
      readonly replicas: number;
      /** Absent where the aim is an amount. */
      readonly utilizationPercent?: number;
      /** The average of a Pod, in thousandths. */
      readonly averageMilliValue: number;
    }
  | { readonly kind: "failed"; readonly message: string };

/** The replicas with which the metric would meet its aim. */
export function replicasFor(question: MetricQuestion): MetricAnswer {
  const { pods, currentReplicas, aim, tolerances } = question;
  if (pods.length === 0) return failed("no pods returned by selector while calculating replica count");
  const groups = groupPods(question);
  const requests = aim.kind === "utilization" ? requestsOf(question) : new Map<string, number>();
  if (typeof requests === "string") return failed(requests);
  const counted = new Map(
    [...question.metrics].filter(([name]) => !groups.ignored.has(name) && !groups.unready.has(name)),
  );
  if (counted.size === 0) return failed("did not receive metrics for targeted pods (pods might be unready)");
  const usage = usageRatio(counted, requests, aim);
  if (usage === undefined) return failed("no metrics returned matched known pods");
  const answer = (replicas: number): MetricAnswer => ({
    kind: "replicas",
    replicas,
    averageMilliValue: usage.average,
    ...(usage.percent !== undefined && { utilizationPercent: usage.percent }),
  });
  const withUnready = groups.unready.size > 0 && usage.ratio > 1;
  if (!withUnready && groups.missing.size === 0) {
    return answer(isWithin(tolerances, usage.ratio) ? currentReplicas : roundedUp(usage.ratio * groups.readyCount));
  }
  const careful = new Map([...counted].map(([name, { milliValue }]) => [name, milliValue]));
  for (const name of groups.missing) {
    // Going down they are taken to use all they may, going up nothing: neither way do they drive the number.
    if (usage.ratio < 1) careful.set(name, assumed(aim, requests.get(name) ?? 0));
    else if (usage.ratio > 1) careful.set(name, 0);
  }
  if (withUnready) for (const name of groups.unready) careful.set(name, 0);
  const second = ratioOf(careful, requests, aim)?.ratio;
  if (second === undefined) return failed("no metrics returned matched known pods");
  const turned = (usage.ratio < 1 && second > 1) || (usage.ratio > 1 && second < 1);
  if (isWithin(tolerances, second) || turned) return answer(currentReplicas);
  const replicas = roundedUp(second * careful.size);
  const wrongWay = (second < 1 && replicas > currentReplicas) || (second > 1 && replicas < currentReplicas);
  return answer(wrongWay ? currentReplicas : replicas);
}

const failed = (message: string): MetricAnswer => ({ kind: "failed", message });

/** What products of fractions add beyond the whole is no replica. */
const roundedUp = (replicas: number): number => Math.ceil(Number(replicas.toPrecision(12)));

function isWithin({ up, down }: Tolerances, ratio: number): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}

function assumed(aim: Aim, request: number): number {
  return aim.kind === "average" ? aim.milliValue : (Math.max(100, aim.percent) * request) / 100;
}

interface UsageRatio {
  readonly ratio: number;
  readonly average: number;
  readonly percent?: number;
}

function usageRatio(metrics: PodMetrics, requests: ReadonlyMap<string, number>, aim: Aim): UsageRatio | undefined {
  return ratioOf(new Map([...metrics].map(([name, { milliValue }]) => [name, milliValue])), requests, aim);
}

function ratioOf(
  values: ReadonlyMap<string, number>,
  requests: ReadonlyMap<string, number>,
  aim: Aim,
): UsageRatio | undefined {
  const known = aim.kind === "average" ? [...values] : [...values].filter(([name]) => requests.has(name));
  const total = known.reduce((sum, [, value]) => sum + value, 0);
  if (known.length === 0) return undefined;
  const average = Math.floor(total / known.length);
  if (aim.kind === "average") return { ratio: average / aim.milliValue, average };
  const requested = known.reduce((sum, [name]) => sum + (requests.get(name) ?? 0), 0);
  if (requested === 0) return undefined;
  const percent = Math.floor((total * 100) / requested);
  return { ratio: percent / aim.percent, average, percent };
}

interface Groups {
  readonly readyCount: number;
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  readonly ignored: ReadonlySet<string>;
}

function groupPods({ pods, metrics, resource, now }: MetricQuestion): Groups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let readyCount = 0;
  for (const pod of pods) {
    const { name } = pod.metadata;
    const metric = metrics.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status.phase === "Failed") ignored.add(name);
    else if (pod.status.phase === "Pending") unready.add(name);
    else if (metric === undefined) missing.add(name);
    else if (resource === "cpu" && isNotYetReady(pod, metric, now)) unready.add(name);
    else readyCount += 1;
  }
  return { readyCount, unready, missing, ignored };
}

/** Whether what the Pod uses of the processor may be the work of its start. */
function isNotYetReady({ status }: Pod, metric: PodMetric, now: Instant): boolean {
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  const startedAt = timeOf(status.startTime);
  const changedAt = timeOf(ready?.lastTransitionTime);
  if (ready === undefined || startedAt === undefined || changedAt === undefined) return true;
  const isUnready = ready.status === "False";
  if (after(startedAt, cpuInitializationPeriod) > now) {
    return isUnready || metric.at < after(changedAt, metric.window);
  }
  return isUnready && after(startedAt, initialReadinessDelay) > changedAt;
}

function timeOf(text: string | undefined): Instant | undefined {
  return text === undefined ? undefined : parseTime(text);
}

/** What each Pod requests, in thousandths; or the complaint about a container that requests nothing. */
function requestsOf({ pods, resource, container }: MetricQuestion): ReadonlyMap<string, number> | string {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
    const counted = [...spec.containers, ...sidecars].filter(
      ({ name }) => container === undefined || name === container,
    );
    if (counted.length === 0) return `container ${container} not found in Pod ${metadata.name}`;
    let sum = 0;
    for (const { name, resources } of counted) {
      const request = resources?.requests?.[resource];
      if (request === undefined) return `missing request for ${resource} in container ${name} of Pod ${metadata.name}`;
      sum += Number(quantityMilliValue(parseQuantity(request)));
    }
    requests.set(metadata.name, sum);
  }
  return requests;
}
