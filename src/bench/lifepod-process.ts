// A lifepod of its own for a benchmark: the built program, started the way a user starts it.

import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface LifepodProcess {
  readonly pid: number;
  readonly url: string;
  readonly data: string;
  readonly kubeconfig: string;
  /** When the process was started, on the clock of `performance.now()`. */
  readonly begun: number;
  /** From the start of the process to its `ready` line, in milliseconds. */
  readonly readyAfter: number;
  /** TERM, which ends the Pods too, and wait for its end. The folder stays if it was given. */
  stop(): Promise<void>;
}

export interface LifepodOptions {
  readonly runtime: "process" | "containerd";
  readonly endpoint?: string;
  /** An existing data folder; a new one, removed at the end, if absent. */
  readonly data?: string;
}

const program = join(import.meta.dirname, "..", "..", "..", "dist", "cli", "main.js");

/** @throws Error if it ends before it is ready */
export async function startLifepod(options: LifepodOptions): Promise<LifepodProcess> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), "lifepod-bench-")));
  const begun = performance.now();
  const args = ["up", "--data", data, "--port", "0", "--json", "--stop-pods", "--runtime", options.runtime];
  if (options.endpoint !== undefined) args.push("--runtime-endpoint", options.endpoint);
  const child: ChildProcess = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const cleanUp = (): void => {
    child.kill("SIGKILL");
    if (options.data === undefined) rmSync(data, { recursive: true, force: true });
  };
  // A benchmark that throws leaves nothing behind.
  process.once("exit", cleanUp);
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
    process.removeListener("exit", cleanUp);
    cleanUp();
  };
  const output = child.stdout as NodeJS.ReadableStream;
  for await (const line of createInterface({ input: output })) {
    const message = JSON.parse(line) as { kind: string; url: string; kubeconfig: string };
    if (message.kind !== "ready") continue;
    const readyAfter = performance.now() - begun;
    output.resume();
    const { url, kubeconfig } = message;
    return { pid: child.pid as number, url, data, kubeconfig, begun, readyAfter, stop };
  }
  throw new Error("lifepod ended before it was ready");
}
