// The log of one simulated container. Declared lines are worked out when somebody reads; only lines that nobody could foresee are kept.

import type { Clock, Instant, Millis } from "../../base/time.ts";
import { after, millis } from "../../base/time.ts";
import type { LogLine, ReadLogOptions } from "../runtime-service.ts";
import type { LogBehaviour } from "./behaviour.ts";

interface Entry {
  readonly time: Instant;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** No reader gets more declared lines than this from one log: a repeated line of a long life would fill the memory. The newest are kept. */
const declaredLinesLimit = 100_000;

export class SimulatedLog {
  readonly #clock: Clock;
  readonly #startedAt: Instant;
  readonly #declared: readonly LogBehaviour[];
  readonly #extra: Entry[] = [];
  readonly #waiting = new Set<() => void>();
  #endedAt: Instant | undefined;

  constructor(clock: Clock, startedAt: Instant, declared: readonly LogBehaviour[]) {
    this.#clock = clock;
    this.#startedAt = startedAt;
    this.#declared = declared;
  }

  /** Adds lines now that were not declared. */
  write(stream: "stdout" | "stderr", ...lines: readonly string[]): void {
    for (const text of lines) this.#extra.push({ time: this.#clock.now(), stream, text });
    this.#wake();
  }

  /** The container has ended: nothing is written any more. */
  end(): void {
    this.#endedAt ??= this.#clock.now();
    this.#wake();
  }

  async *read(options: ReadLogOptions): AsyncGenerator<LogLine> {
    const encoder = new TextEncoder();
    let skip = 0;
    let first = true;
    for (;;) {
      if (options.signal?.aborted === true) return;
      const seen = this.#entries();
      // The place where the last look ended stays right: lines are only ever added behind it, as both kinds carry the time of writing.
      let entries = seen.entries.slice(Math.max(0, skip - seen.dropped));
      if (options.since !== undefined) entries = entries.filter((entry) => entry.time >= (options.since as Instant));
      if (first && options.tailLines !== undefined)
        entries = options.tailLines === 0 ? [] : entries.slice(-options.tailLines);
      first = false;
      skip = seen.dropped + seen.entries.length;
      for (const { time, stream, text } of entries) {
        yield { time, stream, text: encoder.encode(text), partial: false };
      }
      if (!options.follow) return;
      if (this.#length() > skip) continue;
      if (this.#endedAt !== undefined) return;
      await this.#more(options.signal);
    }
  }

  /** All lines so far, oldest first; of two at the same moment the declared one first. */
  #entries(): { readonly dropped: number; readonly entries: readonly Entry[] } {
    const sinceStart = this.#sinceStart();
    const entries: Entry[] = [];
    let dropped = 0;
    for (const line of this.#declared) {
      const stream = line.stream ?? "stdout";
      const count = linesUntil(line, sinceStart);
      const from = Math.max(0, count - declaredLinesLimit);
      dropped += from;
      for (let n = from; n < count; n++) {
        const time = after(this.#startedAt, millis(line.at + n * (line.every ?? 0)));
        entries.push({ time, stream, text: typeof line.text === "string" ? line.text : line.text(n) });
      }
    }
    entries.push(...this.#extra);
    return { dropped, entries: entries.sort((a, b) => a.time - b.time) };
  }

  #length(): number {
    const sinceStart = this.#sinceStart();
    return this.#declared.reduce((sum, line) => sum + linesUntil(line, sinceStart), this.#extra.length);
  }

  #sinceStart(): Millis {
    return ((this.#endedAt ?? this.#clock.now()) - this.#startedAt) as Millis;
  }

  /** Resolves when there may be more to read. */
  #more(signal: AbortSignal | undefined): Promise<void> {
    const now = this.#clock.now();
    const next = Math.min(...this.#declared.map((line) => this.#nextAfter(line, now)));
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        timer?.cancel();
        resolve();
      };
      // At least a microsecond: instants are floating numbers, and a rounded wait of nothing would never get there.
      const wait = millis(Math.max(0.001, next - now));
      const timer = next === Number.POSITIVE_INFINITY ? undefined : this.#clock.setTimer(wait, wake, "log");
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  #nextAfter(line: LogBehaviour, now: Instant): number {
    const count = linesUntil(line, (now - this.#startedAt) as Millis);
    if (line.every === undefined && count > 0) return Number.POSITIVE_INFINITY;
    return this.#startedAt + line.at + count * (line.every ?? 0);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

/** How many of a declared line were written up to and including this time since the start. */
function linesUntil(line: LogBehaviour, sinceStart: Millis): number {
  if (sinceStart < line.at) return 0;
  if (line.every === undefined || line.every <= 0) return 1;
  return Math.floor((sinceStart - line.at) / line.every) + 1;
}
