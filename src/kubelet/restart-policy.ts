// Whether a container that is not running should be started (pod-lifecycle 5.1).

import type { Pod } from "../api/generated/core-v1.ts";
import { newestInstance, type ObservedPod, succeeded } from "./observed-pod.ts";
import type { PodContainer } from "./pod-containers.ts";

/** Whether this container is to be started or started again, as far as its own past and the restart policy say. */
export function shouldBeStarted(pod: Pod, container: PodContainer, observed: ObservedPod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const newest = newestInstance(observed, container.spec.name);
  if (newest === undefined) return true;
  switch (newest.state.kind) {
    case "running":
      return false;
    case "created":
    case "unknown":
      return true;
    case "exited":
      switch (container.role) {
        case "sidecar":
          return true;
        case "ephemeral":
          return false;
        case "init": // Always behaves like OnFailure here: what has succeeded is done.
          return pod.spec.restartPolicy !== "Never" && !succeeded(newest);
        case "regular":
          return (
            pod.spec.restartPolicy === "Always" ||
            (pod.spec.restartPolicy === "OnFailure" && newest.state.exitCode !== 0)
          );
      }
  }
}

/** Whether a container of this Pod comes back after it was killed for a failed probe. */
export function restartsAfterFailure(pod: Pod): boolean {
  return pod.spec.restartPolicy !== "Never";
}
