// Real pipes between lifepod and a command. What node makes for a child are sockets, and a script that says `> /dev/stderr` cannot open those.

import { execFile } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface PipeEnds {
  /** The end that lifepod reads or writes. */
  readonly near: Socket;
  /** The descriptor for the command; to be closed once it has been started. */
  readonly far: number;
}

/** @param directions `in` is read by the command, `out` is written by it; `undefined` makes none */
export async function namedPipes(
  directions: readonly ("in" | "out" | undefined)[],
): Promise<readonly (PipeEnds | undefined)[]> {
  const folder = mkdtempSync(join(tmpdir(), "lifepod-pipes-"));
  const path = (index: number): string => join(folder, String(index));
  const wanted = directions.flatMap((direction, index) => (direction === undefined ? [] : [path(index)]));
  try {
    if (wanted.length > 0) await promisify(execFile)("mkfifo", ["-m", "600", ...wanted]);
    return directions.map((direction, index) => (direction === undefined ? undefined : open(path(index), direction)));
  } finally {
    // Open ends need no names.
    rmSync(folder, { recursive: true, force: true });
  }
}

function open(path: string, direction: "in" | "out"): PipeEnds {
  // Whoever reads is first, and does not wait for the writer; the writer finds the reader there.
  const reads = constants.O_RDONLY | constants.O_NONBLOCK;
  if (direction === "out") {
    const near = new Socket({ fd: openSync(path, reads), readable: true, writable: false });
    return { near, far: openSync(path, constants.O_WRONLY) };
  }
  const first = openSync(path, reads);
  const near = new Socket({
    fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK),
    readable: false,
    writable: true,
  });
  // The command expects to wait for its input.
  const far = openSync(path, constants.O_RDONLY);
  closeSync(first);
  return { near, far };
}
