// Lifecycle hooks: what a container has run for it when it has started and before it is stopped (pod-lifecycle 7).

import type { Container, LifecycleHandler, Pod } from "../api/generated/core-v1.ts";
import { hours, seconds } from "../base/time.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { probeUrlHost, resolvePort } from "./endpoints.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import { type PodContainer, podDescription } from "./pod-containers.ts";
import { podEvent } from "./pod-events.ts";

/** Nothing ends a hook's request but its own answer; this only keeps one from staying for ever. */
const longestRequest = hours(1);
const bodyLimit = 10 * 1024;
const userAgent = "kube-lifecycle/1.34";

/** A hook failed; the message is fit for a waiting reason. */
export class HookError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "HookError";
  }
}

/** @throws HookError */
export async function runHook(
  parts: KubeletParts,
  pod: Pod,
  container: PodContainer,
  id: ContainerId,
  handler: LifecycleHandler,
  podIp: string,
  signal: AbortSignal,
): Promise<void> {
  const where = `for Container "${container.spec.name}" in Pod "${podDescription(pod)}"`;
  if (handler.exec !== undefined) return runExec(parts, id, handler.exec.command ?? [], where);
  if (handler.httpGet !== undefined) {
    const { path } = handler.httpGet;
    return runHttp(parts, pod, container, handler.httpGet, podIp).catch((error: unknown) => {
      throw new HookError(`HTTP lifecycle hook (${path}) ${where} failed - error: ${errorText(error)}`);
    });
  }
  if (handler.sleep !== undefined) {
    const { seconds: length } = handler.sleep;
    await parts.clock.sleep(seconds(length), signal);
    return;
  }
  throw new HookError(`Cannot run handler: invalid handler: ${JSON.stringify(handler)}`);
}

async function runExec(parts: KubeletParts, id: ContainerId, command: readonly string[], where: string): Promise<void> {
  const failed = (error: string, output: string): HookError =>
    new HookError(
      `Exec lifecycle hook ([${command.join(" ")}]) ${where} failed - error: ${error}, message: ${JSON.stringify(output)}`,
    );
  let result: { readonly stdout: Uint8Array; readonly stderr: Uint8Array; readonly exitCode: number };
  try {
    result = await parts.runtime.runtime.execSync(id, command);
  } catch (error) {
    throw failed(errorText(error), "");
  }
  if (result.exitCode === 0) return;
  const decoder = new TextDecoder();
  const stderr = decoder.decode(result.stderr);
  const error = `command '${command.join(" ")}' exited with ${result.exitCode}: ${stderr}`;
  throw failed(error, `${decoder.decode(result.stdout)}${stderr}`);
}

async function runHttp(
  parts: KubeletParts,
  pod: Pod,
  container: PodContainer,
  action: NonNullable<LifecycleHandler["httpGet"]>,
  podIp: string,
): Promise<void> {
  const port = resolvePort(action.port, container.spec as Container);
  const host = probeUrlHost(action.host, podIp);
  const own = (action.httpHeaders ?? []).map(({ name, value }) => [name, value] as const);
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const headers = [...own, ...(names.has("user-agent") ? [] : [["User-Agent", userAgent] as const])];
  const path = action.path.startsWith("/") ? action.path : `/${action.path}`;
  const request = { host, port, path, headers, timeout: longestRequest, bodyLimit, followRedirects: true } as const;
  const scheme = action.scheme === "HTTPS" ? "https" : "http";
  const answer = await parts.network.httpGet({ ...request, scheme });
  switch (answer.kind) {
    case "answered": // whatever it says
      return;
    case "failed":
      throw new Error(answer.error);
    case "plainHttpOnTls": {
      const again = await parts.network.httpGet({ ...request, scheme: "http" });
      if (again.kind !== "answered") throw new Error(answer.error);
      const message = `request to HTTPS lifecycle hook ${host} got HTTP response, retry with HTTP succeeded`;
      podEvent(parts.recorder, pod, "Warning", "LifecycleHTTPFallback", message);
      return;
    }
  }
}
