// Reads a log line by line, from any place, and stays for more.

import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { LogLine, ReadLogOptions } from "../runtime-service.ts";
import type { LogIndex } from "./log-index.ts";
import { readLogIndex } from "./log-index.ts";
import type { ProcessLog } from "./process-log.ts";

const chunkBytes = 64 * 1024;
/** Longer lines are given in parts, as container runtimes do. */
export const longestLineBytes = 16 * 1024;
const newline = 0x0a;

/**
 * @param live the log's keeper while the container may still write; `undefined` for a log of the past
 * @throws if there is no such log
 */
export async function* readProcessLog(
  path: string,
  live: () => ProcessLog | undefined,
  options: ReadLogOptions,
): AsyncGenerator<LogLine> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`failed to try resolving symlinks in path "${path}": lstat ${path}: no such file or directory`);
  });
  try {
    const reader = new LineReader(file);
    let index = await noted(path, live());
    await reader.moveTo(await startOffset(file, index, options));
    for (;;) {
      // Asked before reading: what is written between the two is read in the next turn.
      const keeper = live();
      const over = keeper === undefined || keeper.isOver;
      const lines = await reader.next(over);
      if (lines.length > 0) index = await noted(path, keeper);
      for (const { text, start, end, partial } of lines) {
        if (options.signal?.aborted === true) return;
        // Given back to the disk while it was read: who knows what was there.
        if (start < index.keptFrom) continue;
        const time = index.timeAt(end);
        if (options.since !== undefined && time < options.since) continue;
        yield { time, stream: "stdout", text, partial };
      }
      if (lines.length > 0) continue;
      if (!options.follow || over || options.signal?.aborted === true) return;
      await keeper.changed(options.signal);
    }
  } finally {
    await file.close();
  }
}

/** The notes, with those that were not on the disk yet. */
async function noted(path: string, keeper: ProcessLog | undefined): Promise<LogIndex> {
  keeper?.flush();
  return await readLogIndex(path);
}

async function startOffset(file: FileHandle, index: LogIndex, options: ReadLogOptions): Promise<number> {
  const from = options.since === undefined ? index.keptFrom : index.offsetBefore(options.since);
  if (options.tailLines === undefined) return from;
  return Math.max(from, await tailOffset(file, options.tailLines, from));
}

/** Where the n-th line from the end begins, not before `from`. */
async function tailOffset(file: FileHandle, lines: number, from: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  let found = 0;
  const buffer = Buffer.alloc(chunkBytes);
  for (let end = size; end > from; ) {
    const start = Math.max(from, end - chunkBytes);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      // The end of the last line is not the end of the one before it.
      if (buffer[at] === newline && start + at < size - 1 && ++found === lines) return start + at + 1;
    }
    end = start;
  }
  return from;
}

interface Line {
  readonly text: Uint8Array;
  readonly start: number;
  /** The offset behind the line. */
  readonly end: number;
  readonly partial: boolean;
}

class LineReader {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.alloc(chunkBytes);
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Goes on from an offset; the first line begins where a line begins. */
  async moveTo(offset: number): Promise<void> {
    this.#offset = offset;
    if (offset === 0) return;
    const before = Buffer.alloc(1);
    await this.#file.read(before, 0, 1, offset - 1);
    // A cut falls anywhere: the rest of the line that it went through is of no use.
    if (before[0] !== newline) await this.#skipLine();
  }

  /** The next lines; none if there are no more now. @param over a last line without an end counts as one */
  async next(over: boolean): Promise<readonly Line[]> {
    for (;;) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, chunkBytes, this.#offset);
      if (bytesRead === 0) {
        if (!over || this.#rest.length === 0) return [];
        const line: Line = {
          text: Uint8Array.from(this.#rest),
          start: this.#offset - this.#rest.length,
          end: this.#offset,
          partial: false,
        };
        this.#rest = Buffer.alloc(0);
        return [line];
      }
      const data = Buffer.concat([this.#rest, this.#buffer.subarray(0, bytesRead)]);
      const base = this.#offset - this.#rest.length;
      this.#offset += bytesRead;
      const lines = this.#split(data, base);
      if (lines.length > 0) return lines;
    }
  }

  #split(data: Buffer, base: number): readonly Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (;;) {
      const end = data.indexOf(newline, start);
      const length = (end === -1 ? data.length : end) - start;
      if (length > longestLineBytes) {
        const cut = start + longestLineBytes;
        lines.push({
          text: Uint8Array.from(data.subarray(start, cut)),
          start: base + start,
          end: base + cut,
          partial: true,
        });
        start = cut;
      } else if (end === -1) {
        this.#rest = Buffer.from(data.subarray(start));
        return lines;
      } else {
        lines.push({
          text: Uint8Array.from(data.subarray(start, end)),
          start: base + start,
          end: base + end + 1,
          partial: false,
        });
        start = end + 1;
      }
    }
  }

  async #skipLine(): Promise<void> {
    for (;;) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, chunkBytes, this.#offset);
      if (bytesRead === 0) return;
      const end = this.#buffer.subarray(0, bytesRead).indexOf(newline);
      this.#offset += end === -1 ? bytesRead : end + 1;
      if (end !== -1) return;
    }
  }
}
