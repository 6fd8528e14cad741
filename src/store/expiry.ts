// Which key goes when. One timer waits for the earliest.

import { BinaryHeap } from "../base/binary-heap.ts";
import type { Clock, Instant, Timer } from "../base/time.ts";
import { elapsed, hours } from "../base/time.ts";
import type { Commit } from "./history.ts";
import type { KeyValue, Revision } from "./store.ts";

/** Hosts count timers in 31 bits of milliseconds; what lies further ahead is looked at again after a day. */
const longestWait = hours(24);

export class Expiry {
  readonly #heap = new BinaryHeap<Expiring>((a, b) =>
    a.expiresAt === b.expiresAt ? a.modRevision < b.modRevision : a.expiresAt < b.expiresAt,
  );
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #timer: { readonly timer: Timer; readonly at: Instant } | undefined;
  #closed = false;

  /** @param onDue is called when at least one key is due; `due` then names them, and `arm` must be called after they are gone. */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Takes note of what a commit put with a time to live. */
  note(commit: Commit): void {
    for (const event of commit.events) if (event.kind === "put") this.add(event.current);
  }

  add({ key, modRevision, expiresAt }: KeyValue): void {
    if (expiresAt === undefined) return;
    this.#heap.push({ key, modRevision, expiresAt });
    this.arm();
  }

  /** The keys that are due and were not written since, earliest first. They are not named again. */
  due(current: (key: string) => KeyValue | undefined): string[] {
    const now = this.#clock.now();
    const keys: string[] = [];
    for (let next = this.#heap.peek(); next !== undefined && next.expiresAt <= now; next = this.#heap.peek()) {
      this.#heap.pop();
      if (current(next.key)?.modRevision === next.modRevision) keys.push(next.key);
    }
    return keys;
  }

  /** Sets the timer for the earliest key, unless it is set. */
  arm(): void {
    if (this.#closed) return;
    const next = this.#heap.peek();
    if (next === undefined || (this.#timer !== undefined && this.#timer.at <= next.expiresAt)) return;
    this.#timer?.timer.cancel();
    const wait = elapsed(this.#clock.now(), next.expiresAt);
    const fire = (): void => {
      this.#timer = undefined;
      if (next.expiresAt <= this.#clock.now()) this.#onDue();
      else this.arm();
    };
    this.#timer = {
      timer: this.#clock.setTimer(wait < longestWait ? wait : longestWait, fire, "store: the next key expires"),
      at: next.expiresAt,
    };
  }

  /** For good: a write that is still on its way sets no timer any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }
}

interface Expiring {
  readonly key: string;
  readonly modRevision: Revision;
  readonly expiresAt: Instant;
}
