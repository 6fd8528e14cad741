// How long a Job waits before it replaces a Pod that failed (pod-lifecycle 13.5.3).

import type { Pod } from "../../api/index.ts";
import { after, elapsed, type Instant, type Millis, minutes, seconds } from "../../base/time.ts";
import { finishedAt } from "./job-pods.ts";

const firstBackOff: Millis = seconds(10);
const longestBackOff: Millis = minutes(10);

/** The failures in a row, and when the last of them was. */
export interface FailureRun {
  readonly failures: number;
  readonly lastFailure: Instant;
}

export const noFailures: FailureRun = { failures: 0, lastFailure: 0 as Instant };

/** The run with the Pods that have ended since: a success ends it, failures after the last success begin a new one. */
export function continueRun(run: FailureRun, succeeded: readonly Pod[], failed: readonly Pod[]): FailureRun {
  const lastSuccess = Math.max(...succeeded.map(finishedAt));
  const ends = failed.map(finishedAt).filter((end) => succeeded.length === 0 || end > lastSuccess);
  const before = succeeded.length === 0 ? run : noFailures;
  if (ends.length === 0) return before;
  return { failures: before.failures + ends.length, lastFailure: Math.max(...ends) as Instant };
}

/** How long it still takes until a replacement may be made; zero if it may be now. */
export function backOffLeft({ failures, lastFailure }: FailureRun, now: Instant): Millis {
  if (failures === 0) return 0 as Millis;
  const wait = Math.min(firstBackOff * 2 ** (failures - 1), longestBackOff) as Millis;
  return elapsed(now, after(lastFailure, wait));
}
