// The notes beside a log: `<bytes> <time>` says that the file had grown to so many bytes at that time, `cut <bytes>` that it is kept only
// from there on. The lines between two notes were written between the two times; they carry the later one.

import { open, readFile } from "node:fs/promises";
import type { Instant } from "../../base/time.ts";

/** `…/main/0.log` has its notes in `…/main/0.log.times`. */
export const indexPathOf = (logPath: string): string => `${logPath}.times`;

export class LogIndex {
  readonly #ends: number[] = [];
  readonly #times: number[] = [];
  readonly #fallback: Instant;
  /** Where what is kept of the log begins. */
  readonly keptFrom: number;

  /** @param fallback the time of what was written after the last note */
  constructor(text: string, fallback: Instant) {
    let keptFrom = 0;
    for (const line of text.split("\n")) {
      const [first, second] = line.split(" ");
      if (second === undefined) continue;
      if (first === "cut") keptFrom = Number(second);
      // The last line may have been cut short by a crash; its numbers would be out of order then.
      else if (Number(first) > (this.#ends.at(-1) ?? 0) && Number(second) >= (this.#times.at(-1) ?? 0)) {
        this.#ends.push(Number(first));
        this.#times.push(Number(second));
      }
    }
    this.keptFrom = keptFrom;
    this.#fallback = Math.max(fallback, this.#times.at(-1) ?? 0) as Instant;
  }

  /** How much of the log the notes know. */
  get notedBytes(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** When the byte before this offset had been written. */
  timeAt(offset: number): Instant {
    const note = firstAtLeast(this.#ends, offset);
    return (this.#times[note] ?? this.#fallback) as Instant;
  }

  /** An offset before which nothing is as new as this: the start for a reader who wants no older lines. */
  offsetBefore(since: Instant): number {
    const note = firstAtLeast(this.#times, since);
    return Math.max(this.keptFrom, note === 0 ? 0 : (this.#ends[note - 1] as number));
  }
}

/** The notes of a log as they are on the disk now. @throws if the log itself is not there */
export async function readLogIndex(logPath: string): Promise<LogIndex> {
  const log = await open(logPath, "r");
  try {
    const { mtimeMs } = await log.stat();
    const text = await readFile(indexPathOf(logPath), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    return new LogIndex(text, mtimeMs as Instant);
  } finally {
    await log.close();
  }
}

/** The index of the first number that is not below the wanted one; the length if all are. Numbers ascend. */
function firstAtLeast(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
