// How many of its Pods a disruption budget may lose now: a pure decision (pod-lifecycle 12.5).

import type { LabelSelector, Pod, PodDisruptionBudget } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { scaledAmount } from "../../api/meta/percent.ts";
import { verdictOn, withDisruptionVerdict } from "../../api/policy/v1/pod-disruption-budget.ts";
import { after, elapsed, type Instant, type Millis, minutes, parseTime } from "../../base/time.ts";
import type { EventNote } from "../../client/event-recorder.ts";
import { isReady } from "../pod-state.ts";
import type { ControllerScale } from "./controller-scale.ts";

/** How long a Pod whose eviction was granted counts as lost although nobody has deleted it yet. */
export const deletionTimeout: Millis = minutes(2);

export interface ObservedBudget {
  readonly budget: PodDisruptionBudget;
  /** The Pods that it selects. */
  readonly pods: readonly Pod[];
  readonly scaleBehind: (pod: Pod) => ControllerScale;
  readonly now: Instant;
}

export interface BudgetPlan {
  /** What the status should be; the same object if it is so already. */
  readonly status: PodDisruptionBudget["status"];
  readonly events: readonly { readonly about: PodDisruptionBudget | Pod; readonly note: EventNote }[];
  /** When to look again although nothing has happened. */
  readonly wait?: Millis;
}

export function planBudget({ budget, pods, scaleBehind, now }: ObservedBudget): BudgetPlan {
  const noPods = pods.length === 0 ? [event(budget, "Normal", "NoPods", "No matching pods found")] : [];
  const expectation = expect(budget, pods, scaleBehind);
  if (expectation.kind === "unknown") {
    const { why } = expectation;
    const message = `Failed to calculate the number of expected pods: ${why}`;
    const failed = event(budget, "Warning", "CalculateExpectedPodCountFailed", message);
    return { status: failedStatus(budget, why, now), events: [...noPods, failed] };
  }
  const { expectedPods, desiredHealthy, hasUnmanaged } = expectation;
  const unmanaged = hasUnmanaged ? [event(budget, "Warning", "UnmanagedPods", unmanagedText(budget))] : [];
  const { disruptedPods, overdue, wait } = stillExpectedToGo(budget, pods, now);
  const currentHealthy = pods.filter(
    (pod) => isHealthy(pod) && !Object.hasOwn(disruptedPods, pod.metadata.name),
  ).length;
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const counts = { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed };
  return {
    status: nextStatus(budget, counts, disruptedPods, now),
    events: [...noPods, ...unmanaged, ...overdue],
    ...(wait !== undefined && { wait }),
  };
}

type Expectation =
  | {
      readonly kind: "known";
      readonly expectedPods: number;
      readonly desiredHealthy: number;
      readonly hasUnmanaged: boolean;
    }
  | { readonly kind: "unknown"; readonly why: string };

function expect(
  { spec }: PodDisruptionBudget,
  pods: readonly Pod[],
  scaleBehind: ObservedBudget["scaleBehind"],
): Expectation {
  const { maxUnavailable, minAvailable } = spec;
  if (maxUnavailable === undefined && typeof minAvailable !== "string") {
    // A plain number needs no controllers: it counts what is there.
    const isSet = minAvailable !== undefined;
    return {
      kind: "known",
      expectedPods: isSet ? pods.length : 0,
      desiredHealthy: minAvailable ?? 0,
      hasUnmanaged: false,
    };
  }
  const scales = new Map<string, number>();
  let hasUnmanaged = false;
  for (const pod of pods) {
    const scale = scaleBehind(pod);
    if (scale.kind === "unknown") return scale;
    if (scale.kind === "unmanaged") hasUnmanaged = true;
    else scales.set(scale.uid, scale.replicas);
  }
  const expectedPods = [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
  const desiredHealthy =
    maxUnavailable === undefined
      ? scaledAmount(minAvailable ?? 0, expectedPods, "up")
      : Math.max(0, expectedPods - scaledAmount(maxUnavailable, expectedPods, "up"));
  return { kind: "known", expectedPods, desiredHealthy, hasUnmanaged };
}

const isHealthy = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && isReady(pod);

/** Of the granted evictions, those whose Pods are still there and may yet be deleted. */
function stillExpectedToGo({ metadata, status }: PodDisruptionBudget, pods: readonly Pod[], now: Instant) {
  const granted = status.disruptedPods ?? {};
  const disruptedPods: Record<string, string> = {};
  const overdue: BudgetPlan["events"][number][] = [];
  let wait: Millis | undefined;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const since = Object.hasOwn(granted, name) ? granted[name] : undefined;
    if (since === undefined || deletionTimestamp !== undefined) continue;
    const expected = after(parseTime(since) ?? now, deletionTimeout);
    if (expected < now) {
      const message = `Pod was expected by PDB ${metadata.namespace ?? ""}/${metadata.name} to be deleted but it wasn't`;
      overdue.push(event(pod, "Warning", "NotDeleted", message));
      continue;
    }
    disruptedPods[name] = since;
    // One moment later, so that it is over by then.
    const left = (elapsed(now, expected) + 1) as Millis;
    wait = wait === undefined || left < wait ? left : wait;
  }
  return { disruptedPods, overdue, wait };
}

type Counts = Pick<
  PodDisruptionBudget["status"],
  "expectedPods" | "desiredHealthy" | "currentHealthy" | "disruptionsAllowed"
>;

function nextStatus(
  { metadata, status }: PodDisruptionBudget,
  counts: Counts,
  disruptedPods: Readonly<Record<string, string>>,
  now: Instant,
): PodDisruptionBudget["status"] {
  const observedGeneration = metadata.generation ?? 0;
  const { disruptedPods: _before, conditions = [], ...others } = status;
  const verdict = verdictOn(counts.disruptionsAllowed);
  return settled(status, {
    ...others,
    ...counts,
    observedGeneration,
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    conditions: withDisruptionVerdict(conditions, verdict, { observedGeneration, now }),
  });
}

/** Nobody may be evicted when it is not known how many there should be. */
function failedStatus({ status }: PodDisruptionBudget, why: string, now: Instant): PodDisruptionBudget["status"] {
  const { conditions = [], observedGeneration = 0 } = status;
  const verdict = { status: "False", reason: "SyncFailed", message: why } as const;
  return settled(status, {
    ...status,
    disruptionsAllowed: 0,
    conditions: withDisruptionVerdict(conditions, verdict, { observedGeneration, now }),
  });
}

function settled<T>(before: T, next: T): T {
  return sameJson(before, next) ? before : next;
}

function event(
  about: PodDisruptionBudget | Pod,
  type: EventNote["type"],
  reason: string,
  message: string,
): BudgetPlan["events"][number] {
  return { about, note: { type, reason, message } };
}

function unmanagedText({ spec }: PodDisruptionBudget): string {
  return `Pods selected by this PodDisruptionBudget (selector: ${selectorText(spec.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
}

/** A selector as Go shows it. */
function selectorText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}
