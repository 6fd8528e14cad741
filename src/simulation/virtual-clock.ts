// Time that moves only when told to.
// 1. Promises settle between any two timers, so code never wakes at a moment it did not live through.
// 2. Timers due at the same instant fire in the order they were set.
// 3. Something that keeps rescheduling without letting time pass is stopped, and named; so is something that goes on and on without any timer, if
//    it asks `mayGoOn` on its way.
// No real I/O may run under it: it would settle at moments that no seed can repeat.

import { after, type Clock, formatTime, type Instant, type Millis, type Timer } from "../base/time.ts";

/** 2025-01-01T00:00:00Z: where virtual time begins unless told otherwise. */
export const virtualEpoch = 1_735_689_600_000 as Instant;

/** How many timers may fire at one and the same instant before the clock takes it for a runaway. */
export const runawayLimit = 100_000;

/** How much may be done between two timers before the clock takes it for a runaway. */
export const turnLimit = 100_000;

/** Of so many of the last doings before the limit the clock remembers whose they were. */
const remembered = 1000;

/** Somebody kept setting timers that were due at once, or never came to rest between two. */
export class RunawayError extends Error {
  constructor(at: Instant, what: string, labels: ReadonlyMap<string, number>) {
    const most = [...labels].sort((a, b) => b[1] - a[1]).slice(0, 5);
    const who = most.map(([label, count]) => `${label} (${count} times)`).join(", ");
    super(`virtual time stands still at ${formatTime(at)}: ${what} without letting it pass; most often: ${who}`);
    this.name = "RunawayError";
  }
}

interface VirtualTimer extends Timer {
  at: Instant;
  readonly order: number;
  readonly label: string;
  fire: (() => void) | undefined;
}

export class VirtualClock implements Clock {
  #now: Instant;
  #order = 0;
  readonly #heap: VirtualTimer[] = [];
  readonly #settle: () => Promise<void>;
  readonly #turnLimit: number;
  #firedAtThisInstant = 0;
  readonly #labels = new Map<string, number>();
  #doneInThisTurn = 0;
  readonly #doings = new Map<string, number>();

  /**
   * @param settle resolves when every promise that can settle has settled; only the host knows how (one turn of its event loop).
   * @param start where time begins
   * @param limit how often `mayGoOn` says yes between two timers
   */
  constructor(settle: () => Promise<void>, start: Instant = virtualEpoch, limit = turnLimit) {
    this.#settle = settle;
    this.#now = start;
    this.#turnLimit = limit;
  }

  /**
   * Asked by whatever parts do again and again, such as their calls. A loop of promises alone never lets the host take its next turn, so nobody could
   * stop it from outside: who is told `false` must not go on, and the clock then says who it was.
   */
  mayGoOn(who: () => string): boolean {
    if (++this.#doneInThisTurn > this.#turnLimit - remembered) count(this.#doings, who());
    return this.#doneInThisTurn <= this.#turnLimit;
  }

  now(): Instant {
    return this.#now;
  }

  sleep(wait: Millis, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason as Error);
      };
      const timer = this.setTimer(
        wait,
        () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
        "sleep",
      );
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  setTimer(wait: Millis, fire: () => void, label = "timer"): Timer {
    const timer: VirtualTimer = {
      at: after(this.#now, Math.max(0, wait) as Millis),
      order: this.#order++,
      label,
      fire,
      cancel() {
        this.fire = undefined; // the entry stays in the heap and is passed over: cancelling is common, sifting is not free
      },
    };
    this.#push(timer);
    return timer;
  }

  /** Lets `wait` pass: fires every timer that falls due, in order, settling all promises after each. */
  async advance(wait: Millis): Promise<void> {
    await this.advanceTo(after(this.#now, wait));
  }

  async advanceTo(target: Instant): Promise<void> {
    for (;;) {
      await this.#turn();
      const next = this.#peek();
      if (next === undefined || next.at > target) break;
      this.#fire(next);
    }
    if (target > this.#now) this.#now = target;
  }

  /**
   * Lets time pass until `done` says so, looking after every timer.
   * @returns false if `within` passed first.
   */
  async advanceUntil(done: () => boolean, within: Millis): Promise<boolean> {
    const limit = after(this.#now, within);
    for (;;) {
      await this.#turn();
      if (done()) return true;
      const next = this.#peek();
      if (next === undefined || next.at > limit) {
        this.#now = limit;
        return false;
      }
      this.#fire(next);
    }
  }

  /** Lets promises settle without letting time pass. */
  async settle(): Promise<void> {
    await this.advanceTo(this.#now);
  }

  /** Somebody puts the clock forward: no time passes, and what waits goes on waiting as long as it was going to. */
  putForward(by: Millis): void {
    this.#now = after(this.#now, by);
    for (const timer of this.#heap) timer.at = after(timer.at, by);
  }

  /** When the next timer is due; `undefined` if nothing waits. */
  nextDue(): Instant | undefined {
    return this.#peek()?.at;
  }

  /** Lets promises settle. @throws RunawayError if somebody was stopped */
  async #turn(): Promise<void> {
    await this.#settle();
    const done = this.#doneInThisTurn;
    this.#doneInThisTurn = 0;
    if (done > this.#turnLimit) throw new RunawayError(this.#now, `${this.#turnLimit} calls were made`, this.#doings);
    if (this.#doings.size > 0) this.#doings.clear();
  }

  #fire(timer: VirtualTimer): void {
    this.#pop();
    if (timer.at > this.#now) {
      this.#now = timer.at;
      this.#firedAtThisInstant = 0;
      this.#labels.clear();
    } else if (++this.#firedAtThisInstant > runawayLimit - remembered) {
      count(this.#labels, timer.label);
      if (this.#firedAtThisInstant > runawayLimit)
        throw new RunawayError(this.#now, `${runawayLimit} timers fired`, this.#labels);
    }
    const fire = timer.fire;
    timer.fire = undefined;
    fire?.();
  }

  #peek(): VirtualTimer | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].fire === undefined) this.#pop();
    return this.#heap[0];
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent] as VirtualTimer, timer)) break;
      heap[index] = heap[parent] as VirtualTimer;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as VirtualTimer, heap[child] as VirtualTimer)) child++;
      if (isBefore(last, heap[child] as VirtualTimer)) break;
      heap[index] = heap[child] as VirtualTimer;
      index = child;
    }
    heap[index] = last;
  }
}

function count(counts: Map<string, number>, label: string): void {
  counts.set(label, (counts.get(label) ?? 0) + 1);
}

const isBefore = (a: VirtualTimer, b: VirtualTimer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
