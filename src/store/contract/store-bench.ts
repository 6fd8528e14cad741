// What a check of the store contract works with: a store that can be closed and opened again, a clock that moves when told to, and watchers
// that remember.

import type { Clock, Instant, Millis, Timer } from "../../base/time.ts";
import { after } from "../../base/time.ts";
import type { HistoryLimit } from "../history.ts";
import { defaultHistoryLimit } from "../history.ts";
import type {
  Operation,
  Revision,
  Store,
  StoreBatch,
  StoreEvent,
  StoreWatch,
  StoreWatcher,
  TxnResult,
} from "../store.ts";
import type { ReportError } from "../watch-hub.ts";

/** One promise of the store. */
export interface StoreCheck {
  readonly name: string;
  body(bench: StoreBench): Promise<void>;
}

/** A place where a store lives, also while it is closed. */
export interface StoreBacking {
  open(options: StoreOpenOptions): Promise<Store>;
  /** Cleans up; the store is closed by then. */
  dispose(): Promise<void>;
}

export interface StoreOpenOptions {
  readonly clock: Clock;
  readonly historyLimit: HistoryLimit;
  readonly reportError: ReportError;
}

export class StoreBench {
  readonly clock = new ManualClock();
  /** What watchers threw. A check that expects something here takes it out. */
  readonly reports: unknown[] = [];
  readonly #backing: StoreBacking;
  #store: Store | undefined;

  constructor(backing: StoreBacking) {
    this.#backing = backing;
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error("the store is not open");
    return this.#store;
  }

  async open(historyLimit: HistoryLimit = defaultHistoryLimit): Promise<Store> {
    const reportError = (error: unknown): void => void this.reports.push(error);
    this.#store = await this.#backing.open({ clock: this.clock, historyLimit, reportError });
    return this.#store;
  }

  /** Closes the store and opens it again in the same place. */
  async reopen(historyLimit?: HistoryLimit): Promise<Store> {
    await this.store.close();
    return this.open(historyLimit);
  }

  /** Tries to open the place once more without closing it. */
  async openTwice(): Promise<Store> {
    const reportError = (error: unknown): void => void this.reports.push(error);
    return this.#backing.open({ clock: this.clock, historyLimit: defaultHistoryLimit, reportError });
  }

  async dispose(): Promise<void> {
    await this.#store?.close();
    await this.#backing.dispose();
  }

  expectNoReports(): void {
    expectEqual(this.reports.map(String), [], "errors of watchers");
  }

  /** Writes keys in one transaction; `undefined` deletes. */
  async write(values: Readonly<Record<string, string | undefined>>): Promise<Revision> {
    const operations = Object.entries(values).map(([key, value]): Operation => {
      return value === undefined ? { kind: "delete", key } : { kind: "put", key, value };
    });
    return committed(await this.store.txn([], operations));
  }

  watch(prefix: string, afterRevision: number = this.store.revision()): RecordingWatcher {
    const watcher = new RecordingWatcher();
    watcher.watch = this.store.watch({ prefix, after: afterRevision as Revision }, watcher);
    return watcher;
  }

  /** Keys and values of a range, as `key=value`. */
  async list(prefix: string, options: { from?: string; limit?: number; revision?: number } = {}): Promise<string[]> {
    const { items } = await this.store.range({ prefix, ...options } as Parameters<Store["range"]>[0]);
    return items.map(({ key, value }) => `${key}=${value}`);
  }
}

/** The revision of a transaction that must have happened. */
export function committed(result: TxnResult): Revision {
  if (result.kind !== "committed") throw new Error(`expected a commit, got ${JSON.stringify(result)}`);
  return result.revision;
}

/** Remembers what it is told and lets a check wait for it. */
export class RecordingWatcher implements StoreWatcher {
  readonly batches: StoreBatch[] = [];
  watch: StoreWatch | undefined;
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  batch(batch: StoreBatch): void {
    this.batches.push(batch);
    const satisfied = this.#waiting.filter((waiter) => waiter.holds());
    this.#waiting = this.#waiting.filter((waiter) => !satisfied.includes(waiter));
    for (const waiter of satisfied) waiter.resolve();
  }

  /** All events as short lines: `3 put a=1 (was 0)`, `4 delete a (was 1)`. */
  lines(): string[] {
    return this.batches.flatMap((batch) => batch.events.map((event) => `${batch.revision} ${lineOf(event)}`));
  }

  /** Resolves as soon as at least so many batches have come. */
  async received(count: number): Promise<void> {
    if (this.batches.length >= count) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push({ holds: () => this.batches.length >= count, resolve });
    });
  }
}

function lineOf(event: StoreEvent): string {
  const was = event.previous === undefined ? "" : ` (was ${event.previous.value})`;
  return event.kind === "put" ? `put ${event.key}=${event.current.value}${was}` : `delete ${event.key}${was}`;
}

/** Time that moves when told to; timers fire inside `advance`. */
export class ManualClock implements Clock {
  #now = 1_750_000_000_000 as Instant;
  #timers: { readonly at: Instant; readonly fire: () => void }[] = [];

  now(): Instant {
    return this.#now;
  }

  sleep(wait: Millis): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(wait, resolve);
    });
  }

  setTimer(wait: Millis, fire: () => void): Timer {
    const timer = { at: after(this.#now, wait), fire };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  advance(wait: Millis): void {
    const target = after(this.#now, wait);
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= target).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = due.at > this.#now ? due.at : this.#now;
      due.fire();
    }
    this.#now = target;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }
}

/** Compares plain data and says both sides. */
export function expectEqual(actual: unknown, expected: unknown, what = "value"): void {
  const [got, want] = [canonical(actual), canonical(expected)];
  if (got !== want) throw new Error(`${what}: expected ${want}, got ${got}`);
}

/** Runs something that must fail, and gives the error. */
export async function failureOf(action: () => unknown): Promise<Error> {
  let outcome: unknown;
  try {
    outcome = await action();
  } catch (error) {
    return error as Error;
  }
  throw new Error(`expected a failure, got ${canonical(outcome)}`);
}

/** The same text for the same data, whatever the order of the properties. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === undefined) return "<undefined>";
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
