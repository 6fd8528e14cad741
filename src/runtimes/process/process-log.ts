// A container's log: what its process wrote, byte for byte, in the order it was written, straight from the process into the file. lifepod only
// looks on: it notes beside the file when it saw the file grow, which is where the times of lines come from.

import { spawn } from "node:child_process";
import type { FSWatcher } from "node:fs";
import { appendFileSync, statSync } from "node:fs";
import type { Clock, Instant, Timer } from "../../base/time.ts";
import { millis } from "../../base/time.ts";
import { indexPathOf } from "./log-index.ts";
import { watchQuietly } from "./quiet-watch.ts";

/** A log keeps at least this much of its end; what is older is given back to the disk. */
export interface LogBound {
  readonly keepBytes: number;
  /** How much more than that may pile up before it is cut. */
  readonly slackBytes: number;
}

/** As the kubelet's default: five files of ten mebibytes. */
export const defaultLogBound: LogBound = { keepBytes: 50 * 1024 * 1024, slackBytes: 10 * 1024 * 1024 };

/** Growth that is seen sooner than this after the last note waits: a note is worth some bytes. */
const noteDistance = millis(2);
/** Notes are written out this often; after a crash of lifepod the file's own time stands in for those that were not. */
const flushDistance = millis(100);

/** Looks after the log of a container that may still write. */
export class ProcessLog {
  readonly path: string;
  readonly #clock: Clock;
  readonly #bound: LogBound;
  readonly #onError: (error: Error) => void;
  readonly #waiting = new Set<() => void>();
  #watcher: FSWatcher | undefined;
  #notedBytes: number;
  #notedAt = Number.NEGATIVE_INFINITY;
  #keptFrom: number;
  #unwritten = "";
  #noteTimer: Timer | undefined;
  #flushTimer: Timer | undefined;
  #cutting = false;
  #over = false;

  /**
   * @param notedBytes how much of the file the index beside it knows
   * @param keptFrom where what is kept of the file begins
   */
  constructor(
    path: string,
    clock: Clock,
    bound: LogBound,
    seen: { readonly notedBytes: number; readonly keptFrom: number },
    onError: (error: Error) => void,
  ) {
    this.path = path;
    this.#clock = clock;
    this.#bound = bound;
    this.#onError = onError;
    this.#notedBytes = seen.notedBytes;
    this.#keptFrom = seen.keptFrom;
    // What was written while nobody looked: its last line is as old as the file says.
    this.#note((at) => at);
    this.#watcher = watchQuietly(path, () => this.look(), onError);
  }

  /** The container has ended. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Looks whether the file has grown. */
  look(): void {
    const wait = this.#notedAt + noteDistance - this.#clock.now();
    if (wait > 0) {
      this.#noteTimer ??= this.#clock.setTimer(millis(wait), () => this.#noteNow(), "log");
      return;
    }
    this.#noteNow();
  }

  /** The container has ended: takes a last look and closes. */
  end(): void {
    if (this.#over) return;
    this.#noteNow();
    this.#over = true;
    this.close();
    this.#wake();
  }

  /** Stops looking; the container may go on. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#noteTimer?.cancel();
    this.flush();
  }

  /** Brings the notes to the disk. */
  flush(): void {
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    if (this.#unwritten === "") return;
    const text = this.#unwritten;
    this.#unwritten = "";
    this.#guarded(() => appendFileSync(indexPathOf(this.path), text, { mode: 0o640 }));
  }

  /** Resolves when the file may have grown, the container has ended, or the signal says so. */
  changed(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (this.#over || signal?.aborted === true) {
        resolve();
        return;
      }
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  #noteNow(): void {
    this.#noteTimer?.cancel();
    this.#noteTimer = undefined;
    if (this.#note(() => this.#clock.now())) this.#wake();
  }

  /** @param timeFrom gives the time of the note from the file's own */
  #note(timeFrom: (modifiedAt: Instant) => Instant): boolean {
    return this.#guarded(() => {
      const { size, mtimeMs } = statSync(this.path);
      if (size <= this.#notedBytes) return false;
      const at = timeFrom(mtimeMs as Instant);
      this.#notedBytes = size;
      this.#notedAt = this.#clock.now();
      this.#unwritten += `${size} ${at.toFixed(3)}\n`;
      this.#flushTimer ??= this.#clock.setTimer(flushDistance, () => this.flush(), "log");
      if (size - this.#keptFrom > this.#bound.keepBytes + this.#bound.slackBytes) this.#cut(size);
      return true;
    });
  }

  /** Gives the beginning of the file back to the disk. Offsets stay as they are and the writer notices nothing, so no byte can get lost. */
  #cut(size: number): void {
    if (this.#cutting) return;
    this.#cutting = true;
    const block = 4096;
    const from = Math.floor((size - this.#bound.keepBytes) / block) * block;
    this.#keptFrom = from;
    // Noted before it is done, so that no reader takes the hole for text.
    this.#unwritten += `cut ${from}\n`;
    this.flush();
    const cutter = spawn("fallocate", ["--punch-hole", "--offset", "0", "--length", String(from), "--", this.path], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    cutter.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    cutter.on("error", this.#onError);
    cutter.on("close", (code) => {
      this.#cutting = false;
      if (code === 0) return;
      this.#onError(new Error(`the log ${this.path} cannot be cut to its bound and goes on growing: ${said.trim()}`));
    });
  }

  /** A log that was removed under a running container is no reason to fail anything else. */
  #guarded(work: () => boolean | void): boolean {
    try {
      return work() === true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#onError(error as Error);
      return false;
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
