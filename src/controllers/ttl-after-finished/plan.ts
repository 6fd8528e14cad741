// When a finished Job has been kept for long enough (pod-lifecycle 13.5.11).

import type { Job } from "../../api/index.ts";
import { after, elapsed, type Instant, type Millis, parseTime, seconds } from "../../base/time.ts";

/** The time until the Job is to go; undefined if it is not to go by itself, or not known yet. */
export function timeLeft({ metadata, spec, status }: Job, now: Instant): Millis | undefined {
  const { ttlSecondsAfterFinished } = spec;
  if (ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const end = (status.conditions ?? []).find(
    ({ type, status: holds }) => (type === "Complete" || type === "Failed") && holds === "True",
  );
  const finished = parseTime(end?.lastTransitionTime ?? "");
  return finished === undefined ? undefined : elapsed(now, after(finished, seconds(ttlSecondsAfterFinished)));
}
