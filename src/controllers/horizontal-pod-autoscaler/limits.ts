// How fast and how far a number of replicas may move: stabilization windows, policies, the smallest and the largest number.

import type { HPAScalingRules } from "../../api/generated/autoscaling-v2.ts";
import { after, type Instant, seconds } from "../../base/time.ts";

/** A number of replicas that was once found right, before any limit. */
export interface Recommendation {
  readonly at: Instant;
  readonly replicas: number;
}

/** A change that was carried out: how many came or went. */
export interface ScaleChange {
  readonly at: Instant;
  readonly by: number;
}

/** What is remembered of an autoscaler's past. It is forgotten when lifepod starts again, as upstream forgets it. */
export interface Past {
  readonly recommendations: readonly Recommendation[];
  readonly up: readonly ScaleChange[];
  readonly down: readonly ScaleChange[];
}

export const noPast: Past = { recommendations: [], up: [], down: [] };

export interface Move {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  readonly rules?: { readonly scaleUp?: HPAScalingRules; readonly scaleDown?: HPAScalingRules };
  readonly past: Past;
  readonly now: Instant;
}

export interface Reason {
  readonly reason: string;
  readonly message: string;
}

export interface LimitedMove {
  readonly replicas: number;
  /** Why it is able to scale: at once, or held by a window. */
  readonly able: Reason;
  /** Absent limits are told too. */
  readonly limited: Reason & { readonly isLimited: boolean };
}

/** A decrease waits this long unless a behavior says otherwise. */
export const defaultDownWindowSeconds = 300;
/** How far back anything is remembered: the longest window and the longest period are an hour. */
const longestMemory = seconds(3600);

export function limitMove(move: Move): LimitedMove {
  const { replicas, able } = stabilized(move);
  return { ...withinLimits({ ...move, desired: replicas }), able };
}

/** The past with what was found now. */
export function remember(past: Past, now: Instant, desired: number): Past {
  const isRecent = ({ at }: { readonly at: Instant }): boolean => after(at, longestMemory) > now;
  return {
    recommendations: [...past.recommendations.filter(isRecent), { at: now, replicas: desired }],
    up: past.up.filter(isRecent),
    down: past.down.filter(isRecent),
  };
}

/** The past with a change that was carried out now. */
export function rememberChange(past: Past, now: Instant, from: number, to: number): Past {
  const change = { at: now, by: Math.abs(to - from) };
  return to > from ? { ...past, up: [...past.up, change] } : { ...past, down: [...past.down, change] };
}

/** Up goes by the lowest recommendation of its window, down by the highest of its own. */
function stabilized({ current, desired, rules, past, now }: Move): {
  readonly replicas: number;
  readonly able: Reason;
} {
  const upWindow = rules === undefined ? 0 : (rules.scaleUp?.stabilizationWindowSeconds ?? 0);
  const downWindow = rules?.scaleDown?.stabilizationWindowSeconds ?? defaultDownWindowSeconds;
  const since = (windowSeconds: number): readonly number[] =>
    past.recommendations.filter(({ at }) => after(at, seconds(windowSeconds)) > now).map(({ replicas }) => replicas);
  const lowest = Math.min(desired, ...since(upWindow));
  const highest = Math.max(desired, ...since(downWindow));
  let replicas = current;
  if (replicas < lowest) replicas = lowest;
  if (replicas > highest) replicas = highest;
  if (rules === undefined) replicas = highest;
  if (replicas === desired) {
    return {
      replicas,
      able: { reason: "ReadyForNewScale", message: "recommended size matches current size" },
    };
  }
  if (rules !== undefined && desired >= current) {
    const message = "recent recommendations were lower than current one, applying the lowest recent recommendation";
    return { replicas, able: { reason: "ScaleUpStabilized", message } };
  }
  const message = "recent recommendations were higher than current one, applying the highest recent recommendation";
  return { replicas, able: { reason: "ScaleDownStabilized", message } };
}

const reasons = {
  up: { reason: "ScaleUpLimit", message: "the desired replica count is increasing faster than the maximum scale rate" },
  down: {
    reason: "ScaleDownLimit",
    message: "the desired replica count is decreasing faster than the maximum scale rate",
  },
  most: { reason: "TooManyReplicas", message: "the desired replica count is more than the maximum replica count" },
  least: { reason: "TooFewReplicas", message: "the desired replica count is less than the minimum replica count" },
  none: { reason: "DesiredWithinRange", message: "the desired count is within the acceptable range" },
} as const;

function withinLimits(move: Move): Omit<LimitedMove, "able"> {
  const { current, desired, min, max, rules } = move;
  const limited = (replicas: number, why: Reason): Omit<LimitedMove, "able"> => ({
    replicas,
    limited: { ...why, isLimited: true },
  });
  if (rules === undefined || desired > current) {
    const rate = rules === undefined ? Math.max(2 * current, 4) : Math.max(current, upLimit(move, rules.scaleUp));
    if (rules === undefined && desired < min) return limited(min, reasons.least);
    const most = Math.min(max, rate);
    if (desired > most) return limited(most, max > rate ? reasons.up : reasons.most);
  } else if (desired < current) {
    const rate = Math.min(current, downLimit(move, rules.scaleDown));
    const least = Math.max(min, rate);
    if (desired < least) return limited(least, min < rate ? reasons.down : reasons.least);
  }
  return { replicas: desired, limited: { ...reasons.none, isLimited: false } };
}

function upLimit({ current, past, now }: Move, rules: HPAScalingRules | undefined): number {
  if (rules === undefined) return Number.MAX_SAFE_INTEGER;
  if (rules.selectPolicy === "Disabled") return current;
  const proposals = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current - changed(past.up, periodSeconds, now) + changed(past.down, periodSeconds, now);
    return type === "Pods" ? start + value : Math.ceil((start * (100 + value)) / 100);
  });
  return rules.selectPolicy === "Min" ? Math.min(...proposals) : Math.max(...proposals);
}

function downLimit({ current, past, now }: Move, rules: HPAScalingRules | undefined): number {
  if (rules === undefined) return 0;
  if (rules.selectPolicy === "Disabled") return current;
  const proposals = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current + changed(past.down, periodSeconds, now) - changed(past.up, periodSeconds, now);
    return type === "Pods" ? start - value : Math.floor((start * (100 - value)) / 100);
  });
  // The policy that changes least leaves the most.
  return rules.selectPolicy === "Min" ? Math.max(...proposals) : Math.min(...proposals);
}

function changed(changes: readonly ScaleChange[], periodSeconds: number, now: Instant): number {
  return changes.filter(({ at }) => after(at, seconds(periodSeconds)) > now).reduce((sum, { by }) => sum + by, 0);
}
