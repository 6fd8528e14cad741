// How a container's process is made: everything about its surroundings, worked out once from its config, and the command lines that follow.

import type { ContainerConfig } from "../runtime-service.ts";
import type { ContainerRecord } from "./container-files.ts";
import { defaultPath, whyNotExecutable, whyNotWorkingDirectory } from "./executable.ts";
import { containerMark } from "./process-table.ts";
import type { MountPlan, Privileges } from "./requirements.ts";
import { planMounts, refuseUnsupportedContainer } from "./requirements.ts";
import { containerScript, needsNamespace, quoted } from "./supervisor-script.ts";
import type { Account } from "./user-account.ts";
import { accountOf, privilegeChange } from "./user-account.ts";

export class ProcessLaunch {
  readonly mounts: MountPlan["mounts"];
  readonly account: Account;
  readonly workingDirectory: string;
  readonly #record: ContainerRecord;
  readonly #environment: readonly string[];
  readonly #path: string;
  readonly #privilegeChange: readonly string[];

  /** @throws RuntimeUnsupportedError for what a process cannot have */
  constructor(record: ContainerRecord, privileges: Privileges) {
    const { config } = record;
    refuseUnsupportedContainer(config, privileges);
    const plan = planMounts(config, privileges);
    this.#record = record;
    this.mounts = plan.mounts;
    this.account = accountOf(config.securityContext, privileges);
    this.workingDirectory = config.workingDir === "" ? "/" : config.workingDir;
    const environment = environmentOf(record, this.account, plan);
    this.#path = environment.get("PATH") as string;
    this.#environment = [...environment].map(([key, value]) => `${key}=${value}`);
    this.#privilegeChange = privilegeChange(this.account, config.securityContext, privileges);
  }

  /** Why the container's command cannot be run; `undefined` if it can. */
  whyNotStartable(): string | undefined {
    const words = [...this.dressed(this.#record.commandLine), this.workingDirectory];
    return (
      whyNotPassable([...words, ...this.mounts.flatMap(({ hostPath, containerPath }) => [hostPath, containerPath])]) ??
      whyNotWorkingDirectory(this.workingDirectory, this.mounts) ??
      this.whyNotExecutable(this.#record.commandLine)
    );
  }

  whyNotExecutable(commandLine: readonly string[]): string | undefined {
    return whyNotExecutable(commandLine[0] ?? "", this.#path, this.workingDirectory, this.mounts);
  }

  /** The script that makes the container, and the command line that it ends in. */
  get script(): string {
    return containerScript({
      mounts: this.mounts,
      workingDirectory: this.workingDirectory,
      readonlyRoot: this.#readonlyRoot,
    });
  }

  /** The command line in the container's environment and with its rights, for whoever is in its folder and its view of the files already. */
  dressed(commandLine: readonly string[]): readonly string[] {
    // `env` is the last to run, because a shell would drop variables whose names it does not like.
    // It would take a program with a `=` in its name for one more variable.
    const command =
      commandLine[0]?.includes("=") === true ? ["sh", "-c", 'exec "$0" "$@"', ...commandLine] : commandLine;
    return [...this.#privilegeChange, "env", "-i", ...this.#environment, ...command];
  }

  /** Whether the container has a view of the files that is not the machine's. */
  get hasOwnFiles(): boolean {
    return needsNamespace({ mounts: this.mounts, readonlyRoot: this.#readonlyRoot });
  }

  /**
   * The command line to run another command in the container.
   * @param mountNamespace path of the file that stands for the container's view of the files
   */
  another(mountNamespace: string, commandLine: readonly string[]): readonly string[] {
    const enter = this.hasOwnFiles ? ["nsenter", `--mount=${mountNamespace}`, "--"] : [];
    const changeDirectory = [
      "sh",
      "-c",
      `cd -- ${quoted(this.workingDirectory)} && unset PWD OLDPWD && umask 022 && exec "$@"`,
    ];
    return [...enter, ...changeDirectory, "lifepod-exec", ...this.dressed(commandLine)];
  }

  get #readonlyRoot(): boolean {
    return this.#record.config.securityContext.readonlyRootfs === true;
  }
}

/** The kernel's limit for one argument and for one variable of the environment, with the NUL at its end. */
const longestArgumentBytes = 128 * 1024;

/** Why the kernel would not take these words; `undefined` if it does. */
function whyNotPassable(words: readonly string[]): string | undefined {
  if (words.some((word) => word.includes("\0"))) return "exec: invalid argument";
  const isTooLong = (word: string): boolean => Buffer.byteLength(word) >= longestArgumentBytes;
  return words.some(isTooLong) ? "exec: argument list too long" : undefined;
}

/** What a process finds in its environment: what the container asks for, what every container has, and its mark. Nothing of lifepod's own. */
function environmentOf(record: ContainerRecord, account: Account, plan: MountPlan): Map<string, string> {
  const environment = new Map([
    ["PATH", defaultPath],
    ["HOME", account.home],
    ["HOSTNAME", record.hostname],
  ]);
  for (const { key, value } of plan.environment) environment.set(key, value);
  for (const { key, value } of record.config.envs satisfies ContainerConfig["envs"]) environment.set(key, value);
  environment.set(containerMark, record.id);
  return environment;
}
