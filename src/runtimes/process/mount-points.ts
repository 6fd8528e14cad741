// A mount needs something to be mounted on. Where the machine has nothing at a container's path, an empty file or folder is made there for as
// long as a container needs it. Who needs what is written down first, so that a crash leaves nothing behind for good.

import {
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Mount } from "../runtime-service.ts";

interface MountPoint {
  readonly kind: "file" | "directory";
  readonly users: string[];
}

export class MountPoints {
  readonly #path: string;
  readonly #points: Map<string, MountPoint>;

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, "mount-points.json");
    this.#points = new Map(Object.entries(readRecord(this.#path)));
  }

  /** Makes what the mounts of a container are mounted on. Mounts come in order, so that one may lie in another. */
  claim(user: string, mounts: readonly Mount[]): void {
    for (const [index, mount] of mounts.entries()) {
      // What lies below another mount has its place in that one's source.
      const path = hostPathOf(mount.containerPath, mounts.slice(0, index));
      this.#make(user, path, statSync(mount.hostPath).isDirectory() ? "directory" : "file");
    }
  }

  /** Gives up a container's claims and removes what nobody needs any more. */
  release(user: string): void {
    // Deepest first, so that folders are empty when their turn comes.
    const paths = [...this.#points.keys()].sort((a, b) => b.length - a.length);
    let changed = false;
    for (const path of paths) {
      const point = this.#points.get(path) as MountPoint;
      const index = point.users.indexOf(user);
      if (index === -1) continue;
      changed = true;
      point.users.splice(index, 1);
      if (point.users.length > 0) continue;
      removeIfUntouched(path, point.kind);
      this.#points.delete(path);
    }
    if (changed) this.#save();
  }

  /** Gives up the claims of all that are not in the list. */
  keepOnly(users: ReadonlySet<string>): void {
    const gone = new Set([...this.#points.values()].flatMap((point) => point.users).filter((user) => !users.has(user)));
    for (const user of gone) this.release(user);
  }

  #make(user: string, path: string, kind: "file" | "directory"): void {
    const known = this.#points.get(path);
    const there = kindAt(path);
    if (there !== undefined && known === undefined) return;
    const parent = dirname(path);
    if (parent !== path) this.#make(user, parent, "directory");
    if (known !== undefined && !known.users.includes(user)) known.users.push(user);
    else if (known === undefined) this.#points.set(path, { kind, users: [user] });
    this.#save();
    if (there !== undefined) return;
    if (kind === "directory") mkdirSync(path, { mode: 0o755 });
    else writeFileSync(path, "", { mode: 0o666, flag: "wx" });
  }

  #save(): void {
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(this.#points)), { mode: 0o600 });
    renameSync(temporary, this.#path);
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

/** Somebody may have put something there; then it is theirs now. */
function removeIfUntouched(path: string, kind: "file" | "directory"): void {
  try {
    if (kind === "directory") rmdirSync(path);
    else if (lstatSync(path).size === 0) unlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "ENOTDIR") throw error;
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
