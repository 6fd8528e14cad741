// The machine's processes, as far as containers are concerned: which are alive, which belong to whom, and how to end them.
//
// A container's processes are found in two ways: those of its session, and those that carry its mark in their environment, which also finds
// the ones that made themselves a session (daemons).

import { readdirSync, readFileSync } from "node:fs";

/** The variable that every process of a container inherits; its value is the container's id. */
export const containerMark = "LIFEPOD_CONTAINER";

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since the machine started. */
  readonly startTime: number;
}

export interface ProcessEntry extends ProcessIdentity {
  readonly session: number;
  /** The container that the process says it belongs to. */
  readonly container: string | undefined;
  /** User and system time of itself and of its children that ended, in clock ticks. */
  readonly cpuTicks: number;
  readonly residentPages: number;
}

/** Clock ticks of /proc a second: fixed on Linux for all programs. */
export const ticksPerSecond = 100;
export const pageBytes = 4096;

/** What the kernel's line on a process says. The name in it may hold anything, brackets and spaces too. */
export function parseStat(line: string): Omit<ProcessEntry, "container"> & { readonly state: string } {
  const pid = Number.parseInt(line, 10);
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const field = (n: number): number => Number(fields[n - 3]);
  return {
    pid,
    state: fields[0] ?? "",
    session: field(6),
    cpuTicks: field(14) + field(15) + field(16) + field(17),
    startTime: field(22),
    residentPages: field(24),
  };
}

/** Whether exactly this process is still there and has not ended. */
export function isAlive(process: ProcessIdentity): boolean {
  const line = readProc(process.pid, "stat");
  if (line === undefined) return false;
  const seen = parseStat(line);
  return seen.startTime === process.startTime && seen.state !== "Z" && seen.state !== "X";
}

/** Sends a signal to the process group that a container's process leads, if it is still that process. */
export function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isAlive(leader)) send(-leader.pid, signal);
}

/** Sends a signal to a process, if it is still that process. */
export function signalProcess(process: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isAlive(process)) send(process.pid, signal);
}

export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself in the meantime, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Looks at all processes. Looks that are asked for at the same time are one. */
export class ProcessTable {
  #next: Promise<readonly ProcessEntry[]> | undefined;

  /** All processes as they are at some moment after the call. */
  scan(): Promise<readonly ProcessEntry[]> {
    this.#next ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#next = undefined;
        try {
          resolve(scanNow());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    return this.#next;
  }

  /** The processes of a container, its main one included. */
  async membersOf(container: string, leader: ProcessIdentity | undefined): Promise<readonly ProcessEntry[]> {
    const all = await this.scan();
    return all.filter(
      (entry) =>
        entry.container === container ||
        // A session's number stays taken as long as somebody is in it, so an older process is somebody else's.
        (leader !== undefined && entry.session === leader.pid && entry.startTime >= leader.startTime),
    );
  }

  /** Kills what is left of a container, again until nothing is, since a process may fork while it is looked for. */
  async killAll(container: string, leader: ProcessIdentity | undefined): Promise<void> {
    for (let round = 0; round < 100; round++) {
      const left = await this.membersOf(container, leader);
      if (left.length === 0) return;
      for (const { pid } of left) send(pid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, Math.min(20, round)));
    }
    throw new Error(`processes of container ${container} do not end`);
  }
}

function scanNow(): readonly ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = readProc(name, "stat");
    if (line === undefined) continue;
    const stat = parseStat(line);
    if (stat.state === "Z" || stat.state === "X") continue;
    // A process of the kernel has no memory and no environment.
    if (stat.residentPages === 0) continue;
    const environment = readProc(name, "environ") ?? "";
    const mark = environment.split("\0").find((variable) => variable.startsWith(`${containerMark}=`));
    entries.push({ ...stat, container: mark?.slice(containerMark.length + 1) });
  }
  return entries;
}

/** A file of a process; `undefined` if the process is gone or is nobody's business. */
function readProc(pid: number | string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM") return undefined;
    throw error;
  }
}
