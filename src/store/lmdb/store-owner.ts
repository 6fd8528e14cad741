// One process a store. The owner's name is kept inside the database, where LMDB's own writer lock makes looking and taking one step; whoever finds
// the name of a process that no longer lives takes its place, so a killed owner leaves nothing to clean up.

import { readFileSync, readlinkSync } from "node:fs";

/** Names one process, also after its number was given to another one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process began, on which boot, in which process namespace; the same text for the same process. Empty where the host does not say. */
  readonly birth: string;
}

export class StoreInUseError extends Error {
  readonly pid: number;
  constructor(path: string, pid: number) {
    super(`the store in ${path} is in use by process ${pid}; stop it first, or choose another folder`);
    this.name = "StoreInUseError";
    this.pid = pid;
  }
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, birth: birthOf(process.pid) ?? "" };
}

/**
 * Whether a process still runs. A process of another container that shares the folder counts as gone: it cannot be seen from here.
 */
export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.birth !== "") return birthOf(identity.pid) === identity.birth;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // someone else's process is a living one, too
  }
}

/** Whether a process has ended beyond doubt: it was of an earlier boot, or this process could see it and does not. */
export function hasSurelyEnded(identity: ProcessIdentity): boolean {
  const [boot, namespace] = identity.birth.split(" ");
  const [ownBoot, ownNamespace] = thisProcess().birth.split(" ");
  if (boot === undefined || boot === "" || ownBoot === undefined || ownBoot === "") return false;
  return boot !== ownBoot || (namespace === ownNamespace && !isRunning(identity));
}

/** `undefined` if there is no such process, or the host has no /proc. */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may hold anything; the fields after it are plain.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    const startTicks = fields[19];
    if (state === "Z" || state === "X" || startTicks === undefined) return undefined; // dead, only not yet collected by its parent
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")} ${startTicks}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return undefined;
    throw error;
  }
}
