// The arithmetic of a rolling update: how many Pods there may be, how few there must be, and whose turn it is (pod-lifecycle 13.3.2 and 4).

import type { Deployment, ReplicaSet } from "../../api/index.ts";
import { scaledAmount } from "../../api/meta/percent.ts";
import { byAge } from "./by-age.ts";
import type { Revisions } from "./revisions.ts";

/** A ReplicaSet and the number of replicas that it is to have. */
export interface Resize {
  readonly replicaSet: ReplicaSet;
  readonly replicas: number;
}

/** How many Pods more than wanted there may be during a rollout. */
export function maxSurgeOf({ spec }: Deployment): number {
  return isRolling({ spec }) ? limits(spec).surge : 0;
}

/** How many Pods fewer than wanted may be available during a rollout. */
export function maxUnavailableOf({ spec }: Deployment): number {
  if (!isRolling({ spec }) || spec.replicas === 0) return 0;
  return Math.min(limits(spec).unavailable, spec.replicas);
}

/** The size that the newest ReplicaSet may grow to now; for a Recreate all at once. */
export function newestSize(deployment: Deployment, newest: number, total: number): number {
  const { replicas } = deployment.spec;
  if (!isRolling(deployment)) return replicas;
  const room = replicas + maxSurgeOf(deployment) - total;
  return room <= 0 ? newest : newest + Math.min(room, replicas - newest);
}

/** The change of the newest ReplicaSet that is due; undefined if it has the size it may have. */
export function resizeNewest(
  deployment: Deployment,
  newest: ReplicaSet,
  old: readonly ReplicaSet[],
): Resize | undefined {
  const { replicas } = deployment.spec;
  const present = newest.spec.replicas;
  const size = present > replicas ? replicas : newestSize(deployment, present, present + totalReplicas(old));
  return size === present ? undefined : { replicaSet: newest, replicas: size };
}

/**
 * The changes of the old ReplicaSets that are due. First go replicas that are not available anyway, else a broken revision could keep the repair
 * from being rolled out; then available ones, as long as enough others are.
 */
export function shrinkOld(deployment: Deployment, { newest, old }: Revisions): readonly Resize[] {
  const sorted = old.filter(({ spec }) => spec.replicas > 0).sort(byAge);
  const all = newest === undefined ? sorted : [...sorted, newest];
  const leastAvailable = deployment.spec.replicas - maxUnavailableOf(deployment);
  const newestUnavailable = newest === undefined ? 0 : newest.spec.replicas - available(newest);
  const budget = totalReplicas(all) - leastAvailable - newestUnavailable;
  if (budget <= 0) return [];

  const sizes = new Map(sorted.map((replicaSet) => [replicaSet, replicaSet.spec.replicas]));
  const take = (replicaSet: ReplicaSet, count: number): number => {
    sizes.set(replicaSet, (sizes.get(replicaSet) ?? 0) - count);
    return count;
  };
  let unhealthyLeft = budget;
  for (const replicaSet of sorted) {
    unhealthyLeft -= take(replicaSet, Math.min(unhealthyLeft, replicaSet.spec.replicas - available(replicaSet)));
  }
  let spare = all.reduce((sum, replicaSet) => sum + available(replicaSet), 0) - leastAvailable;
  for (const replicaSet of sorted) {
    spare -= take(replicaSet, Math.max(0, Math.min(spare, sizes.get(replicaSet) ?? 0)));
  }
  return sorted
    .map((replicaSet) => ({ replicaSet, replicas: sizes.get(replicaSet) ?? 0 }))
    .filter(({ replicaSet, replicas }) => replicas !== replicaSet.spec.replicas);
}

export const isRolling = ({ spec }: Pick<Deployment, "spec">): boolean => spec.strategy.type === "RollingUpdate";

export function totalReplicas(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, { spec }) => sum + spec.replicas, 0);
}

/** What was reported may be older than the size: of more than there are to be, none is sure to stay. */
function available({ spec, status }: ReplicaSet): number {
  return Math.min(status.availableReplicas ?? 0, spec.replicas);
}

/** Surge rounds up and unavailability down; when both come to nothing one may be missing, else nothing could ever move. */
function limits({ strategy, replicas }: Deployment["spec"]): { readonly surge: number; readonly unavailable: number } {
  const { maxSurge = 0, maxUnavailable = 0 } = strategy.rollingUpdate ?? {};
  const surge = scaledAmount(maxSurge, replicas, "up");
  const unavailable = scaledAmount(maxUnavailable, replicas, "down");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}
