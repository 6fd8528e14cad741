// What a Deployment does next (pod-lifecycle 13.3). One step at a time: what comes after it follows from what the step has made of the cluster.

import type { Deployment, Pod, ReplicaSet } from "../../api/index.ts";
import { isFinished } from "../pod-state.ts";
import { byAge } from "./by-age.ts";
import { newReplicaSet, revisionOf, type Revisions, syncedNewest } from "./revisions.ts";
import { isRolling, newestSize, resizeNewest, type Resize, shrinkOld, totalReplicas } from "./rolling-update.ts";
import { planScaling, wasScaled } from "./scaling.ts";
import { isComplete } from "./status.ts";

export interface ObservedDeployment {
  readonly deployment: Deployment;
  readonly revisions: Revisions;
  /** The Pods of one of its ReplicaSets. */
  readonly podsOf: (replicaSet: ReplicaSet) => readonly Pod[];
}

export type DeploymentStep =
  /** It goes: nothing but the counts is reported. */
  | { readonly kind: "leave" }
  /** Its size or its pause is what matters, not its progress. */
  | { readonly kind: "scale"; readonly resizes: readonly Resize[]; readonly remove: readonly ReplicaSet[] }
  | { readonly kind: "create"; readonly replicaSet: ReplicaSet }
  /** The newest ReplicaSet gets the annotations and settings of its Deployment. */
  | { readonly kind: "sync"; readonly replicaSet: ReplicaSet }
  | { readonly kind: "resize"; readonly resizes: readonly Resize[] }
  /** Nothing to do but to wait and report; a rollout that is over lets old revisions go. */
  | { readonly kind: "settle"; readonly remove: readonly ReplicaSet[] };

export function planStep(observed: ObservedDeployment): DeploymentStep {
  const { deployment, revisions } = observed;
  const { newest, old } = revisions;
  if (deployment.metadata.deletionTimestamp !== undefined) return { kind: "leave" };
  if (newest !== undefined) {
    const synced = syncedNewest(deployment, newest, old);
    if (synced !== newest) return { kind: "sync", replicaSet: synced };
  }
  const isPaused = deployment.spec.paused === true;
  const resizes = isPaused || wasScaled(deployment, revisions) ? planScaling(deployment, revisions) : [];
  if (isPaused || resizes.length > 0) {
    return { kind: "scale", resizes, remove: isPaused ? expiredRevisions(deployment, old) : [] };
  }
  return isRolling(deployment) ? rollingStep(deployment, revisions) : recreateStep(observed);
}

/** Old ReplicaSets beyond the history that is kept, the oldest revision first. One that still has Pods, or may have, stays. */
export function expiredRevisions({ spec }: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const present = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = present.length - spec.revisionHistoryLimit;
  if (surplus <= 0) return [];
  return present
    .sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b))
    .slice(0, surplus)
    .filter(
      ({ spec: { replicas }, status, metadata }) =>
        replicas === 0 && status.replicas === 0 && (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    );
}

function rollingStep(deployment: Deployment, revisions: Revisions): DeploymentStep {
  const { newest, old } = revisions;
  if (newest === undefined) {
    return {
      kind: "create",
      replicaSet: newReplicaSet(deployment, old, newestSize(deployment, 0, totalReplicas(old))),
    };
  }
  const grown = resizeNewest(deployment, newest, old);
  if (grown !== undefined) return { kind: "resize", resizes: [grown] };
  const shrunk = shrinkOld(deployment, revisions);
  return shrunk.length > 0 ? { kind: "resize", resizes: shrunk } : settle(deployment, old);
}

/** First nothing of the old, then everything of the new: they never meet. */
function recreateStep({ deployment, revisions, podsOf }: ObservedDeployment): DeploymentStep {
  const { newest, old } = revisions;
  const shrunk = old.filter(({ spec }) => spec.replicas > 0).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  if (shrunk.length > 0) return { kind: "resize", resizes: shrunk };
  const isOver = ({ status }: Pod): boolean => isFinished(status.phase);
  if (old.some((replicaSet) => replicaSet.status.replicas > 0 || !podsOf(replicaSet).every(isOver))) {
    return { kind: "settle", remove: [] };
  }
  if (newest === undefined) {
    return { kind: "create", replicaSet: newReplicaSet(deployment, old, deployment.spec.replicas) };
  }
  const grown = resizeNewest(deployment, newest, old);
  return grown === undefined ? settle(deployment, old) : { kind: "resize", resizes: [grown] };
}

function settle(deployment: Deployment, old: readonly ReplicaSet[]): DeploymentStep {
  return { kind: "settle", remove: isComplete(deployment, deployment.status) ? expiredRevisions(deployment, old) : [] };
}
