// Keeps the number of replicas right by what their Pods use: every fifteen seconds, for each autoscaler.

import { scaleOf, type Scalable } from "../../api/autoscaling/v1/scale.ts";
import type { HorizontalPodAutoscaler } from "../../api/generated/autoscaling-v2.ts";
import type { PodMetrics as PodMetricsObject } from "../../api/generated/metrics-v1beta1.ts";
import { kindOf, parseApiVersion, type ResourceKind } from "../../api/kinds.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { matchesRequirements, parseLabelSelector } from "../../api/meta/label-selector.ts";
import { parseQuantity, quantityMilliValue } from "../../api/meta/quantity.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Instant, type Millis, millis, parseTime, seconds } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ResourceRef, StoredObject } from "../../client/resource-client.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { noPast, type Past, rememberChange } from "./limits.ts";
import { afterRescale, type Fetched, planAutoscaler, type ScaleTarget } from "./plan.ts";
import type { PodMetric, PodMetrics } from "./replica-calculator.ts";

/** How often each autoscaler is looked at. */
export const syncPeriod: Millis = seconds(15);

/** The autoscalers are read again after somebody else has written first. */
const conflictDelay: Millis = millis(100);

const podMetricsResource: ResourceRef = {
  group: "metrics.k8s.io",
  version: "v1beta1",
  resource: "pods",
  kind: "PodMetrics",
  namespaced: true,
};

export function startHorizontalPodAutoscalerController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const recorder = recorderFor("horizontal-pod-autoscaler");
  /** By key; forgotten with the autoscaler. */
  const pasts = new Map<string, Past>();
  const controller = new Controller({
    name: "horizontal-pod-autoscaler",
    clock,
    reconcile: (key) => reconcile(key, deps, recorder, pasts),
    onFailure,
  });
  informers.horizontalPodAutoscalers.onAny((change) => {
    // What it writes itself is no reason to look again before the period is over.
    if (change.kind === "updated" && sameJson(change.object.spec, change.previous.spec)) return;
    if (change.kind === "deleted") pasts.delete(keyOf(change.object));
    controller.queue.add(keyOf(change.object));
  });
  controller.start();
  return { stop: () => controller.stop() };
}

async function reconcile(
  key: string,
  deps: ControllerDeps,
  recorder: EventRecorder,
  pasts: Map<string, Past>,
): Promise<ReconcileOutcome> {
  const { client, clock, informers } = deps;
  const autoscaler = informers.horizontalPodAutoscalers.lister.get(key);
  if (autoscaler === undefined) return done;
  const { namespace = "" } = autoscaler.metadata;
  const target = await scaleTarget(autoscaler, deps);
  const selector = target.kind === "found" ? target.value.selector : "";
  const view = {
    autoscaler,
    target,
    pods: selector === "" ? [] : podsOf(namespace, selector, deps),
    metrics: selector === "" ? () => noMetrics : await metricsOf(namespace, selector, deps),
    past: pasts.get(key) ?? noPast,
    now: clock.now(),
  };
  const plan = planAutoscaler(view);
  for (const note of plan.events) recorder.record(autoscaler, note);
  pasts.set(key, plan.past);
  let { status } = plan;
  if (plan.rescale !== undefined) {
    const { from, to } = plan.rescale;
    const failure = await rescale(autoscaler, to, deps);
    const { event, status: told } = afterRescale(autoscaler, plan, plan.rescale, failure, clock.now());
    recorder.record(autoscaler, event);
    status = told;
    if (failure === undefined) pasts.set(key, rememberChange(plan.past, clock.now(), from, to));
  }
  if (status === autoscaler.status) return { kind: "after", wait: syncPeriod };
  try {
    await client.horizontalPodAutoscalers.updateStatus({ ...autoscaler, status });
  } catch (error) {
    if (isReason(error, "NotFound")) return done;
    if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
    throw error;
  }
  return { kind: "after", wait: syncPeriod };
}

/** The kind that is scaled; undefined when it is not served or has no scale. */
function targetKind({ spec }: HorizontalPodAutoscaler): ResourceKind | undefined {
  const { apiVersion = "", kind } = spec.scaleTargetRef;
  const found = kindOf({ ...parseApiVersion(apiVersion), kind });
  return found?.subresources.some(({ name }) => name === "scale") === true ? found : undefined;
}

async function scaleTarget(
  autoscaler: HorizontalPodAutoscaler,
  { client }: ControllerDeps,
): Promise<Fetched<ScaleTarget>> {
  const { apiVersion = "", kind, name } = autoscaler.spec.scaleTargetRef;
  const resource = targetKind(autoscaler);
  if (resource === undefined) {
    const { group } = parseApiVersion(apiVersion);
    return { kind: "failed", message: `no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}` };
  }
  try {
    const object = await client.resource<StoredObject>(resource).get(name, autoscaler.metadata.namespace);
    const { spec, status } = scaleOf(object as unknown as Scalable);
    const counts = { specReplicas: spec?.replicas ?? 0, statusReplicas: status?.replicas ?? 0 };
    return { kind: "found", value: { ...counts, selector: status?.selector ?? "" } };
  } catch (error) {
    return { kind: "failed", message: scaleFailure(error, resource, name) };
  }
}

async function rescale(
  autoscaler: HorizontalPodAutoscaler,
  replicas: number,
  { client }: ControllerDeps,
): Promise<string | undefined> {
  const resource = targetKind(autoscaler);
  const { name } = autoscaler.spec.scaleTargetRef;
  if (resource === undefined) return "the target has no scale";
  try {
    const { namespace } = autoscaler.metadata;
    await client.resource<StoredObject>(resource).patch(name, namespace, "merge", { spec: { replicas } }, "scale");
    return undefined;
  } catch (error) {
    return scaleFailure(error, resource, name);
  }
}

function scaleFailure(error: unknown, { group, resource }: ResourceKind, name: string): string {
  if (isReason(error, "NotFound")) {
    return `${resource}/scale${group === "" ? "" : `.${group}`} ${JSON.stringify(name)} not found`;
  }
  return error instanceof Error ? error.message : String(error);
}

function podsOf(namespace: string, selector: string, { informers }: ControllerDeps) {
  const parsed = parseLabelSelector(selector);
  if (parsed.kind === "wrong") return [];
  return informers.pods.lister
    .inNamespace(namespace)
    .filter(({ metadata }) => matchesRequirements(parsed.requirements, metadata.labels));
}

type MetricsOf = (resource: string, container: string | undefined) => Fetched<PodMetrics>;

const noMetrics: Fetched<PodMetrics> = {
  kind: "failed",
  message: "no metrics returned from resource metrics API",
};

/** Asks once for all metrics of the Pods. */
async function metricsOf(namespace: string, labelSelector: string, { client }: ControllerDeps): Promise<MetricsOf> {
  try {
    const listed = await client.resource<StoredObject>(podMetricsResource).list({ namespace, labelSelector });
    const all = listed.items as unknown as readonly PodMetricsObject[];
    if (all.length === 0) return () => noMetrics;
    return (resource, container) => resourceMetrics(all, resource, container);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return () => ({ kind: "failed", message: `unable to fetch metrics from resource metrics API: ${text}` });
  }
}

function resourceMetrics(
  all: readonly PodMetricsObject[],
  resource: string,
  container: string | undefined,
): Fetched<PodMetrics> {
  const value = new Map(
    all.flatMap((pod): [string, PodMetric][] => {
      const counted = pod.containers.filter(({ name }) => container === undefined || name === container);
      const amounts = counted.map(({ usage }) => usage[resource]);
      if (amounts.length === 0 || amounts.includes(undefined)) return [];
      const milliValue = amounts.reduce((sum, text) => sum + Number(quantityMilliValue(parseQuantity(text ?? "0"))), 0);
      return [
        [
          pod.metadata.name ?? "",
          { at: parseTime(pod.timestamp) as Instant, window: windowOf(pod.window), milliValue },
        ],
      ];
    }),
  );
  return value.size === 0 ? noMetrics : { kind: "found", value };
}

/** `1m0s`, `15.2s` */
function windowOf(text: string): Millis {
  const match = /^(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(text);
  return millis(Number(match?.[1] ?? 0) * 60_000 + Number(match?.[2] ?? 0) * 1000);
}
