// The phase of a Pod from its containers' statuses (pod-lifecycle 1.2).

import type { ContainerStatus, Pod, PodPhase } from "../api/generated/core-v1.ts";
import { initContainersOf } from "./pod-containers.ts";

export interface PhaseInput {
  /** Of regular containers. */
  readonly containerStatuses: readonly ContainerStatus[];
  readonly initContainerStatuses: readonly ContainerStatus[];
  /** All containers have been stopped for good. */
  readonly podIsTerminal: boolean;
  /** Some regular container exists in the current sandbox. */
  readonly podHasInitialized: boolean;
}

export function computePhase(pod: Pod, input: PhaseInput): PodPhase {
  const init = countInitContainers(pod, input.initContainerStatuses);
  const regular = countRegularContainers(pod, input.containerStatuses);
  const waiting = init.waiting + regular.waiting;
  const running = init.running + regular.running;
  const unknown = init.unknown + regular.unknown;
  const { stopped, succeeded } = regular;
  const { restartPolicy } = pod.spec;

  if (init.failed > 0 && restartPolicy === "Never") return "Failed";
  if (init.pending > 0 || (init.pendingSidecars > 0 && !input.podHasInitialized) || waiting > 0) return "Pending";
  if (running > 0 && unknown === 0) return "Running";
  if (running === 0 && stopped > 0 && unknown === 0) {
    if (input.podIsTerminal) return stopped === succeeded ? "Succeeded" : "Failed";
    if (restartPolicy === "Always") return "Running";
    if (stopped === succeeded) return "Succeeded";
    return restartPolicy === "Never" ? "Failed" : "Running";
  }
  return "Pending";
}

interface InitCounts {
  pending: number;
  failed: number;
  pendingSidecars: number;
  running: number;
  waiting: number;
  unknown: number;
}

function countInitContainers(pod: Pod, statuses: readonly ContainerStatus[]): InitCounts {
  const counts: InitCounts = { pending: 0, failed: 0, pendingSidecars: 0, running: 0, waiting: 0, unknown: 0 };
  for (const container of initContainersOf(pod)) {
    const status = statuses.find((each) => each.name === container.spec.name);
    const state = status?.state ?? {};
    const last = status?.lastState?.terminated;
    if (container.role === "sidecar") {
      if (status === undefined) counts.unknown++;
      else if (state.running !== undefined) {
        if (status.started !== true) counts.pendingSidecars++;
        counts.running++;
      } else if (state.waiting !== undefined && last === undefined) {
        counts.pendingSidecars++;
        counts.waiting++;
      }
    } else if (state.terminated !== undefined) {
      if (state.terminated.exitCode !== 0) counts.failed++;
    } else if (state.waiting !== undefined && last !== undefined) {
      if (last.exitCode !== 0) counts.failed++;
    } else counts.pending++;
  }
  return counts;
}

interface RegularCounts {
  running: number;
  stopped: number;
  succeeded: number;
  waiting: number;
  unknown: number;
}

function countRegularContainers(pod: Pod, statuses: readonly ContainerStatus[]): RegularCounts {
  const counts: RegularCounts = { running: 0, stopped: 0, succeeded: 0, waiting: 0, unknown: 0 };
  for (const container of pod.spec.containers) {
    const status = statuses.find((each) => each.name === container.name);
    const state = status?.state ?? {};
    if (state.running !== undefined) counts.running++;
    else if (state.terminated !== undefined) {
      counts.stopped++;
      if (state.terminated.exitCode === 0) counts.succeeded++;
    } else if (state.waiting !== undefined) {
      // What ran before and waits for its restart has stopped, even if it had ended with 0.
      if (status?.lastState?.terminated !== undefined) counts.stopped++;
      else counts.waiting++;
    } else counts.unknown++;
  }
  return counts;
}
