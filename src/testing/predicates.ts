// States that tests wait for, named. A predicate sees the object as it stands, or undefined if it is not there.

import type { Node, Pod } from "../api/index.ts";
import type { JsonObject } from "../api/wire/request.ts";

export interface Predicate {
  (object: JsonObject | undefined): boolean;
  /** How the state is called in a failure: `Ready`. */
  readonly title: string;
}

const predicate = (title: string, test: (object: JsonObject | undefined) => boolean): Predicate =>
  Object.assign(test, { title });

/** A condition of the object is True. */
export const hasCondition = (type: string, status = "True"): Predicate =>
  predicate(`condition ${type} is ${status}`, (object) => {
    const conditions = (object as unknown as Pod | Node | undefined)?.status?.conditions ?? [];
    return conditions.some((condition) => condition.type === type && condition.status === status);
  });

export const isReady: Predicate = Object.assign(hasCondition("Ready"), { title: "Ready" });
export const isGone: Predicate = predicate("gone", (object) => object === undefined);
export const exists: Predicate = predicate("there", (object) => object !== undefined);
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

/** A container waits for this reason. */
export const waitsFor = (reason: string): Predicate =>
  predicate(`a container waiting for ${reason}`, (object) => {
    const status = (object as unknown as Pod | undefined)?.status;
    return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(
      (container) => container.state?.waiting?.reason === reason,
    );
  });

/** A container has been restarted at least so often. */
export const hasRestarts = (times: number): Predicate =>
  predicate(`${times} restarts`, (object) => {
    const status = (object as unknown as Pod | undefined)?.status;
    return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(
      (container) => container.restartCount >= times,
    );
  });

/** A container of any sort is in this state. */
export const hasContainer = (name: string, state: "waiting" | "running" | "terminated"): Predicate =>
  predicate(`${name} ${state}`, (object) => {
    const status = (object as unknown as Pod | undefined)?.status;
    return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(
      (container) => container.name === name && container.state?.[state] !== undefined,
    );
  });

/** The Pod has a node. */
export const isScheduled: Predicate = Object.assign(hasCondition("PodScheduled"), { title: "Scheduled" });
