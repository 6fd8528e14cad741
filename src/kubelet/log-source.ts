// Which instance's log answers a request (pod-lifecycle 3.7).

import type { ContainerStatus, Pod } from "../api/generated/core-v1.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { containerIdOf } from "./container-statuses.ts";

export type LogSource =
  | { readonly kind: "instance"; readonly id: ContainerId }
  /** Answered with 400 and this text. */
  | { readonly kind: "refused"; readonly message: string };

export function chooseLogSource(pod: Pod, container: string, previous: boolean): LogSource {
  const { status } = pod;
  const statuses = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const found = statuses.find((each) => each.name === container);
  const podName = pod.metadata.name;
  if (found === undefined) {
    return { kind: "refused", message: `container "${container}" in pod "${podName}" is not available` };
  }
  const last = containerIdOf(found.lastState?.terminated?.containerID);
  if (previous) {
    if (last !== undefined) return { kind: "instance", id: last };
    return { kind: "refused", message: `previous terminated container "${container}" in pod "${podName}" not found` };
  }
  const current = currentInstance(found) ?? last;
  if (current !== undefined) return { kind: "instance", id: current };
  return {
    kind: "refused",
    message: `container "${container}" in pod "${podName}" is waiting to start: ${waitsFor(found)}`,
  };
}

function currentInstance(status: ContainerStatus): ContainerId | undefined {
  if (status.state?.running !== undefined) return containerIdOf(status.containerID);
  return containerIdOf(status.state?.terminated?.containerID);
}

function waitsFor(status: ContainerStatus): string {
  const reason = status.state?.waiting?.reason ?? "";
  switch (reason) {
    case "ErrImagePull":
      return "image can't be pulled";
    case "ImagePullBackOff":
      return "trying and failing to pull image";
    default:
      return reason;
  }
}
