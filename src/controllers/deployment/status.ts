// What a Deployment reports: counts, and whether it is available, progressing, stuck or done (pod-lifecycle 13.3.8).

import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../api/index.ts";
import { type Instant, type Millis, after, elapsed, formatTime, millis, parseTime, seconds } from "../../base/time.ts";
import type { Revisions } from "./revisions.ts";
import { maxUnavailableOf, totalReplicas } from "./rolling-update.ts";

export type Conditions = readonly DeploymentCondition[];

/** A Deployment with this deadline has none. */
const noDeadlineSeconds = 2 ** 31 - 1;

export interface ConditionChange {
  readonly type: "Available" | "Progressing" | "ReplicaFailure";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** The status that follows from the ReplicaSets, conditions of progress included. */
export function computeStatus(deployment: Deployment, revisions: Revisions, now: Instant): DeploymentStatus {
  const status = computeCounts(deployment, revisions, now);
  const conditions = withReplicaFailure(withProgress(deployment, status, revisions.newest, now), revisions);
  return { ...status, conditions };
}

/** The status without a verdict on progress: of a Deployment that is paused, being scaled or going. */
export function computeCounts(deployment: Deployment, revisions: Revisions, now: Instant): DeploymentStatus {
  const { newest, old } = revisions;
  const all = newest === undefined ? old : [...old, newest];
  const sum = (count: (replicaSet: ReplicaSet) => number | undefined): number =>
    all.reduce((total, replicaSet) => total + (count(replicaSet) ?? 0), 0);
  const available = sum(({ status }) => status.availableReplicas);
  const { collisionCount, conditions = [] } = deployment.status;
  const isAvailable = available >= deployment.spec.replicas - maxUnavailableOf(deployment);
  return {
    ...positive({
      observedGeneration: deployment.metadata.generation ?? 0,
      replicas: sum(({ status }) => status.replicas),
      updatedReplicas: newest?.status.replicas ?? 0,
      readyReplicas: sum(({ status }) => status.readyReplicas),
      availableReplicas: available,
      unavailableReplicas: totalReplicas(all) - available,
    }),
    ...(collisionCount !== undefined && { collisionCount }),
    conditions: setCondition(conditions, isAvailable ? minimumAvailable : minimumUnavailable, now),
  };
}

const minimumAvailable: ConditionChange = {
  type: "Available",
  status: "True",
  reason: "MinimumReplicasAvailable",
  message: "Deployment has minimum availability.",
};

const minimumUnavailable: ConditionChange = {
  type: "Available",
  status: "False",
  reason: "MinimumReplicasUnavailable",
  message: "Deployment does not have minimum availability.",
};

/** A condition that says the same as before keeps all its times; one of the same status keeps when it began. */
export function setCondition(conditions: Conditions, change: ConditionChange, now: Instant): Conditions {
  const present = conditions.find(({ type }) => type === change.type);
  if (present?.status === change.status && present.reason === change.reason) return conditions;
  return [...without(conditions, change.type), conditionOf(change, present, now)];
}

/** What the conditions say about a pause that begins or ends. A rollout that has failed stays failed. */
export function withPause(deployment: Deployment, now: Instant): Conditions {
  const conditions = deployment.status.conditions ?? [];
  const reason = progressOf(conditions)?.reason;
  if (deployment.metadata.deletionTimestamp !== undefined) return conditions;
  if (!hasDeadline(deployment) || reason === "ProgressDeadlineExceeded") return conditions;
  const isPaused = deployment.spec.paused === true;
  if (isPaused === (reason === "DeploymentPaused")) return conditions;
  return setCondition(
    conditions,
    {
      type: "Progressing",
      status: "Unknown",
      reason: isPaused ? "DeploymentPaused" : "DeploymentResumed",
      message: isPaused ? "Deployment is paused" : "Deployment is resumed",
    },
    now,
  );
}

/** What is said when the newest ReplicaSet was made, could not be made, or was found. */
export function withReplicaSet(
  deployment: Deployment,
  change: Pick<ConditionChange, "status" | "reason" | "message">,
  now: Instant,
): Conditions {
  const conditions = deployment.status.conditions ?? [];
  return hasDeadline(deployment) ? setCondition(conditions, { type: "Progressing", ...change }, now) : conditions;
}

/** Every wanted replica is of the newest template and available, and the wish is the latest. */
export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  return (
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

/** The time until the deadline has to be looked at again; undefined if there is none that could pass. */
export function untilDeadline(deployment: Deployment, status: DeploymentStatus, now: Instant): Millis | undefined {
  const condition = progressOf(status.conditions ?? []);
  if (!hasDeadline(deployment) || deployment.spec.paused === true || condition === undefined) return undefined;
  if (deployment.metadata.deletionTimestamp !== undefined || isComplete(deployment, status)) return undefined;
  // A rollout that has come to its end or is late already has no deadline before it, whatever becomes of its Pods.
  if (condition.reason === "NewReplicaSetAvailable" || condition.reason === "ProgressDeadlineExceeded")
    return undefined;
  // Times are kept in whole seconds: one more, so that it has surely passed. A turn that had something else to do comes again soon, not at once.
  const deadline = after(lastProgress(condition, now), seconds(deployment.spec.progressDeadlineSeconds + 1));
  return millis(Math.max(elapsed(now, deadline), seconds(1)));
}

export function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== noDeadlineSeconds;
}

export const progressOf = (conditions: Conditions): DeploymentCondition | undefined =>
  conditions.find(({ type }) => type === "Progressing");

/** @param status what was counted now, against what the Deployment said before */
function withProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  newest: ReplicaSet | undefined,
  now: Instant,
): Conditions {
  const conditions = status.conditions ?? [];
  if (!hasDeadline(deployment)) return without(conditions, "Progressing");
  const present = progressOf(conditions);
  // A rollout that has come to its end stays so until the next: Pods that fail later are no lack of progress.
  const wasComplete =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && present?.reason === "NewReplicaSetAvailable";
  if (wasComplete) return conditions;
  const what =
    newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest.metadata.name}"`;
  const set = (change: Omit<ConditionChange, "type" | "message">, text: string): Conditions =>
    setCondition(conditions, { type: "Progressing", ...change, message: `${what} ${text}` }, now);
  if (isComplete(deployment, status)) {
    return set({ status: "True", reason: "NewReplicaSetAvailable" }, "has successfully progressed.");
  }
  if (hasProgressed(deployment.status, status)) {
    // Unlike other conditions it is told anew each time: the deadline runs from its last update.
    const told: ConditionChange = {
      type: "Progressing",
      status: "True",
      reason: "ReplicaSetUpdated",
      message: `${what} is progressing.`,
    };
    return [...without(conditions, "Progressing"), conditionOf(told, present, now)];
  }
  if (hasTimedOut(deployment, present, now)) {
    return set({ status: "False", reason: "ProgressDeadlineExceeded" }, "has timed out progressing.");
  }
  return conditions;
}

function hasProgressed(before: DeploymentStatus, status: DeploymentStatus): boolean {
  const grown = (field: "updatedReplicas" | "readyReplicas" | "availableReplicas"): boolean =>
    (status[field] ?? 0) > (before[field] ?? 0);
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return grown("updatedReplicas") || old(status) < old(before) || grown("readyReplicas") || grown("availableReplicas");
}

function hasTimedOut({ spec }: Deployment, condition: DeploymentCondition | undefined, now: Instant): boolean {
  if (condition === undefined || condition.reason === "NewReplicaSetAvailable") return false;
  if (condition.reason === "ProgressDeadlineExceeded") return true;
  return elapsed(lastProgress(condition, now), now) > seconds(spec.progressDeadlineSeconds);
}

const lastProgress = ({ lastUpdateTime = "" }: DeploymentCondition, now: Instant): Instant =>
  parseTime(lastUpdateTime) ?? now;

/** One ReplicaSet's failure speaks for the Deployment, the newest one's first. */
function withReplicaFailure(conditions: Conditions, { newest, old }: Revisions): Conditions {
  const others = without(conditions, "ReplicaFailure");
  for (const { status } of newest === undefined ? old : [newest, ...old]) {
    const failure = (status.conditions ?? []).find(({ type }) => type === "ReplicaFailure");
    if (failure === undefined) continue;
    const present = conditions.find(({ type }) => type === "ReplicaFailure");
    if (present?.status === failure.status && present.reason === failure.reason) return conditions;
    const lastUpdateTime = failure.lastTransitionTime;
    return [...others, { ...failure, ...(lastUpdateTime !== undefined && { lastUpdateTime }) }];
  }
  return others.length === conditions.length ? conditions : others;
}

function conditionOf(
  { type, status, reason, message }: ConditionChange,
  present: DeploymentCondition | undefined,
  now: Instant,
): DeploymentCondition {
  const at = formatTime(now);
  const since = present?.status === status ? (present.lastTransitionTime ?? at) : at;
  return { type, status, lastUpdateTime: at, lastTransitionTime: since, reason, message };
}

const without = (conditions: Conditions, type: string): Conditions =>
  conditions.filter((condition) => condition.type !== type);

/** Counts of zero, and of less where more is available than asked for, are left out. */
function positive<T extends Readonly<Record<string, number>>>(counts: T): Partial<T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)) as Partial<T>;
}
