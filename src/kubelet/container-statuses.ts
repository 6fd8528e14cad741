// The statuses of containers, from what the runtime has, what the API had, and why the last start failed (pod-lifecycle 3).

import type { ContainerState, ContainerStatus, Pod, ResourceRequirements } from "../api/generated/core-v1.ts";
import { formatTime } from "../base/time.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import {
  instancesOf,
  newestInstance,
  type ObservedContainer,
  type ObservedPod,
  type ProbeResultsByContainer,
} from "./observed-pod.ts";
import { ephemeralContainersOf, initContainersOf, type PodContainer, regularContainersOf } from "./pod-containers.ts";
import { shouldBeStarted } from "./restart-policy.ts";

/** Why the last attempt to start a container did not succeed (pod-lifecycle 3.2). */
export interface StartError {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusInput {
  readonly observed: ObservedPod;
  readonly probes: ProbeResultsByContainer;
  /** By container name. */
  readonly startErrors: ReadonlyMap<string, StartError>;
  /** `containerd`: the prefix of container ids. */
  readonly runtimeName: string;
}

export interface ContainerStatuses {
  readonly containerStatuses: readonly ContainerStatus[];
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly ephemeralContainerStatuses: readonly ContainerStatus[];
}

/** Regular and ephemeral ones sorted by name, init containers in the order of the spec. */
export function computeContainerStatuses(pod: Pod, input: ContainerStatusInput): ContainerStatuses {
  const statusOf = (old: readonly ContainerStatus[] | undefined) => (container: PodContainer) =>
    containerStatus(
      pod,
      container,
      old?.find((status) => status.name === container.spec.name),
      input,
    );
  const { status } = pod;
  return {
    containerStatuses: byName(regularContainersOf(pod).map(statusOf(status.containerStatuses))),
    initContainerStatuses: initContainersOf(pod).map(statusOf(status.initContainerStatuses)),
    ephemeralContainerStatuses: byName(
      ephemeralContainersOf(pod)
        .filter(
          (container) =>
            newestInstance(input.observed, container.spec.name) !== undefined ||
            input.startErrors.has(container.spec.name),
        )
        .map(statusOf(status.ephemeralContainerStatuses)),
    ),
  };
}

/** `containerd://<id>`, and back. */
export function containerIdText(runtimeName: string, id: ContainerId): string {
  return `${runtimeName}://${id}`;
}
export function containerIdOf(text: string | undefined): ContainerId | undefined {
  const at = text?.indexOf("://") ?? -1;
  return at < 0 ? undefined : (text?.slice(at + 3) as ContainerId);
}

export const containerStatusUnknown = "ContainerStatusUnknown";

const lostWhenTerminated: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: containerStatusUnknown,
    message: "The container could not be located when the pod was terminated",
  },
};
const lostWhenDeleted: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: containerStatusUnknown,
    message: "The container could not be located when the pod was deleted.  The container used to be Running",
  },
};

function containerStatus(
  pod: Pod,
  container: PodContainer,
  old: ContainerStatus | undefined,
  input: ContainerStatusInput,
): ContainerStatus {
  const [newest, previous] = instancesOf(input.observed, container.spec.name);
  const located =
    newest === undefined ? unlocated(pod, container, old) : fromRuntime(container, newest, previous, old, input);
  return withReadiness(container, withStartError(pod, container, located, input), newest, input);
}

/** The runtime has no record of it. */
function unlocated(pod: Pod, container: PodContainer, old: ContainerStatus | undefined): ContainerStatus {
  if (old?.state?.terminated !== undefined) return old;
  const reason = initContainersOf(pod).length > 0 ? "PodInitializing" : "ContainerCreating";
  const waiting: ContainerStatus = {
    ...fixedParts(container),
    image: container.spec.image,
    imageID: "",
    restartCount: old?.restartCount ?? 0,
    ready: false,
    state: { waiting: { reason } },
    lastState: old?.lastState ?? {},
  };
  if (old?.state?.running === undefined || waiting.lastState?.terminated !== undefined) return waiting;
  // It ran, and its record is gone: whoever reads this must not take it for one that never started.
  const restarted = pod.metadata.deletionTimestamp === undefined ? 1 : 0;
  return { ...waiting, restartCount: waiting.restartCount + restarted, lastState: lostWhenDeleted };
}

function fromRuntime(
  container: PodContainer,
  newest: ObservedContainer,
  previous: ObservedContainer | undefined,
  old: ContainerStatus | undefined,
  input: ContainerStatusInput,
): ContainerStatus {
  const lost = newest.state.kind === "unknown" && old?.state?.running !== undefined;
  return {
    ...fixedParts(container),
    containerID: containerIdText(input.runtimeName, newest.id),
    image: newest.image,
    imageID: newest.imageRef,
    restartCount: lost ? (old?.restartCount ?? 0) + 1 : newest.metadata.attempt,
    ready: false,
    state: lost ? lostWhenTerminated : stateOf(newest, input.runtimeName),
    lastState: previous === undefined ? (keptLastState(newest, old) ?? {}) : stateOf(previous, input.runtimeName),
    ...userOf(newest),
  };
}

/** The record of the previous instance may have been removed; its end stays known while the same instance goes on. */
function keptLastState(newest: ObservedContainer, old: ContainerStatus | undefined): ContainerState | undefined {
  return newest.metadata.attempt > 0 && old?.restartCount === newest.metadata.attempt ? old.lastState : undefined;
}

function stateOf(instance: ObservedContainer, runtimeName: string): ContainerState {
  const { state } = instance;
  switch (state.kind) {
    case "created":
    case "unknown":
      return { waiting: {} };
    case "running":
      return { running: { startedAt: formatTime(state.startedAt) } };
    case "exited":
      return {
        terminated: {
          exitCode: state.exitCode,
          ...(state.reason === "" ? {} : { reason: state.reason }),
          ...(state.message === "" ? {} : { message: state.message }),
          startedAt: formatTime(state.startedAt),
          finishedAt: formatTime(state.finishedAt),
          containerID: containerIdText(runtimeName, instance.id),
        },
      };
  }
}

/** A container that is to be started again, and whose last start failed, waits for that reason (pod-lifecycle 3.1). */
function withStartError(
  pod: Pod,
  container: PodContainer,
  status: ContainerStatus,
  input: ContainerStatusInput,
): ContainerStatus {
  const error = input.startErrors.get(container.spec.name);
  if (error === undefined || !shouldBeStarted(pod, container, input.observed)) return status;
  const waiting = { reason: error.reason, ...(error.message === "" ? {} : { message: error.message }) };
  return {
    ...status,
    state: { waiting },
    lastState:
      status.state?.terminated === undefined ? (status.lastState ?? {}) : { terminated: status.state.terminated },
  };
}

function withReadiness(
  container: PodContainer,
  status: ContainerStatus,
  newest: ObservedContainer | undefined,
  input: ContainerStatusInput,
): ContainerStatus {
  const running = status.state?.running !== undefined;
  const results = newest === undefined ? undefined : input.probes.get(newest.id);
  const started = running && (container.spec.startupProbe === undefined || results?.startup === "success");
  switch (container.role) {
    case "ephemeral":
      return status;
    case "init":
      return { ...status, started, ready: status.state?.terminated?.exitCode === 0 };
    case "sidecar":
    case "regular": {
      const ready = started && (container.spec.readinessProbe === undefined || results?.readiness === "success");
      return { ...status, started, ready };
    }
  }
}

function fixedParts(
  container: PodContainer,
): Pick<ContainerStatus, "name" | "resources" | "allocatedResources" | "volumeMounts"> {
  const { spec } = container;
  const { requests, limits } = spec.resources;
  const resources: ResourceRequirements = {
    ...(limits === undefined ? {} : { limits }),
    ...(requests === undefined ? {} : { requests }),
  };
  const mounts = spec.volumeMounts ?? [];
  return {
    name: spec.name,
    ...(container.role === "ephemeral" ? {} : { resources }),
    ...(requests === undefined || Object.keys(requests).length === 0 ? {} : { allocatedResources: requests }),
    ...(mounts.length === 0
      ? {}
      : {
          volumeMounts: mounts.map((mount) => ({
            name: mount.name,
            mountPath: mount.mountPath,
            ...(mount.readOnly === true ? { readOnly: true, recursiveReadOnly: "Disabled" } : {}),
          })),
        }),
  };
}

function userOf(instance: ObservedContainer): Pick<ContainerStatus, "user"> {
  if (instance.user === undefined || instance.state.kind === "exited") return {};
  const { uid, gid, supplementalGroups } = instance.user;
  return { user: { linux: { uid, gid, ...(supplementalGroups.length > 0 ? { supplementalGroups } : {}) } } };
}

function byName(statuses: readonly ContainerStatus[]): readonly ContainerStatus[] {
  return [...statuses].sort((a, b) => (a.name < b.name ? -1 : 1));
}
