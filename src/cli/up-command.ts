// `lifepod up`: a cluster that stays, in one folder, until it is told to end.

import { resolve } from "node:path";
import { type StandaloneCluster, startStandaloneCluster } from "../standalone/standalone-cluster.ts";
import type { ImageCommands, RuntimeChoice } from "../standalone/choose-runtime.ts";
import { dataFolder, defaultDataFolder, readServerRecord } from "../standalone/data-folder.ts";
import { endDeadRuns } from "../standalone/dead-runs.ts";
import { lifepodVersion } from "../standalone/version.ts";
import { standardOutput } from "./terminal.ts";

export interface UpOptions {
  readonly data?: string;
  readonly port?: number;
  readonly bind: string;
  readonly runtime: RuntimeChoice;
  readonly runtimeEndpoint?: string;
  readonly image?: ImageCommands;
  readonly json?: boolean;
  readonly stopPods?: boolean;
  readonly podManifestPath?: string;
}

/** The port that kubectl users expect, and that a kubeconfig written earlier may name. */
const usualPort = 6443;

/** @returns the exit status */
export async function upCommand(options: UpOptions): Promise<number> {
  const { paint, write } = standardOutput();
  const folder = options.data ?? defaultDataFolder();
  const say = (kind: string, facts: Record<string, unknown>, text: string): void =>
    write(options.json === true ? `${JSON.stringify({ kind, ...facts })}\n` : `${text}\n`);
  const stopped = stopSignal();
  const before = await readServerRecord(dataFolder(folder));
  const endpoint = options.runtimeEndpoint ?? before?.runtimeEndpoint;
  const cluster: StandaloneCluster = await startStandaloneCluster({
    folder,
    durable: true,
    host: options.bind,
    port: options.port ?? before?.port ?? usualPort,
    // Pods that run somewhere are not to be started somewhere else because containerd happens to be down.
    runtime: options.runtime === "auto" ? (before?.runtime ?? "auto") : options.runtime,
    ...(endpoint !== undefined && { runtimeEndpoint: endpoint }),
    // Pods that are there already may need what an earlier start was told.
    images: { ...before?.images, ...options.image },
    ...(options.podManifestPath !== undefined && { staticPodPath: resolve(options.podManifestPath) }),
    log: (message) => say("log", { message }, message),
  });
  const facts = {
    url: cluster.url,
    kubeconfig: cluster.kubeconfigPath,
    data: folder,
    runtime: cluster.runtimeName,
    node: cluster.nodeName,
    version: lifepodVersion,
  };
  say(
    "ready",
    facts,
    [
      `${paint.green("ready")}  lifepod ${lifepodVersion} at ${cluster.url}, runtime ${cluster.runtimeName} (${cluster.runtimeReason}), data in ${folder}`,
      `export KUBECONFIG=${cluster.kubeconfigPath}`,
    ].join("\n"),
  );
  const cleaning = endDeadRuns((message) => say("log", { message }, message));
  const signal = await stopped;
  await cleaning;
  say(
    "stopping",
    { signal, pods: options.stopPods === true ? "end" : "leave" },
    `${signal}: ${options.stopPods === true ? "ending the Pods" : "leaving the Pods running"}`,
  );
  await cluster.stop({ pods: options.stopPods === true ? "end" : "leave" });
  say("stopped", {}, "stopped");
  return 0;
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve(signal));
  });
}
