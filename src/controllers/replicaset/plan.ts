// How many Pods to make, or which to delete, and what to report (pod-lifecycle 13.2).

import type { Pod, PodTemplateSpec, ReplicaSetCondition, ReplicaSetStatus } from "../../api/index.ts";
import { type Instant, formatTime } from "../../base/time.ts";
import { messageOf } from "../pod-control.ts";
import type { Owner } from "../ownership.ts";
import { isReady, untilAvailable } from "../pod-state.ts";
import { podsToDelete } from "./deletion-order.ts";

/** The most Pods that one turn creates or deletes. */
export const burst = 500;

/** A ReplicaSet or a ReplicationController: what both say. */
export interface ReplicaOwner extends Owner {
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly template: PodTemplateSpec;
  readonly status: ReplicaSetStatus;
}

export type ReplicaPlan =
  | { readonly kind: "nothing" }
  | { readonly kind: "create"; readonly count: number }
  | { readonly kind: "delete"; readonly pods: readonly Pod[] };

/**
 * @param active the owner's Pods that count
 * @param related Pods of its owner's other ReplicaSets, its own included: they say how full a node is
 */
export function planReplicas(
  owner: Pick<ReplicaOwner, "metadata" | "replicas">,
  active: readonly Pod[],
  related: readonly Pod[],
  now: Instant,
): ReplicaPlan {
  if (owner.metadata.deletionTimestamp !== undefined) return { kind: "nothing" };
  const missing = owner.replicas - active.length;
  if (missing === 0) return { kind: "nothing" };
  if (missing > 0) return { kind: "create", count: Math.min(missing, burst) };
  return { kind: "delete", pods: podsToDelete(active, related, Math.min(-missing, burst), now) };
}

/** @param failure what kept the owner from creating or deleting; undefined if nothing did */
export function computeStatus(
  { replicas, minReadySeconds, template, status, metadata }: ReplicaOwner,
  active: readonly Pod[],
  failure: unknown,
  now: Instant,
): ReplicaSetStatus {
  const wanted = Object.entries(template.metadata?.labels ?? {});
  const count = (holds: (pod: Pod) => boolean): number => active.filter(holds).length;
  const conditions = planConditions(status.conditions ?? [], active.length - replicas, failure, now);
  return {
    ...withoutConditions(status),
    replicas: active.length,
    ...positive({
      fullyLabeledReplicas: count((pod) => wanted.every(([name, value]) => pod.metadata.labels?.[name] === value)),
      readyReplicas: count(isReady),
      availableReplicas: count((pod) => untilAvailable(pod, minReadySeconds, now) === 0),
      observedGeneration: metadata.generation ?? 0,
    }),
    ...(conditions.length > 0 && { conditions }),
  };
}

/** The first failure stays as it was told until there is none. */
function planConditions(
  present: readonly ReplicaSetCondition[],
  surplus: number,
  failure: unknown,
  now: Instant,
): readonly ReplicaSetCondition[] {
  const hasFailed = present.some(({ type }) => type === "ReplicaFailure");
  if (failure === undefined) return present.filter(({ type }) => type !== "ReplicaFailure");
  if (hasFailed) return present;
  const failed: ReplicaSetCondition = {
    type: "ReplicaFailure",
    status: "True",
    lastTransitionTime: formatTime(now),
    reason: surplus > 0 ? "FailedDelete" : "FailedCreate",
    message: messageOf(failure),
  };
  return [...present, failed];
}

function withoutConditions(status: ReplicaSetStatus): Partial<ReplicaSetStatus> {
  const {
    conditions: _conditions,
    fullyLabeledReplicas: _labeled,
    readyReplicas: _ready,
    availableReplicas: _available,
    observedGeneration: _generation,
    ...rest
  } = status;
  return rest;
}

/** Counts of zero are left out, as upstream does. */
function positive<T extends Readonly<Record<string, number>>>(counts: T): Partial<T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)) as Partial<T>;
}
