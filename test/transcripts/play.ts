// Plays a transcript's commands in a shell of their own folder, with one version of kubectl.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Masked, mask } from "./mask.ts";
import { expectedLines, matches, type Part, type Step } from "./transcript.ts";

export interface Stage {
  readonly version: string;
  /** Path of that kubectl. */
  readonly binary: string;
  /** Text of a kubeconfig whose context names the namespace to play in. */
  readonly kubeconfig: string;
  readonly namespace: string;
  /** Home of this version, where kubectl keeps what it learnt about the server. */
  readonly home: string;
  readonly masked: Masked;
  /** Whether outputs are awaited as they are expected, or recorded as they come. */
  readonly mode: "check" | "record";
}

/** No command of a transcript takes longer, unless something is wrong. */
const stepLimitMs = 30_000;

/** When recording, output is complete after this long without more of it. */
const quietMs = 1500;

/** What each step printed, masked, in the order of the steps. */
export async function play(parts: readonly Part[], stage: Stage): Promise<readonly (readonly string[])[]> {
  const folder = await mkdtemp(join(stage.home, "play-"));
  const shell = await openShell(folder, stage);
  const outputs: (readonly string[])[] = [];
  try {
    for (const part of parts) {
      switch (part.kind) {
        case "text":
          break;
        case "file":
          await writeFile(join(folder, part.name), part.content, { mode: 0o755 });
          break;
        case "console":
          for (const step of part.steps) outputs.push(await shell.run(step));
          break;
      }
    }
    return outputs;
  } finally {
    shell.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Shell {
  run(step: Step): Promise<readonly string[]>;
  close(): void;
}

async function openShell(folder: string, stage: Stage): Promise<Shell> {
  const tools = join(folder, ".tools");
  await mkdir(tools);
  await symlink(stage.binary, join(tools, "kubectl"));
  await writeFile(join(tools, "kubeconfig"), stage.kubeconfig, { mode: 0o600 });
  const env = {
    HOME: stage.home,
    KUBECONFIG: join(tools, "kubeconfig"),
    NAMESPACE: stage.namespace,
    PATH: `${tools}:${process.env["PATH"] ?? ""}`,
    LC_ALL: "C",
  };
  const start = (command: string): Job =>
    new Job(
      spawn("sh", ["-c", `exec 2>&1\n${command}`], {
        cwd: folder,
        env,
        stdio: ["ignore", "pipe", "ignore"],
        detached: true,
      }),
    );
  const jobs: { readonly job: Job; readonly shown: number }[] = [];
  const lines = (job: Job): readonly string[] => linesOf(mask(job.output, stage.masked));

  return {
    async run(step) {
      const expected = expectedLines(step, stage.version);
      if (step.command.endsWith(" &")) {
        const job = start(step.command.slice(0, -2));
        if (stage.mode === "check")
          await job.until(() => lines(job).length >= expected.length && matches(expected, lines(job)));
        else await job.untilQuiet();
        const shown = lines(job);
        jobs.push({ job, shown: shown.length });
        return shown;
      }
      if (step.command === "fg") {
        const background = jobs.pop();
        if (background === undefined) throw new Error(`line ${step.line}: fg without a job`);
        const { job, shown } = background;
        const interrupts = expected.at(-1) === "^C";
        if (stage.mode === "record") await job.untilQuiet();
        else if (interrupts) await job.until(() => matches(expected.slice(0, -1), lines(job).slice(shown)));
        else await job.untilExit();
        return job.ended
          ? [...lines(job).slice(shown), ...exitLine(job)]
          : [...lines(job).slice(shown), await job.interrupt()];
      }
      const job = start(step.command);
      await job.untilExit();
      return [...lines(job), ...exitLine(job)];
    },
    close() {
      for (const { job } of jobs) job.kill();
    },
  };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
}

const exitLine = ({ exitCode }: Job): readonly string[] => (exitCode === 0 ? [] : [`[exit ${exitCode}]`]);

/** A command that runs, and what it has printed so far. */
class Job {
  output = "";
  exitCode: number | undefined;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.output += chunk;
      this.#changed();
    });
    // `close` comes after the last output, `exit` may come before it.
    child.once("close", (code, signal) => {
      this.exitCode = code ?? (signal === "SIGINT" ? 130 : 137);
      this.#changed();
    });
  }

  get ended(): boolean {
    return this.exitCode !== undefined;
  }

  /** Resolves when the condition holds, the command has ended, or it has been long enough: what there is then is what is shown. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.ended && !condition()) return;
        clearTimeout(limit);
        this.#listeners.delete(look);
        resolve();
      };
      const limit = setTimeout(() => {
        this.#listeners.delete(look);
        resolve();
      }, stepLimitMs);
      this.#listeners.add(look);
      look();
    });
  }

  async untilExit(): Promise<void> {
    await this.until(() => false);
    if (this.ended) return;
    this.output += `\n[still running after ${stepLimitMs / 1000} s]`;
    this.kill();
    await this.until(() => false);
  }

  untilQuiet(): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout;
      const restart = (): void => {
        clearTimeout(timer);
        if (this.ended) finish();
        else timer = setTimeout(finish, quietMs);
      };
      const finish = (): void => {
        this.#listeners.delete(restart);
        resolve();
      };
      this.#listeners.add(restart);
      restart();
    });
  }

  /** What Ctrl-C does. */
  async interrupt(): Promise<string> {
    this.#signal("SIGINT");
    await this.until(() => false);
    return "^C";
  }

  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.ended || this.#child.pid === undefined) return;
    // The shell and what it started are a process group of their own.
    process.kill(-this.#child.pid, signal);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
