// Runs one probe once and says what came of it (pod-lifecycle 6.3-6.7).

import type { Container, HTTPGetAction, Pod, Probe } from "../api/generated/core-v1.ts";
import { type Millis, seconds } from "../base/time.ts";
import { type ContainerId, ExecTimeoutError } from "../runtimes/runtime-service.ts";
import { probeUrlHost, resolvePort } from "./endpoints.ts";
import { literalEnvironment } from "./environment.ts";
import { expand } from "./expand.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import type { PodContainer } from "./pod-containers.ts";
import { containerEvent } from "./pod-events.ts";
import type { ProbeType } from "./probe-worker.ts";

export type ProbeOutcome =
  | { readonly kind: "success" }
  /** Counts as a success; the text is worth an event. */
  | { readonly kind: "warning"; readonly output: string }
  | { readonly kind: "failure"; readonly output: string }
  /** It could not be run; counts as nothing. */
  | { readonly kind: "error"; readonly error: string };

/** Immediate tries of a probe that cannot be run. */
const errorTries = 3;
const outputLimit = 10 * 1024;
const userAgent = "kube-probe/1.34";

const titles: Readonly<Record<ProbeType, string>> = {
  liveness: "Liveness",
  readiness: "Readiness",
  startup: "Startup",
};

/** Runs the probe and tells its events, of failures only if `tellsFailures`; `undefined` if it could not be run. */
export async function runProbe(
  parts: KubeletParts,
  type: ProbeType,
  probe: Probe,
  target: { readonly pod: Pod; readonly container: PodContainer; readonly id: ContainerId; readonly podIp: string },
  tellsFailures: boolean,
): Promise<"success" | "failure" | undefined> {
  const { pod, container } = target;
  let outcome: ProbeOutcome = { kind: "error", error: "" };
  const tries = tellsFailures ? errorTries : 1;
  for (let attempt = 1; attempt <= tries && outcome.kind === "error"; attempt++) {
    outcome = await runOnce(parts, probe, target);
  }
  const tell = (reason: string, message: string): void =>
    containerEvent(parts.recorder, pod, container, "Warning", reason, `${titles[type]} probe ${message}`, target.id);
  switch (outcome.kind) {
    case "success":
      return "success";
    case "warning":
      tell("ProbeWarning", `warning: ${outcome.output}`);
      return "success";
    case "failure":
      if (tellsFailures) tell("Unhealthy", `failed: ${outcome.output}`);
      return "failure";
    case "error":
      if (tellsFailures) tell("Unhealthy", `errored and resulted in unknown state: ${outcome.error}`);
      return undefined;
  }
}

async function runOnce(
  parts: KubeletParts,
  probe: Probe,
  target: { readonly container: PodContainer; readonly id: ContainerId; readonly podIp: string },
): Promise<ProbeOutcome> {
  const timeout = seconds(probe.timeoutSeconds);
  const { container, podIp } = target;
  try {
    if (probe.exec !== undefined) return await runExec(parts, container, target.id, probe.exec.command ?? [], timeout);
    if (probe.httpGet !== undefined) return await runHttp(parts, container, probe.httpGet, podIp, timeout);
    if (probe.tcpSocket !== undefined) {
      const port = resolvePort(probe.tcpSocket.port, container.spec as Container);
      const answer = await parts.network.tcpConnect(probeUrlHost(probe.tcpSocket.host, podIp), port, timeout);
      return answer.kind === "connected" ? { kind: "success" } : { kind: "failure", output: answer.error };
    }
    if (probe.grpc !== undefined) {
      const answer = await parts.network.grpcHealth(podIp, probe.grpc.port, probe.grpc.service ?? "", timeout);
      if (answer.kind === "failed") return { kind: "failure", output: answer.error };
      if (answer.status === "SERVING") return { kind: "success" };
      return { kind: "failure", output: `service unhealthy (responded with "${answer.status}")` };
    }
    return { kind: "error", error: `missing probe handler for container ${container.spec.name}` };
  } catch (error) {
    return { kind: "error", error: errorText(error) };
  }
}

async function runExec(
  parts: KubeletParts,
  container: PodContainer,
  id: ContainerId,
  command: readonly string[],
  timeout: Millis,
): Promise<ProbeOutcome> {
  const variables = literalEnvironment(container.spec);
  const expanded = command.map((part) => expand(part, (name) => variables.get(name)));
  try {
    const result = await parts.runtime.runtime.execSync(id, expanded, timeout);
    if (result.exitCode === 0) return { kind: "success" };
    const output = new Uint8Array([...result.stdout, ...result.stderr].slice(0, outputLimit));
    return { kind: "failure", output: new TextDecoder().decode(output) };
  } catch (error) {
    if (error instanceof ExecTimeoutError) return { kind: "failure", output: error.message };
    throw error;
  }
}

async function runHttp(
  parts: KubeletParts,
  container: PodContainer,
  action: HTTPGetAction,
  podIp: string,
  timeout: Millis,
): Promise<ProbeOutcome> {
  const answer = await parts.network.httpGet({
    scheme: action.scheme === "HTTPS" ? "https" : "http",
    host: probeUrlHost(action.host, podIp),
    port: resolvePort(action.port, container.spec as Container),
    path: action.path.startsWith("/") ? action.path : `/${action.path}`,
    headers: probeHeaders(action),
    timeout,
    bodyLimit: outputLimit,
    followRedirects: true,
  });
  switch (answer.kind) {
    case "failed":
    case "plainHttpOnTls":
      return { kind: "failure", output: answer.error };
    case "answered":
      if (answer.redirectedElsewhere) {
        return { kind: "warning", output: `Probe terminated redirects, Response body: ${answer.body}` };
      }
      if (answer.status >= 200 && answer.status < 400) return { kind: "success" };
      return { kind: "failure", output: `HTTP probe failed with statuscode: ${answer.status}` };
  }
}

/** The user's headers go before the defaults; an empty Accept leaves it out. */
function probeHeaders(action: HTTPGetAction): readonly (readonly [string, string])[] {
  const own = (action.httpHeaders ?? []).map(({ name, value }) => [name, value] as const);
  const given = new Set(own.map(([name]) => name.toLowerCase()));
  return [
    ...own.filter(([name, value]) => name.toLowerCase() !== "accept" || value !== ""),
    ...(given.has("user-agent") ? [] : [["User-Agent", userAgent] as const]),
    ...(given.has("accept") ? [] : [["Accept", "*/*"] as const]),
  ];
}
