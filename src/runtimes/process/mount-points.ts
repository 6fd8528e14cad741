// A mount needs something to be mounted on. Where the machine has nothing at a container's path, an empty file or folder is made there for as
// long as a container needs it. Who needs what is written down for the whole machine, before it is made: several lifepods may need the same
// place (taking it away would take the others' mounts along), and a crash must leave nothing behind for good.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Mount } from "../runtime-service.ts";
import { isAlive, parseStat } from "./process-table.ts";

interface MountPoint {
  readonly kind: "file" | "directory";
  /** `<state directory>#<container>`. */
  readonly users: readonly string[];
}

/** Where the machine's lifepods keep the record that they share; only root mounts. */
export const machineRecordFolder = "/var/lib/lifepod";

/** A lifepod holds the record for a moment only; one that holds it longer has been stopped and must not stop the others. */
const lockPatienceMillis = 5000;

export class MountPoints {
  readonly #stateDirectory: string;
  readonly #folder: string;

  /** @param folder where the shared record is; made when it is needed and removed when it is not */
  constructor(stateDirectory: string, folder = machineRecordFolder) {
    this.#stateDirectory = stateDirectory;
    this.#folder = folder;
  }

  /** Makes what the mounts of a container are mounted on. Mounts come in order, so that one may lie in another. */
  claim(container: string, mounts: readonly Mount[]): void {
    if (mounts.length === 0) return;
    this.#change((points) => {
      for (const [index, mount] of mounts.entries()) {
        // What lies below another mount has its place in that one's source.
        const path = hostPathOf(mount.containerPath, mounts.slice(0, index));
        this.#make(points, this.#user(container), path, statSync(mount.hostPath).isDirectory() ? "directory" : "file");
      }
    });
  }

  /** Gives up a container's claims and removes what nobody needs any more. */
  release(container: string): void {
    if (!existsSync(this.#folder)) return;
    this.#change((points) => removeUsers(points, (user) => user === this.#user(container)));
  }

  /** Gives up the claims of all containers that are not in the list, and those of lifepods whose state is gone. */
  keepOnly(containers: ReadonlySet<string>): void {
    if (!existsSync(this.#folder)) return;
    this.#change((points) => {
      removeUsers(points, (user) => {
        const [stateDirectory = "", container = ""] = user.split("#");
        return stateDirectory === this.#stateDirectory ? !containers.has(container) : !existsSync(stateDirectory);
      });
    });
  }

  #user(container: string): string {
    return `${this.#stateDirectory}#${container}`;
  }

  #make(points: Map<string, MountPoint>, user: string, path: string, kind: MountPoint["kind"]): void {
    const known = points.get(path);
    const there = kindAt(path);
    if (there !== undefined && known === undefined) return;
    const parent = dirname(path);
    if (parent !== path) this.#make(points, user, parent, "directory");
    const users = known?.users ?? [];
    points.set(path, { kind: known?.kind ?? kind, users: users.includes(user) ? users : [...users, user] });
    this.#save(points);
    if (there !== undefined) return;
    if (kind === "directory") mkdirSync(path, { mode: 0o755 });
    else writeFileSync(path, "", { mode: 0o666, flag: "wx" });
  }

  get #path(): string {
    return join(this.#folder, "mount-points.json");
  }

  /** Changes the record while no other lifepod does. */
  #change(change: (points: Map<string, MountPoint>) => void): void {
    const lock = join(this.#folder, "lock");
    takeLock(lock);
    try {
      const points = new Map(Object.entries(readRecord(this.#path)));
      change(points);
      this.#save(points);
    } finally {
      unlinkSync(lock);
    }
    // Fails where somebody else has something to keep, which is as it should be.
    ignoring(["ENOTEMPTY", "ENOENT"], () => rmdirSync(this.#folder));
  }

  #save(points: ReadonlyMap<string, MountPoint>): void {
    if (points.size === 0) {
      rmSync(this.#path, { force: true });
      return;
    }
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(points)), { mode: 0o600 });
    renameSync(temporary, this.#path);
  }
}

function removeUsers(points: Map<string, MountPoint>, isGone: (user: string) => boolean): void {
  // Deepest first, so that folders are empty when their turn comes.
  for (const path of [...points.keys()].sort((a, b) => b.length - a.length)) {
    const { kind, users } = points.get(path) as MountPoint;
    const left = users.filter((user) => !isGone(user));
    if (left.length === users.length) continue;
    if (left.length > 0) {
      points.set(path, { kind, users: left });
      continue;
    }
    // Somebody may have put something there; then it is theirs now.
    ignoring(["ENOENT", "ENOTEMPTY", "ENOTDIR"], () => {
      if (kind === "directory") rmdirSync(path);
      else if (lstatSync(path).size === 0) unlinkSync(path);
    });
    points.delete(path);
  }
}

/** Waits for the lock: others hold it for a few file operations. It names its holder, so that one who died with it does not keep it. */
function takeLock(lock: string): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const deadline = performance.now() + lockPatienceMillis;
  const own = parseStat(readFileSync("/proc/self/stat", "latin1"));
  for (;;) {
    try {
      mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
      symlinkSync(`${own.pid}:${own.startTime}`, lock);
      return;
    } catch (error) {
      // ENOENT: the last user has just removed the folder.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST" && code !== "ENOENT") throw error;
    }
    ignoring(["ENOENT"], () => {
      const [pid, startTime] = readlinkSync(lock).split(":").map(Number);
      const holds = isAlive({ pid: pid as number, startTime: startTime as number });
      if (!holds || performance.now() > deadline) unlinkSync(lock);
    });
    Atomics.wait(pause, 0, 0, 1);
  }
}

function ignoring(codes: readonly string[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Where on the machine a path of a container is, given its mounts; a later mount covers an earlier one. */
export function hostPathOf(path: string, mounts: readonly Mount[]): string {
  const holding = mounts.findLast(
    ({ containerPath }) => path === containerPath || path.startsWith(`${containerPath.replace(/\/$/, "")}/`),
  );
  if (holding === undefined) return path;
  return join(holding.hostPath, path.slice(holding.containerPath.replace(/\/$/, "").length));
}

function kindAt(path: string): "file" | "directory" | undefined {
  try {
    return statSync(path).isDirectory() ? "directory" : "file";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function readRecord(path: string): Record<string, MountPoint> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, MountPoint>;
  } catch (error) {
    // A file cut short by a power failure is as good as none: the points were on the same disk.
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return {};
    throw error;
  }
}
