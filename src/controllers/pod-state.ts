// How controllers see a Pod: does it count, is it ready, has it been ready for long enough (pod-lifecycle 13.1).

import type { Pod } from "../api/index.ts";
import { type Instant, type Millis, after, elapsed, parseTime, seconds } from "../base/time.ts";

/** Neither finished nor on its way out. Whoever keeps a number of Pods counts only these. */
export function isActive({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && !isFinished(status.phase);
}

export function isFinished(phase: Pod["status"]["phase"]): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === "True";
}

/** Since when a Pod has been ready; undefined if it is not, or nobody knows. */
export function readySince(pod: Pod): Instant | undefined {
  const condition = readyCondition(pod);
  return condition?.status === "True" ? parseTime(condition.lastTransitionTime ?? "") : undefined;
}

/**
 * How long it takes until a Pod that stays ready is available.
 * @returns zero if it is available; undefined if it is not ready
 */
export function untilAvailable(pod: Pod, minReadySeconds: number, now: Instant): Millis | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0 as Millis;
  const since = readySince(pod);
  return since === undefined ? undefined : elapsed(now, after(since, seconds(minReadySeconds)));
}

/** The shortest time after which a Pod that is ready becomes available; undefined if there is none. */
export function nextAvailability(pods: readonly Pod[], minReadySeconds: number, now: Instant): Millis | undefined {
  const waits = pods
    .map((pod) => untilAvailable(pod, minReadySeconds, now))
    .filter((wait) => wait !== undefined && wait > 0);
  return waits.length === 0 ? undefined : (Math.min(...(waits as number[])) as Millis);
}

function readyCondition({ status }: Pod) {
  return (status.conditions ?? []).find(({ type }) => type === "Ready");
}
