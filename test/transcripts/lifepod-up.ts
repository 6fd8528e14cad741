// A fresh `lifepod up`, as a user starts it: the built command line, in a process and a folder of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";

export interface RunningLifepod {
  readonly url: string;
  readonly kubeconfig: string;
  readonly nodeName: string;
  /** Ends the Pods and the cluster and removes its folder. */
  stop(): Promise<void>;
}

/** `LIFEPOD_CLI` names another build of the command line, for example an installed package. */
const commandLine = process.env["LIFEPOD_CLI"] ?? fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Resolves when it says ready. @throws with what it said instead */
export async function startLifepod(): Promise<RunningLifepod> {
  const folder = await mkdtemp(join(tmpdir(), "lifepod-transcripts-"));
  const child = spawn(
    process.execPath,
    [commandLine, "up", "--data", join(folder, "data"), "--port", "0", "--runtime", "process", "--json", "--stop-pods"],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const ready = await readyLine(child).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const kubeconfig = await readFile(ready.kubeconfig, "utf8");
  return {
    url: ready.url,
    kubeconfig,
    nodeName: ready.node,
    async stop() {
      if (child.exitCode === null) await hastenPods(kubeconfig);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.kill("SIGTERM")) await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A test that failed half-way may have left Pods that take their time. */
async function hastenPods(kubeconfig: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const { items } = await core.listPodForAllNamespaces();
  await Promise.allSettled(
    items.map(({ metadata: { name = "", namespace = "" } = {} }) =>
      core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 1 }),
    ),
  );
}

function readyLine(child: ChildProcess): Promise<{ url: string; kubeconfig: string; node: string }> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) throw new Error("lifepod up has no output");
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        const message = parseLine(line);
        if (message["kind"] === "ready") resolve(message as { url: string; kubeconfig: string; node: string });
      });
    }
    child.once("exit", (status) => reject(new Error(`lifepod up ended with ${status} and said:\n${said.join("\n")}`)));
  });
}

function parseLine(line: string): Record<string, unknown> {
  return line.startsWith("{") ? (JSON.parse(line) as Record<string, unknown>) : {};
}
