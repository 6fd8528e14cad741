// Looks at what the runtime has of a Pod, and reads the last words of what has ended (pod-lifecycle 3.6).

import type { Pod } from "../api/generated/core-v1.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { podUidLabel, recordedContainer } from "./container-labels.ts";
import type { KubeletParts } from "./kubelet-parts.ts";
import { observedPod, type ObservedContainer, type ObservedPod } from "./observed-pod.ts";
import { containersOf } from "./pod-containers.ts";
import {
  fallsBackToLog,
  logTail,
  messageFileLimit,
  messageLimitOf,
  messageLogLines,
  terminationMessage,
} from "./termination-message.ts";

/** Messages that have been read: a container that has ended says nothing new. */
export type ReadMessages = Map<ContainerId, string>;

export async function observePod(parts: KubeletParts, pod: Pod, messages: ReadMessages): Promise<ObservedPod> {
  const labels = { ...parts.ownLabel, [podUidLabel]: pod.metadata.uid };
  const { runtime } = parts.runtime;
  const [sandboxes, containers] = await Promise.all([
    runtime.listPodSandboxes(labels),
    runtime.listContainers({ labels }),
  ]);
  const present = new Set(containers.map((container) => container.id));
  for (const id of messages.keys()) if (!present.has(id)) messages.delete(id);
  const limit = messageLimitOf(containersOf(pod).length);
  const complete = await Promise.all(
    containers.map((container) => withMessage(parts, pod.metadata.uid, container, limit, messages)),
  );
  return observedPod(sandboxes, complete);
}

async function withMessage(
  parts: KubeletParts,
  uid: string,
  container: ObservedContainer,
  limit: number,
  messages: ReadMessages,
): Promise<ObservedContainer> {
  const { state } = container;
  if (state.kind !== "exited") return container;
  let message = messages.get(container.id);
  if (message === undefined) {
    message = await readMessage(parts, uid, container, state, limit);
    messages.set(container.id, message);
  }
  return { ...container, state: { ...state, message } };
}

async function readMessage(
  parts: KubeletParts,
  uid: string,
  container: ObservedContainer,
  state: { readonly exitCode: number; readonly reason: string; readonly message: string },
  limit: number,
): Promise<string> {
  const path = parts.paths.terminationMessage(uid, container.metadata.name, container.metadata.attempt);
  const tail = await parts.filesystem.readTail(path, messageFileLimit);
  const file = tail === undefined ? undefined : new TextDecoder().decode(tail);
  const policy = recordedContainer(container).terminationMessagePolicy;
  const log = fallsBackToLog(policy, state.exitCode, state.reason, file)
    ? await readLogTail(parts, container)
    : undefined;
  return terminationMessage({ runtimeMessage: state.message, file, log }, limit);
}

async function readLogTail(parts: KubeletParts, container: ObservedContainer): Promise<string> {
  const decoder = new TextDecoder();
  const lines: string[] = [];
  const log = parts.runtime.runtime.readLog(container.logPath, container.id, {
    follow: false,
    tailLines: messageLogLines,
  });
  for await (const line of log) lines.push(`${decoder.decode(line.text)}${line.partial ? "" : "\n"}`);
  return logTail(lines);
}
