// Runs one command to its end and keeps what it said.

import { spawn } from "node:child_process";
import type { Clock, Millis } from "../../base/time.ts";
import { millis } from "../../base/time.ts";
import type { ExecSyncResult } from "../runtime-service.ts";
import { ExecTimeoutError } from "../runtime-service.ts";
import { defaultPath } from "./executable.ts";
import { send } from "./process-table.ts";
import { exitCodeOfSignal } from "./signal-exit-code.ts";

/** More output than this of one stream is dropped, as containerd does. */
const outputLimit = 16 * 1024 * 1024;
/** How long output may still come after the process has ended: its children may hold the pipes. */
const drainTime = millis(100);

/**
 * @param commandLine as it is executed
 * @param command as it was asked for, for messages
 * @throws ExecTimeoutError after its whole process group was killed
 */
export function execProcess(
  commandLine: readonly string[],
  command: readonly string[],
  timeout: Millis | undefined,
  clock: Clock,
): Promise<ExecSyncResult> {
  return new Promise((resolve, reject) => {
    const [program = "", ...args] = commandLine;
    const child = spawn(program, args, {
      cwd: "/",
      detached: true,
      env: { PATH: defaultPath },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: collect(child.stdout), stderr: collect(child.stderr) };
    let timedOut = false;
    const killGroup = (): void => {
      if (child.pid !== undefined) send(-child.pid, "SIGKILL");
    };
    const timer =
      timeout === undefined
        ? undefined
        : clock.setTimer(timeout, () => {
            timedOut = true;
            killGroup();
          });
    child.on("error", (error) => {
      timer?.cancel();
      reject(new Error(`failed to exec in container: ${error.message}`));
    });
    child.on("exit", (code, signal) => {
      timer?.cancel();
      const drained = clock.setTimer(drainTime, () => {
        child.stdout.destroy();
        child.stderr.destroy();
      });
      child.on("close", () => {
        drained.cancel();
        if (timedOut) reject(new ExecTimeoutError(command, timeout as Millis));
        else resolve({ stdout: output.stdout(), stderr: output.stderr(), exitCode: code ?? exitCodeOfSignal(signal) });
      });
    });
  });
}

function collect(stream: NodeJS.ReadableStream): () => Uint8Array {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    const kept = chunk.subarray(0, outputLimit - size);
    size += kept.length;
    if (kept.length > 0) chunks.push(kept);
  });
  return () => Uint8Array.from(Buffer.concat(chunks));
}
