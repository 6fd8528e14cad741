// What an autoscaler does in one turn: the number of replicas, the status that tells why, the events.

import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "../../api/generated/autoscaling-v2.ts";
import type { Pod } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { formatQuantity, parseQuantity, quantityMilliValue } from "../../api/meta/quantity.ts";
import { formatTime, type Instant } from "../../base/time.ts";
import type { EventNote } from "../../client/event-recorder.ts";
import { limitMove, type Past, type Reason, remember } from "./limits.ts";
import { defaultTolerance, type PodMetrics, replicasFor, type Tolerances } from "./replica-calculator.ts";

/** The object that is scaled, as its scale shows it. */
export interface ScaleTarget {
  readonly specReplicas: number;
  readonly statusReplicas: number;
  /** Empty where the object has none. */
  readonly selector: string;
}

export type Fetched<T> =
  | { readonly kind: "found"; readonly value: T }
  | { readonly kind: "failed"; readonly message: string };

export interface AutoscalerView {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly target: Fetched<ScaleTarget>;
  /** What the selector of the scale takes. */
  readonly pods: readonly Pod[];
  /** What Pods use of a resource, all containers or one. */
  readonly metrics: (resource: string, container: string | undefined) => Fetched<PodMetrics>;
  readonly past: Past;
  readonly now: Instant;
}

export interface AutoscalerPlan {
  readonly status: HorizontalPodAutoscaler["status"];
  readonly events: readonly EventNote[];
  readonly past: Past;
  /** Set where the number of replicas changes. */
  readonly rescale?: { readonly from: number; readonly to: number; readonly reason: string };
}

type ConditionType = "AbleToScale" | "ScalingActive" | "ScalingLimited";
type Conditions = readonly HorizontalPodAutoscalerCondition[];

export function planAutoscaler(view: AutoscalerView): AutoscalerPlan {
  const { autoscaler, target, now } = view;
  const turn = new Turn(autoscaler, now);
  if (target.kind === "failed") {
    turn.event("Warning", "FailedGetScale", target.message);
    const message = `the HPA controller was unable to get the target's current scale: ${target.message}`;
    turn.condition("AbleToScale", false, { reason: "FailedGetScale", message });
    return turn.plan({ ...autoscaler.status }, view.past);
  }
  const { specReplicas: current, statusReplicas } = target.value;
  // Who knows nothing of the past takes what is there for right, so that a restart takes nothing away.
  const past =
    view.past.recommendations.length === 0
      ? { ...view.past, recommendations: [{ at: now, replicas: current }] }
      : view.past;
  const { minReplicas: min = 1, maxReplicas: max } = autoscaler.spec;
  const reached = "the HPA controller was able to get the target's current scale";
  turn.condition("AbleToScale", true, { reason: "SucceededGetScale", message: reached });
  const status = { ...autoscaler.status, currentReplicas: statusReplicas };
  if (current === 0 && min !== 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    turn.condition("ScalingActive", false, { reason: "ScalingDisabled", message });
    return turn.plan({ ...status, desiredReplicas: 0 }, past);
  }
  if (current > max) {
    return turn.plan({ ...status, desiredReplicas: max }, past, {
      from: current,
      to: max,
      reason: "Current number of replicas above Spec.MaxReplicas",
    });
  }
  if (current < min) {
    return turn.plan({ ...status, desiredReplicas: min }, past, {
      from: current,
      to: min,
      reason: "Current number of replicas below Spec.MinReplicas",
    });
  }
  const wanted = askMetrics(view, target.value, turn);
  if (wanted.kind === "failed") {
    turn.event("Warning", "FailedComputeMetricsReplicas", wanted.message);
    return turn.plan({ ...status, desiredReplicas: autoscaler.status.desiredReplicas ?? 0 }, past);
  }
  const { replicas: desired, name, metrics } = wanted.value;
  const { behavior } = autoscaler.spec;
  const limited = limitMove({
    current,
    desired,
    min,
    max,
    past,
    now,
    ...(behavior !== undefined && { rules: behavior }),
  });
  turn.condition("AbleToScale", true, limited.able);
  turn.condition("ScalingLimited", limited.limited.isLimited, limited.limited);
  const next = { ...status, desiredReplicas: limited.replicas, currentMetrics: metrics };
  const memory = remember(past, now, desired);
  if (limited.replicas === current) return turn.plan(next, memory);
  const reason = desired > current ? `${name} above target` : "All metrics below target";
  return turn.plan(next, memory, { from: current, to: limited.replicas, reason });
}

/** The status once the new number has been written, or could not be. */
export function afterRescale(
  autoscaler: HorizontalPodAutoscaler,
  { status }: AutoscalerPlan,
  { from, to, reason }: NonNullable<AutoscalerPlan["rescale"]>,
  failure: string | undefined,
  now: Instant,
): { readonly status: HorizontalPodAutoscaler["status"]; readonly event: EventNote } {
  const turn = new Turn({ ...autoscaler, status }, now);
  if (failure !== undefined) {
    const message = `the HPA controller was unable to update the target scale: ${failure}`;
    turn.condition("AbleToScale", false, { reason: "FailedUpdateScale", message });
    const event: EventNote = {
      type: "Warning",
      reason: "FailedRescale",
      message: `New size: ${to}; reason: ${reason}; error: ${failure}`,
    };
    return { status: turn.plan({ ...status, desiredReplicas: from }, undefined).status, event };
  }
  const message = `the HPA controller was able to update the target scale to ${to}`;
  turn.condition("AbleToScale", true, { reason: "SucceededRescale", message });
  return {
    status: turn.plan({ ...status, lastScaleTime: formatTime(now) }, undefined).status,
    event: { type: "Normal", reason: "SuccessfulRescale", message: `New size: ${to}; reason: ${reason}` },
  };
}

/** Gathers conditions and events. */
class Turn {
  readonly #autoscaler: HorizontalPodAutoscaler;
  readonly #now: Instant;
  #conditions: Conditions;
  readonly #events: EventNote[] = [];

  constructor(autoscaler: HorizontalPodAutoscaler, now: Instant) {
    this.#autoscaler = autoscaler;
    this.#now = now;
    this.#conditions = autoscaler.status.conditions ?? [];
  }

  event(type: "Normal" | "Warning", reason: string, message: string): void {
    this.#events.push({ type, reason, message });
  }

  condition(type: ConditionType, isTrue: boolean, { reason, message }: Reason): void {
    const status = isTrue ? "True" : "False";
    const old = this.#conditions.find((condition) => condition.type === type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : formatTime(this.#now);
    const next = {
      type,
      status,
      ...(lastTransitionTime !== undefined && { lastTransitionTime }),
      reason,
      message,
    } as const;
    this.#conditions =
      old === undefined
        ? [...this.#conditions, next]
        : this.#conditions.map((condition) => (condition.type === type ? next : condition));
  }

  plan(
    status: Omit<HorizontalPodAutoscaler["status"], "conditions">,
    past: Past | undefined,
    rescale?: AutoscalerPlan["rescale"],
  ): AutoscalerPlan {
    const next = { ...status, conditions: this.#conditions };
    return {
      status: sameJson(next, this.#autoscaler.status) ? this.#autoscaler.status : next,
      events: this.#events,
      past: past ?? { recommendations: [], up: [], down: [] },
      ...(rescale !== undefined && { rescale }),
    };
  }
}

interface Wanted {
  readonly replicas: number;
  /** The metric that asks for most. */
  readonly name: string;
  readonly metrics: readonly MetricStatus[];
}

/** The largest number that any metric asks for; nothing is taken away while a metric is unknown. */
function askMetrics(view: AutoscalerView, scale: ScaleTarget, turn: Turn): Fetched<Wanted> {
  const { metrics: specs = [] } = view.autoscaler.spec;
  if (scale.selector === "") {
    turn.event("Warning", "SelectorRequired", "selector is required");
    const message = "the HPA target's scale is missing a selector";
    turn.condition("ScalingActive", false, { reason: "InvalidSelector", message });
    return { kind: "failed", message: "selector is required" };
  }
  const proposals = specs.map((spec) => askMetric(view, scale, spec));
  const valid = proposals.flatMap((proposal) => (proposal.kind === "found" ? [proposal.value] : []));
  const invalid = proposals.flatMap((proposal) => (proposal.kind === "failed" ? [proposal] : []));
  const best = valid.reduce<Proposal | undefined>(
    (most, proposal) => (most === undefined || proposal.replicas > most.replicas ? proposal : most),
    undefined,
  );
  for (const { reason, cause } of invalid) turn.event("Warning", reason, cause);
  const [first] = invalid;
  if (first !== undefined && (best === undefined || best.replicas < scale.specReplicas)) {
    const message = `the HPA was unable to compute the replica count: ${first.cause}`;
    turn.condition("ScalingActive", false, { reason: first.reason, message });
    const count = `${invalid.length} invalid out of ${specs.length}`;
    return { kind: "failed", message: `invalid metrics (${count}), first error is: ${first.message}` };
  }
  if (best === undefined) return { kind: "failed", message: "no metrics" };
  const message = `the HPA was able to successfully calculate a replica count from ${best.name}`;
  turn.condition("ScalingActive", true, { reason: "ValidMetricFound", message });
  return {
    kind: "found",
    value: { replicas: best.replicas, name: best.name, metrics: valid.map(({ status }) => status) },
  };
}

interface Proposal {
  readonly replicas: number;
  readonly name: string;
  readonly status: MetricStatus;
}

type Asked =
  | { readonly kind: "found"; readonly value: Proposal }
  | { readonly kind: "failed"; readonly reason: string; readonly cause: string; readonly message: string };

function askMetric(view: AutoscalerView, scale: ScaleTarget, spec: MetricSpec): Asked {
  const { resource, containerResource, pods, object, external } = spec;
  if (resource !== undefined) return askResource(view, scale, resource);
  if (containerResource !== undefined) return askResource(view, scale, containerResource);
  // Nobody serves these here, as in a cluster without an adapter.
  const custom = "unable to fetch metrics from custom metrics API: no known available metric versions found";
  if (pods !== undefined) {
    return refused("FailedGetPodsMetric", "pods", `unable to get metric ${pods.metric.name}: ${custom}`);
  }
  if (object !== undefined) {
    const { kind, name } = object.describedObject;
    const cause = `unable to get metric ${object.metric.name}: ${kind} on ${view.autoscaler.metadata.namespace} ${name}/${custom}`;
    return refused("FailedGetObjectMetric", "object", cause);
  }
  const name = external?.metric.name ?? "";
  const nobody = `the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`;
  const cause = `unable to get external metric ${view.autoscaler.metadata.namespace}/${name}: unable to fetch metrics from external metrics API: ${nobody}`;
  return refused("FailedGetExternalMetric", "external", cause);
}

function refused(reason: string, kind: string, cause: string): Asked {
  return { kind: "failed", reason, cause, message: `failed to get ${kind} metric value: ${cause}` };
}

function askResource(
  { autoscaler, pods, metrics, now }: AutoscalerView,
  { specReplicas }: ScaleTarget,
  { name, target, container }: { readonly name: string; readonly target: MetricTarget; readonly container?: string },
): Asked {
  const isContainer = container !== undefined;
  const percent = target.averageUtilization;
  const what = percent === undefined ? "usage" : "utilization";
  const failure = (text: string): Asked => {
    const cause = `failed to get ${name} ${what}: ${text}`;
    const reason = isContainer ? "FailedGetContainerResourceMetric" : "FailedGetResourceMetric";
    const kind = isContainer ? "container metric value" : "resource metric value";
    return { kind: "failed", reason, cause, message: `failed to get ${name} ${kind}: ${cause}` };
  };
  const found = metrics(name, container);
  if (found.kind === "failed") return failure(`unable to get metrics for resource ${name}: ${found.message}`);
  const answer = replicasFor({
    currentReplicas: specReplicas,
    pods,
    metrics: found.value,
    resource: name,
    ...(isContainer && { container }),
    aim:
      percent === undefined
        ? { kind: "average", milliValue: Number(quantityMilliValue(parseQuantity(target.averageValue ?? "0"))) }
        : { kind: "utilization", percent },
    tolerances: tolerancesOf(autoscaler),
    now,
  });
  if (answer.kind === "failed") return failure(answer.message);
  const current = {
    averageValue: formatQuantity({ nanos: BigInt(answer.averageMilliValue) * 1_000_000n, format: "DecimalSI" }),
    ...(answer.utilizationPercent !== undefined && { averageUtilization: answer.utilizationPercent }),
  };
  const label = isContainer ? `${name} container resource` : `${name} resource`;
  const status: MetricStatus = isContainer
    ? { type: "ContainerResource", containerResource: { name, container, current } }
    : { type: "Resource", resource: { name, current } };
  const value = {
    replicas: answer.replicas,
    name: percent === undefined ? label : `${label} utilization (percentage of request)`,
    status,
  };
  return { kind: "found", value };
}

function tolerancesOf({ spec }: HorizontalPodAutoscaler): Tolerances {
  const of = (tolerance: string | undefined): number =>
    tolerance === undefined ? defaultTolerance : Number(quantityMilliValue(parseQuantity(tolerance))) / 1000;
  return { up: of(spec.behavior?.scaleUp?.tolerance), down: of(spec.behavior?.scaleDown?.tolerance) };
}
