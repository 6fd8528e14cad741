// The state of the process runtime on disk. What it consists of can be read from the files alone at any moment, so a crash of lifepod loses
// nothing: small JSON files for what was asked, and files written by the containers' supervisors for what happened.
//
//   boot                      the machine's boot id; processes do not outlive it
//   sandboxes/<id>.json
//   sandboxes/<id>.resolv.conf  how its containers resolve names
//   containers/<id>/config.json
//   containers/<id>/launch    what the supervisor runs: the set-up, the environment, the command
//   containers/<id>/process   the process id and the kernel's line on it; its time is the start
//   containers/<id>/error     why the start failed
//   exits/<id>                the exit code; its time is the end
//
// Nothing is synced to the disk: the files describe processes, and when the power fails there are none.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Instant } from "../../base/time.ts";
import type { ContainerConfig, ContainerId, PodSandboxConfig, SandboxId } from "../runtime-service.ts";
import type { ProcessIdentity } from "./process-table.ts";
import { parseStat } from "./process-table.ts";
import { errorFile, inputKeeperFile, processFile } from "./supervisor-script.ts";

export interface SandboxRecord {
  readonly id: SandboxId;
  readonly config: PodSandboxConfig;
  readonly createdAt: Instant;
  readonly state: "ready" | "notReady";
  /** The Pod's own address on the loopback network, as long as it is ready. */
  readonly address?: string;
}

export interface ContainerRecord {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly config: ContainerConfig;
  readonly createdAt: Instant;
  readonly logPath: string;
  /** The whole command line. */
  readonly commandLine: readonly string[];
  readonly hostname: string;
}

export interface StartRecord extends ProcessIdentity {
  readonly startedAt: Instant;
}

export interface ExitRecord {
  readonly exitCode: number;
  readonly finishedAt: Instant;
  /** Nobody saw how it ended. */
  readonly lost: boolean;
}

/** The exit file of a container that nobody saw ending. */
const lostWord = "lost";
const lostExitCode = 255;

export class ContainerFiles {
  readonly #root: string;
  readonly exits: string;

  /** @param root is made if it is not there; only its owner may read it, since environments hold secrets */
  constructor(root: string) {
    this.#root = root;
    this.exits = join(root, "exits");
    for (const folder of [root, join(root, "sandboxes"), join(root, "containers"), this.exits]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  }

  /** Remembers which boot of the machine this is; says whether it is another one than last time. */
  noteBoot(): boolean {
    const now = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
    const before = readIfThere(join(this.#root, "boot"));
    if (before !== now) this.#write(join(this.#root, "boot"), now);
    return before !== undefined && before !== now;
  }

  saveSandbox(record: SandboxRecord): void {
    this.#write(join(this.#root, "sandboxes", `${record.id}.json`), JSON.stringify(record));
  }

  /** The resolver file of a sandbox's containers; answers with its path. */
  writeResolver(id: SandboxId, text: string): string {
    const path = join(this.#root, "sandboxes", `${id}.resolv.conf`);
    // Written once: it is mounted in the containers that are there already.
    if (readIfThere(path) === undefined) writeFileSync(path, text, { mode: 0o644 });
    return path;
  }

  removeSandbox(id: SandboxId): void {
    for (const ending of ["json", "resolv.conf"]) {
      rmSync(join(this.#root, "sandboxes", `${id}.${ending}`), { force: true });
    }
  }

  sandboxes(): readonly SandboxRecord[] {
    const folder = join(this.#root, "sandboxes");
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    return names.flatMap((name) => recordIn<SandboxRecord>(join(folder, name)));
  }

  folderOf(id: ContainerId): string {
    return join(this.#root, "containers", id);
  }

  exitFileOf(id: ContainerId): string {
    return join(this.exits, id);
  }

  saveContainer(record: ContainerRecord): void {
    mkdirSync(this.folderOf(record.id), { recursive: true, mode: 0o700 });
    this.#write(join(this.folderOf(record.id), "config.json"), JSON.stringify(record));
  }

  containers(): readonly ContainerRecord[] {
    const folder = join(this.#root, "containers");
    return readdirSync(folder).flatMap((name) => {
      const found = recordIn<ContainerRecord>(join(folder, name, "config.json"));
      // Without its record nobody knows of it: lifepod went away while it made or removed it.
      if (found.length === 0) this.removeContainer(name as ContainerId);
      return found;
    });
  }

  /** The record goes first: what is left without it is swept away when the runtime is opened. */
  removeContainer(id: ContainerId): void {
    rmSync(join(this.folderOf(id), "config.json"), { force: true });
    rmSync(this.folderOf(id), { recursive: true, force: true });
    rmSync(this.exitFileOf(id), { force: true });
  }

  /** Its first process; `undefined` if it was not started. */
  startOf(id: ContainerId): StartRecord | undefined {
    return this.#processIn(join(this.folderOf(id), processFile));
  }

  /** Who holds the container's input open; `undefined` if nobody does, or does yet. */
  inputKeeperOf(id: ContainerId): ProcessIdentity | undefined {
    return this.#processIn(join(this.folderOf(id), inputKeeperFile));
  }

  #processIn(path: string): StartRecord | undefined {
    const text = readIfThere(path);
    // The line may just be about to be written.
    if (text === undefined || !text.endsWith("\n")) return undefined;
    const { pid, startTime } = parseStat(text.slice(text.indexOf(" ") + 1));
    return { pid, startTime, startedAt: statSync(path).mtimeMs as Instant };
  }

  /** How it ended; `undefined` if it has not. */
  exitOf(id: ContainerId): ExitRecord | undefined {
    const path = this.exitFileOf(id);
    const text = readIfThere(path);
    if (text === undefined || !text.endsWith("\n")) return undefined;
    const lost = text.trim() === lostWord;
    return {
      exitCode: lost ? lostExitCode : Number.parseInt(text, 10),
      finishedAt: statSync(path).mtimeMs as Instant,
      lost,
    };
  }

  saveLoss(id: ContainerId): void {
    this.#write(this.exitFileOf(id), `${lostWord}\n`);
  }

  /** Why it could not be started; `undefined` if it could. */
  errorOf(id: ContainerId): string | undefined {
    return readIfThere(join(this.folderOf(id), errorFile))?.trimEnd();
  }

  /** Notes a start that was given up before any process was made. */
  saveFailedStart(id: ContainerId, error: string, exitCode: number): void {
    this.#write(join(this.folderOf(id), errorFile), error);
    this.#write(this.exitFileOf(id), `${exitCode}\n`);
  }

  #write(path: string, text: string): void {
    // Names with a dot are passed over by whoever watches the folder.
    const temporary = `${path}.new`;
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  }
}

/** The record in a file, or nothing if the file is not there or was cut short by a power failure. */
function recordIn<T>(path: string): readonly T[] {
  const text = readIfThere(path);
  if (text === undefined || !text.endsWith("}")) return [];
  return [JSON.parse(text) as T];
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
