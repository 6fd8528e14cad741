// Starts a container's supervisor and waits for its one line: the container runs, or why it does not.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { defaultPath } from "./executable.ts";
import { launchFile, launchScript, supervisorScript } from "./supervisor-script.ts";

export interface SupervisorRequest {
  readonly folder: string;
  readonly exitFile: string;
  readonly logPath: string;
  readonly script: string;
  readonly commandLine: readonly string[];
  /** The container has an input that clients can write to; else it reads nothing. */
  readonly stdin: boolean;
  /** The supervisor has ended, and with it the container. Not called after a restart of lifepod. */
  onEnd(): void;
}

/** `started`; `failed` before the command ran, with the reason in the error file; `claimed` if it had been started before. */
export type StartOutcome = "started" | "failed" | "claimed";

export function startSupervisor(request: SupervisorRequest): Promise<StartOutcome> {
  const { folder, exitFile, script, commandLine } = request;
  writeFileSync(join(folder, launchFile), launchScript(script, commandLine), { mode: 0o600 });
  const child = spawnSupervisor(request.logPath, [
    supervisorScript(request.stdin),
    "lifepod-supervisor",
    folder,
    exitFile,
  ]);
  child.unref();
  child.on("exit", () => request.onEnd());
  const report = child.stdio[3] as Readable;
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`failed to start the supervisor of a container: ${error.message}`)));
    report.on("data", (chunk: Buffer) => {
      report.destroy();
      resolve(outcomeIn(chunk.toString()));
    });
    // Nothing said: it died while it was being set up, and the reason is not known.
    report.on("end", () => resolve("failed"));
    report.on("error", reject);
  });
}

function spawnSupervisor(logPath: string, args: readonly string[]): ChildProcess {
  const log = openSync(logPath, "a", 0o640);
  try {
    // Its own session, no folder held, none of lifepod's environment.
    return spawn("sh", ["-c", ...args], {
      cwd: "/",
      detached: true,
      env: { PATH: defaultPath },
      stdio: ["ignore", "ignore", "ignore", "pipe", log],
    });
  } finally {
    closeSync(log);
  }
}

function outcomeIn(line: string): StartOutcome {
  const word = line.trim();
  return word === "started" || word === "claimed" ? word : "failed";
}
