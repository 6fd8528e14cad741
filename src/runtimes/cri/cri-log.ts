// Container logs as CRI runtimes write them: one line each, `2025-01-02T03:04:05.123456789Z stdout F the text`. The tag is F for a full line and P
// for a part of one. A log that grows too long is renamed and begun anew under its name; a follower reads the old one to its end first.

import { type FSWatcher, watch } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type Clock, type Millis, parseTime, seconds } from "../../base/time.ts";
import type { LogLine, ReadLogOptions } from "../runtime-service.ts";

/** What a reader has to know of the container that writes. */
export interface LogWriter {
  readonly clock: Clock;
  /** Will nothing more be written? */
  hasEnded(): Promise<boolean>;
  /** Rings when it may have ended; returns how to stop listening. */
  onExit(ring: () => void): () => void;
}

/** How often a follower looks without being told: watching files is a hint that can be lost. */
const lookAgain: Millis = seconds(1);
const chunkBytes = 64 * 1024;
const newline = 0x0a;

/**
 * The lines of a log. With `follow` it goes on until the container has ended and all is read; aborting ends it without an error. A follower waits
 * for a log that is not there yet. Lines in another format are left out, as upstream does.
 * @throws Error with upstream's words if there is no log and, for a follower, none can come
 */
export async function* readCriLog(path: string, options: ReadLogOptions, writer: LogWriter): AsyncGenerator<LogLine> {
  const alarm = options.follow ? new Alarm(path, writer, options.signal) : undefined;
  let file: OpenLog | undefined;
  try {
    file = await openLog(path, options.tailLines);
    let ended = false;
    for (;;) {
      if (file !== undefined) yield* linesOf(file, options);
      if (alarm === undefined || options.signal?.aborted) break;
      const successor = await successorOf(path, file);
      if (successor !== undefined) {
        // What was written between our last read and the renaming comes first.
        if (file !== undefined) yield* linesOf(file, options);
        await file?.handle.close();
        file = successor;
        continue;
      }
      if (ended) break;
      if (file === undefined && (await writer.hasEnded())) {
        file = await openLog(path, undefined);
        if (file === undefined) break;
        ended = true;
        continue;
      }
      const woken = await alarm.wait();
      if (woken !== "written") ended = await writer.hasEnded();
    }
    if (file === undefined && !options.signal?.aborted) throw absent(path);
    if (file !== undefined && file.rest.length > 0) yield* wanted(file.rest, options);
  } finally {
    alarm?.close();
    await file?.handle.close();
  }
}

const absent = (path: string): Error =>
  new Error(`failed to try resolving symlinks in path "${path}": lstat ${path}: no such file or directory`);

interface OpenLog {
  readonly handle: FileHandle;
  readonly inode: number;
  position: number;
  /** The beginning of a line whose end is not written yet. */
  rest: Buffer;
}

async function openLog(path: string, tailLines: number | undefined): Promise<OpenLog | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { ino, size } = await handle.stat();
    const position = tailLines === undefined ? 0 : await tailStart(handle, size, tailLines);
    return { handle, inode: ino, position, rest: Buffer.alloc(0) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The file that is at the path now, if it is another than the one being read. */
async function successorOf(path: string, file: OpenLog | undefined): Promise<OpenLog | undefined> {
  if (file === undefined) return openLog(path, undefined);
  try {
    if ((await stat(path)).ino === file.inode) return undefined;
  } catch (error) {
    // Renamed, and the new one is not there yet, or removed for good.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return openLog(path, undefined);
}

/** Where the last `count` lines begin: after the newline before them, found by reading backwards. */
async function tailStart(handle: FileHandle, size: number, count: number): Promise<number> {
  let newlinesLeft = count + 1;
  const buffer = Buffer.alloc(chunkBytes);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunkBytes);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    for (let at = buffer.lastIndexOf(newline, bytesRead - 1); at >= 0; at = lastNewlineBefore(buffer, at)) {
      newlinesLeft--;
      if (newlinesLeft === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

const lastNewlineBefore = (buffer: Buffer, at: number): number => (at === 0 ? -1 : buffer.lastIndexOf(newline, at - 1));

/** Whole lines from where the last read ended to the present end of the file. */
async function* linesOf(file: OpenLog, options: ReadLogOptions): AsyncGenerator<LogLine> {
  for (;;) {
    if (options.signal?.aborted) return;
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await file.handle.read(chunk, 0, chunkBytes, file.position);
    if (bytesRead === 0) return;
    file.position += bytesRead;
    const read = chunk.subarray(0, bytesRead);
    const data = file.rest.length === 0 ? read : Buffer.concat([file.rest, read]);
    let from = 0;
    for (let to = data.indexOf(newline); to >= 0; to = data.indexOf(newline, from)) {
      yield* wanted(data.subarray(from, to), options);
      from = to + 1;
    }
    file.rest = data.subarray(from);
  }
}

function* wanted(raw: Buffer, { since, signal }: ReadLogOptions): Generator<LogLine> {
  const line = parseCriLogLine(raw);
  if (line === undefined || signal?.aborted || (since !== undefined && line.time < since)) return;
  yield line;
}

/** `undefined` for what is not a line of a CRI log. */
export function parseCriLogLine(raw: Buffer): LogLine | undefined {
  const afterTime = raw.indexOf(" ");
  const afterStream = afterTime < 0 ? -1 : raw.indexOf(" ", afterTime + 1);
  if (afterStream < 0) return undefined;
  const afterTags = raw.indexOf(" ", afterStream + 1);
  const time = parseTime(raw.toString("latin1", 0, afterTime));
  const stream = raw.toString("latin1", afterTime + 1, afterStream);
  const tags = raw.toString("latin1", afterStream + 1, afterTags < 0 ? raw.length : afterTags).split(":");
  if (time === undefined || (stream !== "stdout" && stream !== "stderr")) return undefined;
  const [kind] = tags;
  if (kind !== "F" && kind !== "P") return undefined;
  const text = afterTags < 0 ? Buffer.alloc(0) : raw.subarray(afterTags + 1);
  return { time, stream, text, partial: kind === "P" };
}

/** Wakes a follower: the file's folder changed, the container may have ended, a while has passed, or nobody reads any more. */
class Alarm {
  readonly #writer: LogWriter;
  readonly #signal: AbortSignal | undefined;
  readonly #stopListening: () => void;
  readonly #folder: string;
  readonly #name: string;
  #watcher: FSWatcher | undefined;
  #rung: "written" | "exit" | undefined;
  #wake: (() => void) | undefined;

  constructor(path: string, writer: LogWriter, signal: AbortSignal | undefined) {
    this.#writer = writer;
    this.#signal = signal;
    this.#folder = dirname(path);
    this.#name = basename(path);
    this.#stopListening = writer.onExit(() => this.#ring("exit"));
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#watch();
  }

  /** Resolves at the next alarm, or at once if there was one since the last call. */
  async wait(): Promise<"written" | "exit" | "while"> {
    if (this.#watcher === undefined) this.#watch();
    if (this.#rung === undefined) {
      await new Promise<void>((resolve) => {
        const timer = this.#writer.clock.setTimer(lookAgain, resolve, "cri: follow a log");
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const rung = this.#rung ?? "while";
    this.#rung = undefined;
    return rung;
  }

  close(): void {
    this.#watcher?.close();
    this.#stopListening();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.#ring("exit");

  #ring(what: "written" | "exit"): void {
    if (this.#rung !== "exit") this.#rung = what;
    this.#wake?.();
  }

  /** Without a watcher (the folder is not there, the machine has no more of them) the look once a while is enough. */
  #watch(): void {
    try {
      const watcher = watch(this.#folder, (_event, name) => {
        if (name === this.#name || name === null) this.#ring("written");
      });
      watcher.on("error", () => this.#unwatch());
      this.#watcher = watcher;
    } catch {
      this.#watcher = undefined;
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
