// Answers requests for streams into a Pod: finds the container or the sandbox in the runtime and prepares the call (api-machinery 8.2, 8.3).

import type { StreamSession } from "../api/wire/stream-session.ts";
import type { ContainerStatus, StreamCall, StreamRequest } from "../runtimes/runtime-service.ts";
import { containerNameLabel, podUidLabel } from "./container-labels.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";

interface PodReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export type PodStreamRequest =
  | {
      readonly kind: "exec";
      readonly pod: PodReference;
      readonly container: string;
      readonly command: readonly string[];
      readonly streams: StreamRequest;
    }
  | { readonly kind: "attach"; readonly pod: PodReference; readonly container: string; readonly streams: StreamRequest }
  | { readonly kind: "portforward"; readonly pod: PodReference; readonly ports: readonly number[] };

/** `refused` carries a plain text and the HTTP code. */
export type PodStreamAnswer =
  | { readonly kind: "session"; readonly session: StreamSession }
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

export async function openPodStream(parts: KubeletParts, request: PodStreamRequest): Promise<PodStreamAnswer> {
  try {
    return { kind: "session", session: await sessionFor(parts, request) };
  } catch (error) {
    return { kind: "refused", status: 500, message: errorText(error) };
  }
}

/** @throws Error with a text for the client */
async function sessionFor(parts: KubeletParts, request: PodStreamRequest): Promise<StreamSession> {
  const { runtime } = parts.runtime;
  switch (request.kind) {
    case "exec": {
      if (runtime.exec === undefined) throw new Error(cannot(parts, "exec"));
      const { id } = await runningContainer(parts, request.pod, request.container);
      return processSession(request.streams, await runtime.exec(id, request.command, request.streams));
    }
    case "attach": {
      if (runtime.attach === undefined) throw new Error(cannot(parts, "attach"));
      const { id } = await runningContainer(parts, request.pod, request.container);
      return processSession(request.streams, await runtime.attach(id, request.streams));
    }
    case "portforward": {
      if (runtime.portForward === undefined) throw new Error(cannot(parts, "port-forward"));
      const sandboxes = await runtime.listPodSandboxes({ [podUidLabel]: request.pod.uid });
      const ready = sandboxes.find(({ state }) => state === "ready");
      if (ready === undefined) {
        throw new Error(`could not find a ready sandbox of pod ${request.pod.namespace}/${request.pod.name}`);
      }
      return { kind: "ports", ports: request.ports, ...(await runtime.portForward(ready.id)) };
    }
  }
}

const cannot = ({ runtimeName }: KubeletParts, what: string): string => `the runtime ${runtimeName} has no ${what}`;

function processSession(streams: StreamRequest, run: StreamCall): StreamSession {
  return { kind: "process", ...streams, run };
}

/** Asked of the runtime itself: a status in the API may be a moment old. @throws Error in upstream's words */
async function runningContainer(
  { runtime }: KubeletParts,
  { uid }: PodReference,
  name: string,
): Promise<ContainerStatus> {
  const labels = { [podUidLabel]: uid, [containerNameLabel]: name };
  const instances = await runtime.runtime.listContainers({ labels });
  const running = instances.filter(({ state }) => state.kind === "running");
  const newest = running.sort((a, b) => b.createdAt - a.createdAt)[0];
  if (newest === undefined) throw new Error(`container not found (${JSON.stringify(name)})`);
  return newest;
}
