// What a change of a Deployment's own size means for its ReplicaSets (pod-lifecycle 13.3.6).

import type { Deployment, ReplicaSet } from "../../api/index.ts";
import { byAge } from "./by-age.ts";
import { annotatedNumber, desiredReplicasAnnotation, maxReplicasAnnotation, type Revisions } from "./revisions.ts";
import { isRolling, maxSurgeOf, type Resize, totalReplicas } from "./rolling-update.ts";

/** Whether the Deployment's size has changed since its ReplicaSets got theirs. */
export function wasScaled(deployment: Deployment, { newest, old }: Revisions): boolean {
  return active(newest === undefined ? old : [...old, newest]).some((replicaSet) => {
    const desired = annotatedNumber(replicaSet, desiredReplicasAnnotation);
    return desired !== undefined && desired !== deployment.spec.replicas;
  });
}

/** The sizes, also those that stay: what they are for is written down with them. In the middle of a rollout everyone takes a share, in proportion to its size. */
export function planScaling(deployment: Deployment, revisions: Revisions): readonly Resize[] {
  const { newest, old } = revisions;
  const { replicas } = deployment.spec;
  const only = activeOrLatest(revisions);
  if (only !== undefined) return [{ replicaSet: only, replicas }];
  if (newest !== undefined && isSaturated(deployment, newest)) {
    return active(old).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  }
  if (!isRolling(deployment)) return [];
  return proportionally(deployment, active(newest === undefined ? old : [...old, newest]));
}

const active = (replicaSets: readonly ReplicaSet[]): ReplicaSet[] =>
  replicaSets.filter(({ spec }) => spec.replicas > 0);

/** The only one that has replicas; if none has, the newest there is. Undefined if several have. */
function activeOrLatest({ newest, old }: Revisions): ReplicaSet | undefined {
  const [first, second] = active(newest === undefined ? old : [...old, newest]);
  if (second !== undefined) return undefined;
  return first ?? newest ?? [...old].sort(byAge).at(-1);
}

/** The rollout is over, as far as the newest is concerned. */
function isSaturated({ spec }: Deployment, newest: ReplicaSet): boolean {
  return (
    newest.spec.replicas === spec.replicas &&
    annotatedNumber(newest, desiredReplicasAnnotation) === spec.replicas &&
    newest.status.availableReplicas === spec.replicas
  );
}

/** The largest first; of equals the newer one grows first and the older one shrinks first. What rounding leaves over is the largest one's. */
function proportionally(deployment: Deployment, replicaSets: readonly ReplicaSet[]): readonly Resize[] {
  const { replicas } = deployment.spec;
  const allowed = replicas > 0 ? replicas + maxSurgeOf(deployment) : 0;
  const change = allowed - totalReplicas(replicaSets);
  const sorted = [...replicaSets].sort(
    (a, b) => b.spec.replicas - a.spec.replicas || (change > 0 ? byAge(b, a) : byAge(a, b)),
  );
  let given = 0;
  const shares = sorted.map((replicaSet) => {
    const share = change === 0 || change === given ? 0 : shareOf(deployment, replicaSet, change - given);
    given += share;
    return share;
  });
  return sorted.map((replicaSet, position) => {
    const leftover = position === 0 ? change - given : 0;
    return { replicaSet, replicas: Math.max(0, replicaSet.spec.replicas + (shares[position] ?? 0) + leftover) };
  });
}

function shareOf(deployment: Deployment, replicaSet: ReplicaSet, left: number): number {
  const fraction = fractionOf(deployment, replicaSet);
  return left > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

/** How the ReplicaSet would change to keep its part of the whole. */
function fractionOf(deployment: Deployment, replicaSet: ReplicaSet): number {
  const { replicas } = deployment.spec;
  const present = replicaSet.spec.replicas;
  if (replicas === 0) return -present;
  const before = annotatedNumber(replicaSet, maxReplicasAnnotation) || (deployment.status.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((present * (replicas + maxSurgeOf(deployment))) / before) - present;
}
