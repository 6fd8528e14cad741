// The containers of a Pod by what they are: most rules differ for init containers, sidecars, regular and ephemeral containers.

import type { Container, EphemeralContainer, Pod } from "../api/generated/core-v1.ts";

/** `sidecar` is an init container with restartPolicy Always (pod-lifecycle 9.1). */
export type ContainerRole = "init" | "sidecar" | "regular" | "ephemeral";

/** A container of a Pod with its role. */
export interface PodContainer {
  readonly role: ContainerRole;
  readonly spec: Container | EphemeralContainer;
}

/** All containers: init containers and sidecars in the order of the spec, then regular, then ephemeral ones. */
export function containersOf(pod: Pod): readonly PodContainer[] {
  return [...initContainersOf(pod), ...regularContainersOf(pod), ...ephemeralContainersOf(pod)];
}

export function initContainersOf(pod: Pod): readonly PodContainer[] {
  return (pod.spec.initContainers ?? []).map((spec) => ({ role: isSidecar(spec) ? "sidecar" : "init", spec }));
}

export function regularContainersOf(pod: Pod): readonly PodContainer[] {
  return pod.spec.containers.map((spec) => ({ role: "regular", spec }));
}

export function ephemeralContainersOf(pod: Pod): readonly PodContainer[] {
  return (pod.spec.ephemeralContainers ?? []).map((spec) => ({ role: "ephemeral", spec }));
}

export function containerNamed(pod: Pod, name: string): PodContainer | undefined {
  return containersOf(pod).find((container) => container.spec.name === name);
}

export function isSidecar(initContainer: Container): boolean {
  return initContainer.restartPolicy === "Always";
}

/** The `fieldPath` of events about this container (pod-lifecycle 0.3). */
export function fieldPathOf(container: PodContainer): string {
  switch (container.role) {
    case "init":
    case "sidecar":
      return `spec.initContainers{${container.spec.name}}`;
    case "regular":
      return `spec.containers{${container.spec.name}}`;
    case "ephemeral":
      return `spec.ephemeralContainers{${container.spec.name}}`;
  }
}

export function namespaceOf(pod: Pod): string {
  return pod.metadata.namespace ?? "default";
}

/** `<pod>_<ns>(<uid>)`: how the kubelet names a Pod in messages. */
export function podDescription(pod: Pod): string {
  return `${pod.metadata.name}_${namespaceOf(pod)}(${pod.metadata.uid})`;
}

/** Succeeded and Failed are for good. */
export function isTerminalPhase(phase: string): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

export function isHostNetwork(pod: Pod): boolean {
  return pod.spec.hostNetwork === true;
}

/** A container of which only what is written on its instance is known. */
export function recordedPodContainer(
  name: string,
  recorded: {
    readonly lifecycle?: Container["lifecycle"];
    readonly ports?: Container["ports"];
    readonly terminationMessagePath?: string;
  },
): PodContainer {
  const { lifecycle, ports, terminationMessagePath = "/dev/termination-log" } = recorded;
  return {
    role: "regular",
    spec: {
      name,
      image: "",
      imagePullPolicy: "IfNotPresent",
      resources: {},
      terminationMessagePath,
      terminationMessagePolicy: "File",
      ...(lifecycle === undefined ? {} : { lifecycle }),
      ...(ports === undefined ? {} : { ports }),
    },
  };
}
