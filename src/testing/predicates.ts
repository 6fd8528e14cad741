// States that tests wait for, named. A predicate sees the object as it stands, or undefined if it is not there.

import type { ContainerStatus, DaemonSet, Deployment, Node, Pod } from "../api/index.ts";
import type { JsonObject } from "../api/wire/request.ts";

/** A state that a story waits for. */
export interface Predicate {
  (object: JsonObject | undefined): boolean;
  /** How the state is called in a failure: `Ready`. */
  readonly title: string;
}

const predicate = (title: string, test: (object: JsonObject | undefined) => boolean): Predicate =>
  Object.assign(test, { title });

/** A condition of the object has this status, True unless another is given. */
export const hasCondition = (type: string, status = "True"): Predicate =>
  predicate(`condition ${type} is ${status}`, (object) => {
    const conditions = (object as unknown as Pod | Node | undefined)?.status?.conditions ?? [];
    return conditions.some((condition) => condition.type === type && condition.status === status);
  });

/** A Pod or a node is Ready. */
export const isReady: Predicate = Object.assign(hasCondition("Ready"), { title: "Ready" });
/** The object is not there. */
export const isGone: Predicate = predicate("gone", (object) => object === undefined);
/** The object is there. */
export const exists: Predicate = predicate("there", (object) => object !== undefined);
/** The object is being deleted. */
export const isTerminating: Predicate = predicate(
  "Terminating",
  (object) => (object as unknown as Pod | undefined)?.metadata.deletionTimestamp !== undefined,
);

/** The Pod is in this phase. */
export const hasPhase = (phase: string): Predicate =>
  predicate(`phase ${phase}`, (object) => (object as unknown as Pod | undefined)?.status.phase === phase);

export const isRunning: Predicate = hasPhase("Running");
export const isSucceeded: Predicate = hasPhase("Succeeded");
export const isFailed: Predicate = hasPhase("Failed");

/** Of containers of every sort. */
const statusesOf = (pod: Pod | undefined): readonly ContainerStatus[] => [
  ...(pod?.status.initContainerStatuses ?? []),
  ...(pod?.status.containerStatuses ?? []),
  ...(pod?.status.ephemeralContainerStatuses ?? []),
];

/** A container waits for this reason. */
export const waitsFor = (reason: string): Predicate =>
  predicate(`a container waiting for ${reason}`, (object) => {
    return statusesOf(object as unknown as Pod | undefined).some(
      (container) => container.state?.waiting?.reason === reason,
    );
  });

/** A container has been restarted at least so often. */
export const hasRestarts = (times: number): Predicate =>
  predicate(`${times} restarts`, (object) => {
    return statusesOf(object as unknown as Pod | undefined).some((container) => container.restartCount >= times);
  });

/** A container of any sort is in this state. */
export const hasContainer = (name: string, state: "waiting" | "running" | "terminated"): Predicate =>
  predicate(`${name} ${state}`, (object) => {
    return statusesOf(object as unknown as Pod | undefined).some(
      (container) => container.name === name && container.state?.[state] !== undefined,
    );
  });

/** A rollout is over: every replica that is wanted is of the newest template, available, and alone; of a DaemonSet, every node's. */
export const isRolledOut: Predicate = predicate("rolled out", (object) => {
  if (object?.["kind"] === "DaemonSet") return isRolledOutEverywhere(object as unknown as DaemonSet);
  const { metadata, spec, status } = (object ?? { spec: {}, status: {} }) as unknown as Deployment;
  const isSeen = (status.observedGeneration ?? -1) >= (metadata?.generation ?? 0);
  const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
  return isSeen && counts.every((count) => (count ?? 0) === spec.replicas);
});

function isRolledOutEverywhere({ metadata, status }: DaemonSet): boolean {
  const isSeen = (status.observedGeneration ?? -1) >= (metadata.generation ?? 0);
  const counts = [status.currentNumberScheduled, status.updatedNumberScheduled, status.numberAvailable];
  return isSeen && counts.every((count) => (count ?? 0) === status.desiredNumberScheduled);
}

/** So many replicas are there and ready, as the object reports. */
export const hasReadyReplicas = (count: number): Predicate =>
  predicate(`${count} ready replicas`, (object) => {
    const status = (object as unknown as Deployment | undefined)?.status;
    return (status?.readyReplicas ?? 0) === count && (status?.replicas ?? 0) === count;
  });

/** The Job has succeeded. */
export const isComplete: Predicate = Object.assign(hasCondition("Complete"), { title: "Complete" });

/** The Pod has a node. */
export const isScheduled: Predicate = Object.assign(hasCondition("PodScheduled"), { title: "Scheduled" });
