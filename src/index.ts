// The front door of the library: a cluster in a test, in a program, ready in a third of a second.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "./client/client.ts";
import type { RuntimeChoice } from "./standalone/choose-runtime.ts";
import { startStandaloneCluster } from "./standalone/standalone-cluster.ts";

export interface StartClusterOptions {
  /** Keeps the cluster's state in this folder, for the next start; absent: a throw-away cluster in memory. */
  readonly data?: string;
  /** Port of the API server; any free one if absent. */
  readonly port?: number;
  /** What runs the containers; `auto` takes containerd if it answers, else processes. */
  readonly runtime?: RuntimeChoice;
  /** Told of what a part complained about; silent if absent. */
  readonly log?: (message: string) => void;
}

export interface RunningCluster {
  /** `https://127.0.0.1:…` */
  readonly url: string;
  /** Path of a kubeconfig for kubectl and any other client. */
  readonly kubeconfigPath: string;
  /** Typed calls as the administrator, without a socket. */
  readonly client: Client;
  /**
   * Ends the cluster. A throw-away one ends its Pods, each with its own grace, and leaves nothing behind; one with a folder leaves them running unless
   * told otherwise.
   */
  stop(options?: { readonly pods?: "leave" | "end" }): Promise<void>;
}

/**
 * Starts a cluster on this machine; resolves when its API answers.
 * @example
 * const cluster = await startCluster();
 * await cluster.client.namespaces.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "test" } });
 * await cluster.stop();
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<RunningCluster> {
  const throwAway = options.data === undefined;
  const folder = options.data ?? (await mkdtemp(join(tmpdir(), "lifepod-")));
  try {
    const cluster = await startStandaloneCluster({
      folder,
      durable: !throwAway,
      host: "127.0.0.1",
      port: options.port ?? 0,
      runtime: options.runtime ?? "auto",
      log: options.log ?? (() => undefined),
    });
    return {
      url: cluster.url,
      kubeconfigPath: cluster.kubeconfigPath,
      client: cluster.client,
      async stop({ pods } = {}) {
        await cluster.stop({ pods: pods ?? (throwAway ? "end" : "leave") });
        if (throwAway) await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    if (throwAway) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

export type { Client } from "./client/client.ts";
export type { RuntimeChoice } from "./standalone/choose-runtime.ts";
