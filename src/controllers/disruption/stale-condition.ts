// A Pod that was to be disrupted and was not says so for a while, then no longer (pod-lifecycle 2.7).

import type { Pod } from "../../api/index.ts";
import { after, elapsed, formatTime, type Instant, type Millis, minutes, parseTime } from "../../base/time.ts";
import { isFinished } from "../pod-state.ts";

/** How long the condition DisruptionTarget stands on a Pod that nobody deletes. */
export const staleDisruptionTimeout: Millis = minutes(2);

/** How long the Pod's condition may still stand; zero if it is stale, undefined if there is nothing to take back. */
export function untilStale({ metadata, status }: Pod, now: Instant): Millis | undefined {
  if (metadata.deletionTimestamp !== undefined || isFinished(status.phase)) return undefined;
  const condition = status.conditions?.find(({ type }) => type === "DisruptionTarget");
  // What the kubelet said it carries out itself.
  if (condition?.status !== "True" || condition.reason === "TerminationByKubelet") return undefined;
  const since = parseTime(condition.lastTransitionTime ?? "") ?? now;
  return Math.max(0, elapsed(now, after(since, staleDisruptionTimeout))) as Millis;
}

/** The patch that takes the condition back. */
export function takenBack(now: Instant): object {
  const condition = { type: "DisruptionTarget", status: "False", lastTransitionTime: formatTime(now) };
  return { status: { conditions: [condition] } };
}
