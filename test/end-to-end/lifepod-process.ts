// The built program as a user runs it: a process of its own, with what it says and how it ends.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Millis, seconds } from "../../src/base/time.ts";
import { until } from "../containerd/until.ts";

/** `LIFEPOD_CLI` names another build of the command line, for example an installed package. */
export const commandLine =
  process.env["LIFEPOD_CLI"] ?? fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface LifepodOptions {
  /** Replaces variables of the environment; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  readonly folder?: string;
  /** What stands before the program in its command line: `setpriv …`, `script …`. */
  readonly wrapper?: readonly string[];
}

/** How a process ended. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class LifepodProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[], options: LifepodOptions = {}) {
    if (!existsSync(commandLine)) throw new Error(`${commandLine} is missing: build first (npm run build)`);
    const [program = process.execPath, ...rest] = [...(options.wrapper ?? []), process.execPath, commandLine, ...args];
    this.#child = spawn(program, rest, {
      stdio: ["pipe", "pipe", "pipe"],
      // Variables of the test runner are not what a user has.
      env: { ...withoutRunner(process.env), ...options.env },
      ...(options.folder !== undefined && { cwd: options.folder }),
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    // A program that ends without reading its input is not the test's concern.
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdin?.end(options.input ?? "");
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (status, signal) =>
        resolve({ status, signal, stdout: this.#stdout, stderr: this.#stderr }),
      );
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("lifepod was not started");
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it has said on standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Nobody reads its output any more, as after `| head -1`. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Ended> {
    if (this.isAlive) this.signal(signal);
    return this.ended;
  }

  /** Waits until standard output holds the text. @throws with everything that was said if the process ends before */
  async says(text: string | RegExp, within: Millis = seconds(20)): Promise<string> {
    const said = (): boolean => (typeof text === "string" ? this.#stdout.includes(text) : text.test(this.#stdout));
    await until(
      `lifepod says ${text}; it said:\n${this.#stdout}${this.#stderr}`,
      () => {
        if (said()) return true;
        if (!this.isAlive)
          throw new Error(
            `lifepod ended (${this.#child.exitCode}) without saying ${text}:\n${this.#stdout}${this.#stderr}`,
          );
        return undefined;
      },
      within,
    );
    return this.#stdout;
  }
}

/** Runs it to its end. */
export async function lifepod(args: readonly string[], options?: LifepodOptions): Promise<Ended> {
  return new LifepodProcess(args, options).ended;
}

function withoutRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const runner = /^(VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|CI$|npm_|FORCE_COLOR$|NO_COLOR$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !runner.test(name)));
}
