// A lifepod of its own for a benchmark: the built program, started the way a user starts it.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface LifepodProcess {
  readonly pid: number;
  readonly url: string;
  readonly data: string;
  readonly kubeconfig: string;
  /** From the start of the process to its `ready` line, in milliseconds. */
  readonly readyAfter: number;
  /** TERM, and wait for its end. The folder stays if it was given. */
  stop(): Promise<void>;
}

const program = join(import.meta.dirname, "..", "..", "dist", "cli", "main.js");

/** @param data an existing data folder; a new one, removed at the end, if absent */
export async function startLifepod(options: {
  readonly runtime: string;
  readonly endpoint?: string;
  readonly data?: string;
}): Promise<LifepodProcess> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), "lifepod-bench-")));
  const begun = performance.now();
  const args = ["up", "--data", data, "--port", "0", "--json", "--stop-pods", "--runtime", options.runtime];
  if (options.endpoint !== undefined) args.push("--runtime-endpoint", options.endpoint);
  const child: ChildProcess = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const message = JSON.parse(line) as { kind: string; url: string; kubeconfig: string };
    if (message.kind !== "ready") continue;
    const readyAfter = performance.now() - begun;
    (child.stdout as NodeJS.ReadableStream).resume();
    return {
      pid: child.pid as number,
      url: message.url,
      data,
      kubeconfig: message.kubeconfig,
      readyAfter,
      async stop() {
        child.kill("SIGTERM");
        await ended;
        if (options.data === undefined) await rm(data, { recursive: true, force: true });
      },
    };
  }
  throw new Error("lifepod ended before it was ready");
}
