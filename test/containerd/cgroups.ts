// The control groups of a containerd's sandboxes and containers.

import { type Dirent, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Those of every sandbox and container that a containerd's log ever named. */
export function cgroupsNamedIn(log: string): readonly string[] {
  const known = new Set(log.match(/\b[0-9a-f]{64}\b/g) ?? []);
  return cgroupsBelow("/sys/fs/cgroup").filter((path) => known.has(path.slice(path.lastIndexOf("/") + 1)));
}

/** Takes away what a containerd lost in a crash. Nothing may run in them any more. */
export function removeCgroups(paths: readonly string[]): void {
  for (const path of [...paths].reverse()) {
    try {
      rmdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // its parent's removal took it along
    }
  }
}

/** Parents before children. Others come and go while this looks. */
function cgroupsBelow(folder: string): readonly string[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [
      ...(/^[0-9a-f]{64}$/.test(name) ? [join(folder, name)] : []),
      ...cgroupsBelow(join(folder, name)),
    ]);
}
