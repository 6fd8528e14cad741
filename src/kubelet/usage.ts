// How much containers use, from what the runtime has counted: a rate needs two looks, and here it is decided which two.

import { elapsed, type Instant, millis, type Millis, seconds } from "../base/time.ts";

/** What was counted up to a moment. */
export interface UsageSample {
  readonly at: Instant;
  /** Since the beginning; it only grows. */
  readonly cpuNanoSeconds: bigint;
  readonly memoryBytes: number;
}

/** What is used, told of a stretch of time. */
export interface Usage {
  /** The end of the stretch. */
  readonly at: Instant;
  readonly window: Millis;
  /** Billionths of a core, on average over the stretch. */
  readonly cpuNanoCores: bigint;
  /** At the end of the stretch. */
  readonly memoryBytes: number;
}

/** Over less than this a rate says nothing: counters move in hundredths of a second. */
export const shortestWindow = seconds(1);
/** Of several looks the youngest of at least this age is compared with. */
export const wantedWindow = seconds(10);
/** What is older than this is no longer compared with: usage is told of the present. */
export const longestWindow = seconds(60);

/**
 * The usage between an earlier look and `newest`.
 * @param earlier in order of time
 * @param startedAt when counting began: at that moment nothing had been used
 * @returns undefined if no two moments are far enough apart: look again after {@link shortestWindow}
 */
export function usageOf(
  earlier: readonly UsageSample[],
  newest: UsageSample,
  startedAt: Instant | undefined,
): Usage | undefined {
  const beginning: readonly UsageSample[] =
    startedAt === undefined ? [] : [{ at: startedAt, cpuNanoSeconds: 0n, memoryBytes: 0 }];
  const fit = [...beginning, ...earlier].filter(
    ({ at, cpuNanoSeconds }) =>
      at <= newest.at - shortestWindow && at >= newest.at - longestWindow && cpuNanoSeconds <= newest.cpuNanoSeconds,
  );
  const base = fit.findLast(({ at }) => at <= newest.at - wantedWindow) ?? fit[0];
  if (base === undefined) return undefined;
  const window = elapsed(base.at, newest.at);
  const used = newest.cpuNanoSeconds - base.cpuNanoSeconds;
  return {
    at: newest.at,
    window,
    cpuNanoCores: (used * 1000n) / BigInt(Math.round(window)),
    memoryBytes: newest.memoryBytes,
  };
}

/** What is kept for later comparison: nothing that came too late or is too old. */
export function remembered(samples: readonly UsageSample[], newest: UsageSample): readonly UsageSample[] {
  const last = samples.at(-1);
  const young = samples.filter(({ at }) => at >= newest.at - longestWindow);
  if (last !== undefined && newest.at < last.at + millis(100)) return young;
  return [...young, newest];
}
