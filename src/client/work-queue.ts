// Keys that somebody has to look at. The promises: a key waits at most once, however often it is added; it is never in two hands at once; what is
// added while in hand comes back after `done`; what keeps failing waits longer and longer.

import { type Clock, type Instant, type Millis, after, millis, seconds, type Timer } from "../base/time.ts";

/** The first wait of a key that failed; doubles with each further failure in a row. */
export const firstRetryDelay: Millis = millis(5);

/** The longest wait of a key that keeps failing. */
export const longestRetryDelay: Millis = seconds(1000);

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Says who waits when a timer is listed. */
  readonly name: string;
  readonly firstRetryDelay?: Millis;
  readonly longestRetryDelay?: Millis;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #first: Millis;
  readonly #longest: Millis;
  /** Keys to be worked on, in order of arrival. A Set keeps both the order and the "at most once". */
  readonly #waiting = new Set<string>();
  readonly #inHand = new Set<string>();
  /** Keys added while in hand. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { readonly due: Instant; readonly timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #idleWaiters: (() => void)[] = [];
  #closing = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#name = options.name;
    this.#first = options.firstRetryDelay ?? firstRetryDelay;
    this.#longest = options.longestRetryDelay ?? longestRetryDelay;
  }

  /** Keys waiting to be taken; delayed ones and those in hand do not count. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Wants the key looked at as soon as somebody is free. Does nothing after `shutDown`. */
  add(key: string): void {
    if (this.#closing) return;
    if (this.#inHand.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#offer(key);
  }

  /** Wants the key looked at after `wait`. Of several waits for one key the soonest counts. */
  addAfter(key: string, wait: Millis): void {
    if (this.#closing) return;
    if (wait <= 0) {
      this.add(key);
      return;
    }
    const due = after(this.#clock.now(), wait);
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.due <= due) return;
    pending?.timer.cancel();
    const fire = (): void => {
      this.#delayed.delete(key);
      this.add(key);
    };
    this.#delayed.set(key, { due, timer: this.#clock.setTimer(wait, fire, `${this.#name}: ${key}`) });
  }

  /** Counts one failure and wants the key looked at after its back-off; says how long that is. */
  addRateLimited(key: string): Millis {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const wait = Math.min(this.#first * 2 ** failures, this.#longest) as Millis;
    this.addAfter(key, wait);
    return wait;
  }

  /** Failures in a row since the last `forget`. */
  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key succeeded: its next failure starts with the first wait again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, now in the caller's hand until `done`; `undefined` once the queue was shut down and is empty. */
  next(): Promise<string | undefined> {
    const [key] = this.#waiting;
    if (key !== undefined) {
      this.#waiting.delete(key);
      this.#inHand.add(key);
      return Promise.resolve(key);
    }
    if (this.#closing) return Promise.resolve(undefined);
    return new Promise((take) => this.#takers.push(take));
  }

  /** Gives the key back. If it was added meanwhile, it waits again. */
  done(key: string): void {
    this.#inHand.delete(key);
    if (this.#again.delete(key)) this.#offer(key);
    if (this.#inHand.size === 0 && this.#waiting.size === 0) for (const wake of this.#idleWaiters.splice(0)) wake();
  }

  /** Takes nothing more and drops what is delayed. What waits is still handed out; resolves when nothing waits and nothing is in hand. */
  shutDown(): Promise<void> {
    this.#closing = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    for (const take of this.#takers.splice(0)) take(undefined);
    if (this.#inHand.size === 0 && this.#waiting.size === 0) return Promise.resolve();
    return new Promise((wake) => this.#idleWaiters.push(wake));
  }

  #offer(key: string): void {
    const take = this.#takers.shift();
    if (take === undefined) {
      this.#waiting.add(key);
      return;
    }
    this.#inHand.add(key);
    take(key);
  }
}
