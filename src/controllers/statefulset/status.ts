// What a StatefulSet reports (pod-lifecycle 13.4.6). Upstream gives it no conditions: that a rollout is stuck shows in the counts.

import type { Pod, StatefulSet, StatefulSetStatus } from "../../api/index.ts";
import type { Instant } from "../../base/time.ts";
import { isReady } from "../pod-state.ts";
import { revisionNameOf } from "./identity.ts";
import { isRunningAndAvailable, type StatefulSetPlan } from "./plan.ts";

export interface SetRevisions {
  readonly current: string;
  readonly update: string;
  readonly collisionCount: number;
}

/** @param done what has been carried out: a Pod that had to go for a newer one no longer counts as current */
export function computeStatus(
  set: StatefulSet,
  revisions: SetRevisions,
  pods: readonly Pod[],
  done: StatefulSetPlan,
  now: Instant,
): StatefulSetStatus {
  const count = (holds: (pod: Pod) => boolean): number => pods.filter(holds).length;
  const isRunningAndReady = (pod: Pod): boolean => pod.status.phase === "Running" && isReady(pod);
  const isOf = (revision: string) => (pod: Pod) =>
    pod.metadata.deletionTimestamp === undefined && revisionNameOf(pod) === revision;
  const outdated = done.phases.flat().filter((action) => action.kind === "delete" && action.why === "outdated");
  const replicas = pods.length;
  const readyReplicas = count(isRunningAndReady);
  const updatedReplicas = count(isOf(revisions.update));
  const isComplete =
    set.spec.updateStrategy.type === "RollingUpdate" &&
    [replicas, readyReplicas, updatedReplicas].every((each) => each === set.spec.replicas);
  const currentReplicas = isComplete ? updatedReplicas : count(isOf(revisions.current)) - outdated.length;
  return {
    ...(set.status.conditions && { conditions: set.status.conditions }),
    observedGeneration: set.metadata.generation ?? 0,
    replicas,
    ...positive({ readyReplicas, currentReplicas, updatedReplicas }),
    currentRevision: isComplete ? revisions.update : revisions.current,
    updateRevision: revisions.update,
    collisionCount: revisions.collisionCount,
    availableReplicas: count((pod) => isRunningAndAvailable(pod, { set, now })),
  };
}

/** Counts of zero are left out, as upstream does. */
function positive(counts: Readonly<Record<string, number>>): Partial<StatefulSetStatus> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
