// Events about a Pod and its containers (pod-lifecycle 0.3, 4.9).

import type { Pod } from "../api/generated/core-v1.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { fieldPathOf, type PodContainer } from "./pod-containers.ts";

export function podEvent(
  recorder: EventRecorder,
  pod: Pod,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
): void {
  recorder.record(pod, { type, reason, message });
}

/** Runtime ids mean nothing to people: the container's name stands for its id. */
export function containerEvent(
  recorder: EventRecorder,
  pod: Pod,
  container: PodContainer,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
  id?: ContainerId,
): void {
  const readable = id === undefined ? message : message.replaceAll(id, container.spec.name);
  recorder.record(pod, { type, reason, message: readable, fieldPath: fieldPathOf(container) });
}
