// Which runtime runs the containers: containerd if it answers, processes otherwise; and why, so that nobody has to guess.

import { existsSync } from "node:fs";
import type { Clock } from "../base/time.ts";
import { AddressRange } from "../network/ipam.ts";
import { defaultCriEndpoints, socketPathOf } from "../runtimes/cri/cri-endpoint.ts";
import type { ContainerRuntime } from "../runtimes/runtime-service.ts";

export type RuntimeChoice = "auto" | "process" | "containerd";

/** Image name → command line of the shell; a container's arguments follow it. */
export type ImageCommands = Readonly<Record<string, string>>;

export interface ChosenRuntime {
  readonly name: "process" | "containerd";
  /** One clause for people: `containerd answers at /run/containerd/containerd.sock`. */
  readonly reason: string;
  readonly runtime: ContainerRuntime;
}

export interface RuntimeQuestion {
  readonly choice: RuntimeChoice;
  /** A socket other than the usual ones. */
  readonly endpoint?: string;
  /** Where the process runtime keeps its state. */
  readonly processState: string;
  /** The range on the loopback network that Pods get their addresses from when they are processes. */
  readonly processPods: string;
  /** For processes: what an image stands for, as a command line of the shell. */
  readonly images?: ImageCommands;
  readonly clock: Clock;
}

/** Opens the runtime that was chosen, or the best that is there. @throws with what was looked for and what to do */
export async function chooseRuntime(question: RuntimeQuestion): Promise<ChosenRuntime> {
  if (question.choice === "process") return openProcesses(question, "as chosen");
  const { clock } = question;
  const endpoints = question.endpoint === undefined ? defaultCriEndpoints : [question.endpoint];
  // Without any socket there is nothing to ask, and no need to load what would ask.
  if (question.choice === "auto" && !endpoints.some((endpoint) => existsSync(socketPathOf(endpoint)))) {
    return openProcesses(question, "there is no containerd socket");
  }
  const { findCriEndpoint } = await import("../runtimes/cri/probe-cri-endpoint.ts");
  const found = await findCriEndpoint({ clock }, endpoints);
  if (found.kind === "answers") {
    const { openCriRuntime } = await import("../runtimes/cri/cri-runtime.ts");
    return {
      name: "containerd",
      reason: `${found.version.runtimeName} ${found.version.runtimeVersion} answers at ${found.endpoint}`,
      runtime: await openCriRuntime({ endpoint: found.endpoint, clock }),
    };
  }
  const silent = found.absent.map(({ endpoint, reason }) => `${endpoint}: ${reason}`).join("; ");
  if (question.choice === "auto") return openProcesses(question, "no containerd answers");
  throw new Error(
    `no container runtime answers CRI calls (${silent}); start containerd, name its socket with --runtime-endpoint, or use --runtime process`,
  );
}

async function openProcesses(
  { processState, processPods, clock, images = {} }: RuntimeQuestion,
  reason: string,
): Promise<ChosenRuntime> {
  const { openProcessRuntime } = await import("../runtimes/process/process-runtime.ts");
  return {
    name: "process",
    reason,
    runtime: await openProcessRuntime({
      stateDirectory: processState,
      clock,
      podAddresses: new AddressRange(processPods),
      // The shell reads the command line; the container's arguments follow as its own.
      images: Object.fromEntries(
        Object.entries(images).map(([image, command]) => [image, ["sh", "-c", `exec ${command} "$@"`, image]]),
      ),
    }),
  };
}
