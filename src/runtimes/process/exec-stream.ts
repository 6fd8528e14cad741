// Runs one command with a client's streams on it: its input as it comes, its output as it is taken, and a terminal if it is to have one.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import {
  type ByteSink,
  type ByteSource,
  type ProcessStreams,
  type TerminalSize,
  whenAborted,
} from "../../base/byte-stream.ts";
import type { StreamRequest } from "../runtime-service.ts";
import { RuntimeUnsupportedError } from "../runtime-service.ts";
import { defaultPath, whyNotExecutable } from "./executable.ts";
import { exitCodeOfSignal } from "./signal-exit-code.ts";
import { quoted } from "./supervisor-script.ts";

/**
 * Resolves with the exit code when the command has ended and everybody has closed its output. When the client goes away, its input ends, its output is closed,
 * a terminal is hung up, and the promise rejects; a command that needs none of these goes on, as it does in a container.
 */
export async function execStream(
  commandLine: readonly string[],
  request: StreamRequest,
  streams: ProcessStreams,
): Promise<number> {
  streams.signal.throwIfAborted();
  const [program = "", ...args] = request.tty ? onTerminal(commandLine) : commandLine;
  const wanted = (asked: boolean): "pipe" | "ignore" => (asked ? "pipe" : "ignore");
  const child = spawn(program, args, {
    cwd: "/",
    detached: true,
    env: { PATH: defaultPath, SHELL: "/bin/sh" },
    stdio: request.tty
      ? // A terminal that nobody types at is still open.
        ["pipe", "pipe", "pipe", "pipe"]
      : [wanted(request.stdin), wanted(request.stdout), wanted(request.stderr)],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`failed to exec in container: ${error.message}`)));
    child.once("exit", (code, signal) => resolve(code ?? exitCodeOfSignal(signal)));
  });
  const gone = whenAborted(streams.signal);
  try {
    const input = feed(child.stdin, streams.stdin);
    const output = Promise.all([drain(child.stdout, streams.stdout), drain(child.stderr, streams.stderr)]);
    if (request.tty) void followSize(child, streams.resize);
    const all = Promise.all([ended, output]).then(([exitCode]) => exitCode);
    return await Promise.race([all, input.then(() => all), gone.promise]);
  } finally {
    gone.forget();
    letGo(child, request.tty);
  }
}

/** @throws RuntimeUnsupportedError if this machine cannot make a terminal */
export function requireTerminal(): void {
  const missing = ["script", "stty", "tty"].filter(
    (name) => whyNotExecutable(name, defaultPath, "/", []) !== undefined,
  );
  if (missing.length === 0) return;
  throw new RuntimeUnsupportedError(
    `a terminal for a process needs ${missing.join(", ")} in ${defaultPath}; install util-linux and coreutils, or leave the terminal out (no -t)`,
  );
}

/** `script` makes the terminal and ends with what runs in it. Descriptor 3 tells the terminal's name. */
function onTerminal(commandLine: readonly string[]): readonly string[] {
  const inside = `tty >&3; exec 3>&-; exec ${commandLine.map(quoted).join(" ")}`;
  return ["script", "--quiet", "--return", "--flush", "--echo", "always", "--command", inside, "/dev/null"];
}

/** Resolves when the input has ended or the command reads no more. */
export async function feed(pipe: Writable | null, stdin: ByteSource | undefined): Promise<void> {
  if (pipe === null || stdin === undefined) return;
  // A command that ends without reading its input is no failure; it is seen below.
  pipe.on("error", () => pipe.destroy());
  for await (const chunk of stdin) {
    if (!(await written(pipe, chunk))) return;
  }
  pipe.end();
}

/** @returns false if nobody reads */
function written(pipe: Writable, chunk: Uint8Array): Promise<boolean> {
  if (pipe.destroyed) return Promise.resolve(false);
  if (pipe.write(chunk)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (): void => {
      pipe.removeListener("drain", settle);
      pipe.removeListener("close", settle);
      resolve(!pipe.destroyed);
    };
    pipe.once("drain", settle);
    pipe.once("close", settle);
  });
}

/** Resolves when the output has ended, or when nobody takes it any more: the command is told so by its next write. */
async function drain(pipe: Readable | null, sink: ByteSink | undefined): Promise<void> {
  if (pipe === null) return;
  if (sink === undefined) {
    pipe.resume();
    return;
  }
  try {
    for await (const chunk of pipe as AsyncIterable<Buffer>) await sink.write(chunk);
    sink.end();
  } catch (error) {
    pipe.destroy();
    throw error;
  }
}

/** Gives the terminal the client's size, each time the newest. */
async function followSize(child: ChildProcess, resize: AsyncIterable<TerminalSize> | undefined): Promise<void> {
  const report = child.stdio[3] as Readable;
  report.on("error", () => report.destroy());
  const name = await firstLine(report);
  if (name === undefined || resize === undefined) return;
  for await (const { columns, rows } of resize) {
    const change = spawn("stty", ["-F", name, "rows", String(rows), "columns", String(columns)], {
      env: { PATH: defaultPath },
      stdio: "ignore",
    });
    // The command may have ended meanwhile, and its terminal with it.
    await once(change, "close").catch(() => undefined);
  }
}

/** Whoever made the terminal keeps the descriptor open, so it is the line's end that counts. */
function firstLine(report: Readable): Promise<string | undefined> {
  let text = "";
  return new Promise((resolve) => {
    report.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end !== -1) resolve(text.startsWith("/dev/") ? text.slice(0, end) : undefined);
    });
    report.once("close", () => resolve(undefined));
  });
}

function letGo(child: ChildProcess, tty: boolean): void {
  for (const stream of child.stdio) stream?.destroy();
  // Without its master the terminal hangs up, and everybody in it hears of it.
  if (tty) child.kill("SIGKILL");
}
