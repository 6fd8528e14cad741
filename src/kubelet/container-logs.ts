// Answers requests for container logs (pod-lifecycle 3.7).

import type { Pod } from "../api/generated/core-v1.ts";
import { formatNanoTime, type Instant } from "../base/time.ts";
import { type LogLine, RuntimeNotFoundError } from "../runtimes/runtime-service.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import { chooseLogSource } from "./log-source.ts";

export interface ContainerLogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly since?: Instant;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

/** `refused` carries a plain text and the HTTP code. */
export type ContainerLogAnswer =
  | { readonly kind: "log"; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

export async function readContainerLog(
  parts: KubeletParts,
  pod: Pod,
  request: ContainerLogRequest,
): Promise<ContainerLogAnswer> {
  const source = chooseLogSource(pod, request.container, request.previous);
  if (source.kind === "refused") return { kind: "refused", status: 400, message: source.message };
  const { runtime } = parts.runtime;
  let logPath: string;
  try {
    logPath = (await runtime.containerStatus(source.id)).logPath;
  } catch (error) {
    const message =
      error instanceof RuntimeNotFoundError
        ? `unable to retrieve container logs for ${parts.runtimeName}://${source.id}`
        : errorText(error);
    return { kind: "refused", status: 400, message };
  }
  const { tailLines, since, signal } = request;
  const lines = runtime.readLog(logPath, source.id, {
    follow: request.follow,
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(since === undefined ? {} : { since }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { kind: "log", chunks: limited(formatted(lines, request.timestamps), request.limitBytes) };
}

async function* formatted(lines: AsyncIterable<LogLine>, timestamps: boolean): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  /** A line that the runtime cut carries its time once. */
  let inLine = false;
  for await (const line of lines) {
    const stamp = timestamps && !inLine ? encoder.encode(`${formatNanoTime(line.time)} `) : new Uint8Array();
    const chunk = new Uint8Array(stamp.length + line.text.length + (line.partial ? 0 : 1));
    chunk.set(stamp);
    chunk.set(line.text, stamp.length);
    if (!line.partial) chunk[chunk.length - 1] = 0x0a;
    inLine = line.partial;
    yield chunk;
  }
}

async function* limited(chunks: AsyncIterable<Uint8Array>, limit: number | undefined): AsyncGenerator<Uint8Array> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const chunk of chunks) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}
