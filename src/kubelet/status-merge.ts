// What of a computed status may be written now (pod-lifecycle 1.3).

import type { ContainerStatus, Pod, PodCondition, PodStatus } from "../api/generated/core-v1.ts";
import { formatTime, type Instant } from "../base/time.ts";
import { isKubeletCondition, notReadyForTerminalPhase, timedCondition } from "./conditions.ts";
import { containerStatusUnknown } from "./container-statuses.ts";
import { isTerminalPhase } from "./pod-containers.ts";

/**
 * The status to write over `api`: others' conditions stay as they are in the API; a terminal phase is held back while any container may still
 * be running, and never left again; a Pod with a terminal phase is not ready.
 */
export function mergePodStatus(
  api: PodStatus,
  computed: PodStatus,
  containersMayRun: boolean,
  now: Instant,
): PodStatus {
  const becomesTerminal = !isTerminalPhase(api.phase) && isTerminalPhase(computed.phase);
  const held = becomesTerminal && containersMayRun;
  // Somebody else may have ended the Pod (pod garbage collection) while the kubelet did not hear of it: a terminal phase is for ever.
  const isOver = isTerminalPhase(api.phase) && api.phase !== computed.phase;
  const verdict = held || isOver ? api : computed;
  const { reason: _reason, message: _message, ...rest } = computed;
  const merged: PodStatus = {
    ...rest,
    phase: verdict.phase,
    ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
    ...(verdict.message === undefined ? {} : { message: verdict.message }),
    conditions: mergedConditions(api, computed, becomesTerminal && !held, now),
  };
  return isTerminalPhase(merged.phase) ? withoutReadiness(merged, now) : merged;
}

/** The status of a Pod whose last container is gone for good: a terminal phase, and an end for every container that had begun (pod-lifecycle 1.3.6). */
export function terminalPodStatus(pod: Pod, status: PodStatus): PodStatus {
  const phase = isTerminalPhase(status.phase) ? status.phase : "Failed";
  const { containerStatuses, initContainerStatuses } = status;
  const initialized = hasPodInitialized(pod, status);
  return {
    ...status,
    phase,
    ...(containerStatuses === undefined || !initialized ? {} : { containerStatuses: containerStatuses.map(ended) }),
    ...(initContainerStatuses === undefined
      ? {}
      : { initContainerStatuses: endedInitContainers(initContainerStatuses) }),
  };
}

/**
 * The first container that would come back to life although its Pod's restart policy forbids it; the API refuses such a write, so the kubelet does
 * not even try (pod-lifecycle 1.3.7).
 */
export function forbiddenResurrection(pod: Pod, next: PodStatus): string | undefined {
  const { restartPolicy } = pod.spec;
  if (restartPolicy === "Always") return undefined;
  const sidecars = new Set(
    (pod.spec.initContainers ?? []).filter((each) => each.restartPolicy === "Always").map((each) => each.name),
  );
  const after = new Map(
    [...(next.containerStatuses ?? []), ...(next.initContainerStatuses ?? [])].map((s) => [s.name, s]),
  );
  const before = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  return before.find((old) => {
    if (old.state?.terminated === undefined || sidecars.has(old.name)) return false;
    if (restartPolicy === "OnFailure" && old.state.terminated.exitCode !== 0) return false;
    const now = after.get(old.name);
    return now !== undefined && now.state?.terminated === undefined;
  })?.name;
}

function mergedConditions(
  api: PodStatus,
  computed: PodStatus,
  becomesTerminal: boolean,
  now: Instant,
): readonly PodCondition[] {
  const own = (computed.conditions ?? []).filter((condition) => isKubeletCondition(condition.type));
  const foreign = (api.conditions ?? []).filter((condition) => !isKubeletCondition(condition.type));
  const target = (computed.conditions ?? []).find((condition) => condition.type === "DisruptionTarget");
  if (target === undefined || target.reason !== "TerminationByKubelet" || !becomesTerminal) return [...foreign, ...own];
  const sent = { ...target, lastTransitionTime: formatTime(now) };
  return [...foreign.filter((condition) => condition.type !== "DisruptionTarget"), sent, ...own];
}

function withoutReadiness(status: PodStatus, now: Instant): PodStatus {
  return {
    ...status,
    conditions: (status.conditions ?? []).map((condition) => {
      if ((condition.type !== "Ready" && condition.type !== "ContainersReady") || condition.status !== "True") {
        return condition;
      }
      const verdict = notReadyForTerminalPhase(condition.type, status.phase);
      return timedCondition(verdict, [condition], condition.observedGeneration, now);
    }),
  };
}

function ended(status: ContainerStatus): ContainerStatus {
  if (status.state?.terminated !== undefined) return status;
  return {
    ...status,
    ready: false,
    started: false,
    state: {
      terminated: {
        reason: containerStatusUnknown,
        message: "The container could not be located when the pod was terminated",
        exitCode: 137,
      },
    },
  };
}

/** All but those at the end that never began; at least the first. */
function endedInitContainers(statuses: readonly ContainerStatus[]): readonly ContainerStatus[] {
  const lastBegun = statuses.findLastIndex(hasBegun);
  return statuses.map((status, i) => (i <= Math.max(0, lastBegun) ? ended(status) : status));
}

/** Whether regular containers had their turn: what of them has no end is lost then, not unborn. */
function hasPodInitialized(pod: Pod, status: PodStatus): boolean {
  const last = pod.spec.initContainers?.at(-1);
  if (last === undefined) return true;
  if ((status.containerStatuses ?? []).some(hasBegun)) return true;
  const lastStatus = status.initContainerStatuses?.find((each) => each.name === last.name);
  if (last.restartPolicy === "Always") return lastStatus?.state?.running !== undefined;
  return [lastStatus?.state, lastStatus?.lastState].some((state) => state?.terminated?.exitCode === 0);
}

function hasBegun(status: ContainerStatus): boolean {
  return status.state?.waiting === undefined || status.lastState?.terminated !== undefined;
}
