// A kubelet that dies while the runtime starts a container takes the call along: the runtime gives the start up and notes a failure that nobody heard of.

import type { Pod } from "../api/generated/core-v1.ts";
import type { Instant } from "../base/time.ts";
import { containerIdOf } from "./container-statuses.ts";
import { type ObservedContainer, type ObservedPod } from "./observed-pod.ts";
import { ephemeralContainersOf } from "./pod-containers.ts";

/**
 * The same sighting, in which starts that an earlier kubelet's end cut short count as not begun: the container is made but not started. If the failure was a
 * real one the next start says so again; if not, a Pod that restarts nothing has not failed because its kubelet did.
 * @param kubeletStartedAt instances made before are an earlier kubelet's
 */
export function withoutInterruptedStarts(observed: ObservedPod, pod: Pod, kubeletStartedAt: Instant): ObservedPod {
  const isInterrupted = ({ id, createdAt, metadata, state }: ObservedContainer): boolean =>
    state.kind === "exited" &&
    state.reason === "StartError" &&
    state.startedAt <= 0 &&
    createdAt < kubeletStartedAt &&
    !ephemeralContainersOf(pod).some(({ spec }) => spec.name === metadata.name) &&
    !toldEnds(pod).includes(id);
  if (!observed.containers.some(isInterrupted)) return observed;
  const containers = observed.containers.map(
    (container): ObservedContainer =>
      isInterrupted(container) ? { ...container, state: { kind: "created" } } : container,
  );
  return { ...observed, containers };
}

/** The instances whose ends the API knows: what has been told is not taken back. */
function toldEnds({ status }: Pod): readonly (string | undefined)[] {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].flatMap(
    ({ state, lastState }) => [
      containerIdOf(state?.terminated?.containerID),
      containerIdOf(lastState?.terminated?.containerID),
    ],
  );
}
