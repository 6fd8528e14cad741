// Shows Pods' lives while they happen: one plain line per change in a pipe; in a terminal the same lines in colour above a block that always shows how each
// Pod stands now.

import type { Instant } from "../base/time.ts";
import type { LifeEntry, Tone } from "../timeline/pod-life.ts";
import { type Paint, plainPaint } from "./paint.ts";
import type { Terminal } from "./terminal.ts";

export interface LifeView {
  entry(entry: LifeEntry): void;
  /** How a Pod stands now; `undefined` when it is gone. */
  pod(name: string, status: PodLine | undefined): void;
  /** A line that is not about a Pod. */
  note(text: string): void;
  /** Leaves the screen as it is and shows nothing more. */
  close(): void;
}

/** What kubectl would print for the Pod: READY and STATUS. */
export interface PodLine {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

/** @param since the moment that times are counted from */
export function createLifeView(terminal: Terminal, since: Instant): LifeView {
  return terminal.interactive ? new LiveView(terminal, since) : new PlainView(terminal, since);
}

class PlainView implements LifeView {
  readonly #terminal: Terminal;
  readonly #since: Instant;

  constructor(terminal: Terminal, since: Instant) {
    this.#terminal = terminal;
    this.#since = since;
  }

  entry(entry: LifeEntry): void {
    this.#terminal.write(`${formatEntry(entry, this.#since, plainPaint)}\n`);
  }

  pod(): void {
    // Every change has its line already.
  }

  note(text: string): void {
    this.#terminal.write(`${text}\n`);
  }

  close(): void {
    // Nothing is held back.
  }
}

class LiveView implements LifeView {
  readonly #terminal: Terminal;
  readonly #since: Instant;
  readonly #lines = new Map<string, PodLine>();
  #shown = 0;
  #closed = false;

  constructor(terminal: Terminal, since: Instant) {
    this.#terminal = terminal;
    this.#since = since;
  }

  entry(entry: LifeEntry): void {
    this.#above(formatEntry(entry, this.#since, this.#terminal.paint));
  }

  pod(name: string, status: PodLine | undefined): void {
    if (status === undefined) this.#lines.delete(name);
    else this.#lines.set(name, status);
    this.#above();
  }

  note(text: string): void {
    this.#above(text);
  }

  close(): void {
    if (this.#closed) return;
    this.#erase();
    this.#closed = true;
  }

  /** Prints a line above the block and draws the block anew below it. */
  #above(line?: string): void {
    if (this.#closed) return;
    this.#erase();
    if (line !== undefined) this.#terminal.write(`${line}\n`);
    const block = this.#block();
    this.#terminal.write(block.map((text) => `${text}\n`).join(""));
    this.#shown = block.length;
  }

  #erase(): void {
    if (this.#shown > 0) this.#terminal.write(`\u001b[${this.#shown}A\u001b[0J`);
    this.#shown = 0;
  }

  #block(): string[] {
    if (this.#lines.size === 0) return [];
    const { paint, columns, rows } = this.#terminal;
    const width = Math.max(...[...this.#lines.keys()].map((name) => name.length), 4);
    const room = Math.max(1, rows - 4);
    const all = [...this.#lines].map(([name, { ready, status, restarts }]) => {
      const tone: Tone =
        status === "Running" || status === "Completed"
          ? "good"
          : /Err|Crash|Back|Fail|OOM/.test(status)
            ? "bad"
            : "busy";
      const text = `  ${name.padEnd(width)}  ${ready.padEnd(5)}  ${status}${restarts === "0" ? "" : `  ${restarts} restarts`}`;
      return paintTone(paint, tone, text.slice(0, columns - 1));
    });
    const shown = all.slice(0, room);
    if (all.length > room) shown.push(paint.dim(`  … and ${all.length - room} more`));
    return [paint.dim("─".repeat(Math.max(1, Math.min(columns - 1, 60)))), ...shown];
  }
}

function paintTone(paint: Paint, tone: Tone, text: string): string {
  switch (tone) {
    case "good":
      return paint.green(text);
    case "bad":
      return paint.red(text);
    case "busy":
      return paint.yellow(text);
    case "plain":
      return text;
  }
}

/** `   1.204s  pod/web[app]  CrashLoopBackOff  back-off 10s restarting failed container…` */
export function formatEntry(entry: LifeEntry, since: Instant, paint: Paint): string {
  const time = `${(Math.max(0, entry.at - since) / 1000).toFixed(3)}s`.padStart(9);
  const namespace = entry.namespace === "default" || entry.namespace === "" ? "" : `${entry.namespace}/`;
  const container = entry.container === undefined ? "" : `[${entry.container}]`;
  const subject = `${namespace}${entry.pod}${container}`.padEnd(24);
  const what = paintTone(paint, entry.tone, entry.what.padEnd(17));
  return `${paint.dim(time)}  ${paint.bold(subject)}  ${what}  ${entry.detail.replaceAll("\n", " ")}`.trimEnd();
}
