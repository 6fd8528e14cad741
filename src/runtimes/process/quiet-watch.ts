import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";

/**
 * Watches a file or a folder without keeping lifepod alive. A machine can run out of watches; then it is told once, and the regular look of the
 * runtime has to do.
 * @param changed gets the name of the entry that changed
 */
export function watchQuietly(
  path: string,
  changed: (name: string) => void,
  trouble: (error: Error) => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, (_kind, name) => changed(name ?? ""));
    watcher.on("error", trouble);
    return watcher;
  } catch (error) {
    trouble(new Error(`${path} cannot be watched, changes are noticed late: ${(error as Error).message}`));
    return undefined;
  }
}
