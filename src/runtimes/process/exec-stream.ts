// Runs one command with a client's streams on it: its input as it comes, its output as it is taken, and a terminal if it is to have one.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
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
import { namedPipes } from "./named-pipes.ts";
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
  const command = request.tty ? startOnTerminal(commandLine) : await startOnPipes(commandLine, request);
  const gone = whenAborted(streams.signal);
  try {
    const input = feed(command.stdin, streams.stdin);
    const output = Promise.all([drain(command.stdout, streams.stdout), drain(command.stderr, streams.stderr)]);
    if (command.terminal !== undefined) void followSize(command.terminal, streams.resize);
    const all = Promise.all([command.ended, output]).then(([exitCode]) => exitCode);
    return await Promise.race([all, input.then(() => all), gone.promise]);
  } finally {
    gone.forget();
    command.letGo();
  }
}

/** A command that has been started, and our ends of its streams. */
interface StartedCommand {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Tells the name of its terminal, if it has one. */
  readonly terminal?: Readable;
  /** Its exit code. Rejects if it could not be started. */
  readonly ended: Promise<number>;
  /** Closes our ends; a terminal hangs up. */
  letGo(): void;
}

const surroundings = { cwd: "/", detached: true, env: { PATH: defaultPath, SHELL: "/bin/sh" } } as const;

async function startOnPipes(
  [program = "", ...args]: readonly string[],
  request: StreamRequest,
): Promise<StartedCommand> {
  const pipes = await namedPipes([
    request.stdin ? "in" : undefined,
    request.stdout ? "out" : undefined,
    request.stderr ? "out" : undefined,
  ]);
  const child = spawn(program, args, { ...surroundings, stdio: pipes.map((pipe) => pipe?.far ?? "ignore") });
  for (const pipe of pipes) if (pipe !== undefined) closeSync(pipe.far);
  const [stdin, stdout, stderr] = pipes;
  return {
    stdin: stdin?.near,
    stdout: stdout?.near,
    stderr: stderr?.near,
    ended: endOf(child),
    letGo() {
      for (const pipe of pipes) pipe?.near.destroy();
    },
  };
}

/** `script` makes the terminal and ends with what runs in it. Descriptor 3 tells the terminal's name. */
function startOnTerminal(commandLine: readonly string[]): StartedCommand {
  const inside = `tty >&3; exec 3>&-; exec ${commandLine.map(quoted).join(" ")}`;
  const args = ["--quiet", "--return", "--flush", "--echo", "always", "--command", inside, "/dev/null"];
  // A terminal that nobody types at is still open, so there is always an input.
  const child = spawn("script", args, { ...surroundings, stdio: ["pipe", "pipe", "pipe", "pipe"] });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    terminal: child.stdio[3] as Readable,
    ended: endOf(child),
    letGo() {
      for (const stream of child.stdio) stream?.destroy();
      // Without its master the terminal hangs up, and everybody in it hears of it.
      child.kill("SIGKILL");
    },
  };
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`failed to exec in container: ${error.message}`)));
    child.once("exit", (code, signal) => resolve(code ?? exitCodeOfSignal(signal)));
  });
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

/** Resolves when the input has ended or the command reads no more. */
export async function feed(pipe: Writable | undefined, stdin: ByteSource | undefined): Promise<void> {
  if (pipe === undefined || stdin === undefined) return;
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
async function drain(pipe: Readable | undefined, sink: ByteSink | undefined): Promise<void> {
  if (pipe === undefined) return;
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
async function followSize(report: Readable, resize: AsyncIterable<TerminalSize> | undefined): Promise<void> {
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
