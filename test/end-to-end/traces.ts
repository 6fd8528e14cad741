// What lifepod and its Pods leave on the machine, found from outside: processes, mounts, files.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A process, told from a later one with the same number by when it started. */
export interface Sighting {
  readonly pid: number;
  readonly startTime: string;
}

/** Processes that carry the text in their environment, command line or working directory, however they are namespaced; the oldest first. */
export function processesWith(text: string): readonly Sighting[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => ["environ", "cmdline"].some((file) => readIfThere(`/proc/${pid}/${file}`).includes(text)))
    .flatMap((pid) => {
      const stat = readIfThere(`/proc/${pid}/stat`);
      const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const startTime = fields[18];
      return state === "Z" || startTime === undefined ? [] : [{ pid: Number(pid), startTime }];
    })
    .sort((a, b) => Number(a.startTime) - Number(b.startTime) || a.pid - b.pid);
}

/** Mount points at or below the folder. */
export function mountsBelow(folder: string): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((point) => point === folder || point.startsWith(`${folder}/`));
}

/** Everything below the folder, as paths relative to it; empty if it is not there. */
export function filesBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** What of Pods is left in a data folder that has been in use. */
export function podFilesIn(data: string): readonly string[] {
  return ["pods/pods", "logs", "processes/sandboxes", "processes/containers", "processes/exits"].flatMap((part) =>
    filesBelow(join(data, part)).map((path) => `${part}/${path}`),
  );
}

/** How many files a process has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // The process ended meanwhile, or is the machine's own first one, into which not even root may look everywhere.
    if (["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
