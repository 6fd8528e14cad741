// What the runtime has of one Pod: every sandbox and container that carries the Pod's uid, newest first.

import type { ContainerId, ContainerStatus, PodSandboxStatus } from "../runtimes/runtime-service.ts";

export type ObservedContainer = ContainerStatus;
export type ObservedSandbox = PodSandboxStatus;

/** One sighting of a Pod. Exited containers carry their full termination message (pod-lifecycle 3.6). */
export interface ObservedPod {
  /** Newest first. */
  readonly sandboxes: readonly ObservedSandbox[];
  /** Newest first, of all sandboxes. */
  readonly containers: readonly ObservedContainer[];
}

/** The results that a container's probes have stored; what is absent has not been decided yet. */
export interface ProbeResults {
  readonly liveness?: ProbeResult;
  readonly readiness?: ProbeResult;
  readonly startup?: ProbeResult;
}
export type ProbeResult = "success" | "failure" | "unknown";

/** By the id of the container instance that was probed. */
export type ProbeResultsByContainer = ReadonlyMap<ContainerId, ProbeResults>;

export function observedPod(
  sandboxes: readonly ObservedSandbox[],
  containers: readonly ObservedContainer[],
): ObservedPod {
  return {
    sandboxes: [...sandboxes].sort((a, b) => b.createdAt - a.createdAt || b.metadata.attempt - a.metadata.attempt),
    // Two instances may be made at the same instant of a virtual clock: the attempt then tells which is newer.
    containers: [...containers].sort((a, b) => b.createdAt - a.createdAt || b.metadata.attempt - a.metadata.attempt),
  };
}

export const nothingObserved: ObservedPod = { sandboxes: [], containers: [] };

/** The same text for the same things in the same states; empty for nothing. */
export function signatureOf(observed: Pick<ObservedPod, "sandboxes" | "containers">): string {
  const parts = [
    ...observed.sandboxes.map((sandbox) => `${sandbox.id} ${sandbox.state}`),
    ...observed.containers.map((container) => `${container.id} ${container.state.kind}`),
  ];
  return parts.sort().join("\n");
}

/** All instances of the container with this name, newest first. */
export function instancesOf(observed: ObservedPod, name: string): readonly ObservedContainer[] {
  return observed.containers.filter((container) => container.metadata.name === name);
}

export function newestInstance(observed: ObservedPod, name: string): ObservedContainer | undefined {
  return observed.containers.find((container) => container.metadata.name === name);
}

/** The newest instance that has ended: what restart back-off counts from. */
export function newestExited(observed: ObservedPod, name: string): ObservedContainer | undefined {
  return observed.containers.find((container) => container.metadata.name === name && container.state.kind === "exited");
}

/** Whether any container may still have a process: everything that is not known to have ended or never to have started. */
export function mayBeRunning(container: ObservedContainer): boolean {
  return container.state.kind === "running" || container.state.kind === "unknown";
}

/** Containers of the newest sandbox, if that sandbox is ready. */
export function activeContainers(observed: ObservedPod): readonly ObservedContainer[] {
  const sandbox = observed.sandboxes[0];
  if (sandbox === undefined || sandbox.state !== "ready") return [];
  return observed.containers.filter((container) => container.sandboxId === sandbox.id);
}

/** Success for an init container: it ended with 0 and not by lack of memory (pod-lifecycle 3.3). */
export function succeeded(container: ObservedContainer): boolean {
  return container.state.kind === "exited" && container.state.exitCode === 0 && container.state.reason !== "OOMKilled";
}
