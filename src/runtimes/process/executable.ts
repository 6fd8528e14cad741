// Whether a command can be run at all, asked before anything is started, so that the answer comes in the words that people know from
// container runtimes.

import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import type { Mount } from "../runtime-service.ts";
import { hostPathOf } from "./mount-points.ts";

export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Why a command cannot be run; `undefined` if it can.
 * @param command its name, looked for in `path` unless it has a slash
 */
export function whyNotExecutable(
  command: string,
  path: string,
  workingDirectory: string,
  mounts: readonly Mount[],
): string | undefined {
  const start = `unable to start container process: exec: ${JSON.stringify(command)}:`;
  if (!command.includes("/")) {
    const found = path
      .split(":")
      .some((folder) => problemWith(hostPathOf(join(folder, command), mounts)) === undefined);
    return found ? undefined : `${start} executable file not found in $PATH`;
  }
  const absolute = command.startsWith("/") ? command : join(workingDirectory, command);
  const problem = problemWith(hostPathOf(absolute, mounts));
  return problem === undefined
    ? undefined
    : `${start} ${problem === "permission denied" ? "" : `stat ${command}: `}${problem}`;
}

/** Why a process cannot begin in a folder; `undefined` if it can. */
export function whyNotWorkingDirectory(path: string, mounts: readonly Mount[]): string | undefined {
  const problem = problemOf(() => (statSync(hostPathOf(path, mounts)).isDirectory() ? undefined : "not a directory"));
  return problem && `chdir to cwd (${JSON.stringify(path)}) set in config.json failed: ${problem}`;
}

function problemWith(path: string): string | undefined {
  return problemOf(() => {
    if (statSync(path).isDirectory()) return "permission denied";
    accessSync(path, constants.X_OK);
    return undefined;
  });
}

function problemOf(look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case "ENOENT":
        return "no such file or directory";
      case "ENOTDIR":
        return "not a directory";
      case "EACCES":
      case "EPERM":
        return "permission denied";
      case "ELOOP":
        return "too many levels of symbolic links";
      case undefined:
      default:
        throw error;
    }
  }
}
