// The machine's own time and chance, handed to everything else as values.

import { randomBytes } from "node:crypto";
import { type Random, SeededRandom } from "../base/random.ts";
import { type Clock, type Instant, type Millis, seconds, type Timer } from "../base/time.ts";

/** Node's timers overflow beyond this and would fire at once. */
const longestTimeout = 2_147_483_647;

/** How far the fine-grained time may be off the machine's clock, in milliseconds. */
const tolerance = 20;
/** While the machine's clock is behind ours, ours goes slower by this part. */
const slowing = 1 / 20;
/** To be set back by less is not worth a word. */
const worthTelling = seconds(1);

export interface WallClockOptions {
  /** Told when the machine's clock has been set back, and by how much. */
  readonly onSetBack?: (by: Millis) => void;
  /** The machine's clock, and one that nobody can set; milliseconds. For tests. */
  readonly wall?: () => number;
  readonly steady?: () => number;
}

/**
 * The machine's clock, finer than a millisecond, that never goes back. When the machine's is put forward (or the machine slept), it follows at once. When
 * that is put back, what waits for a moment would wait for it twice: this one goes on instead, a little slower until the two agree. Timers go by steady time.
 */
export class WallClock implements Clock {
  readonly #wall: () => number;
  readonly #steady: () => number;
  readonly #onSetBack: (by: Millis) => void;
  #time: number;
  #seenAt: number;
  #behind = 0;

  constructor(options: WallClockOptions = {}) {
    this.#wall = options.wall ?? (() => Date.now());
    this.#steady = options.steady ?? (() => performance.now());
    this.#onSetBack = options.onSetBack ?? (() => undefined);
    this.#time = this.#wall();
    this.#seenAt = this.#steady();
  }

  now(): Instant {
    const steady = this.#steady();
    const passed = steady - this.#seenAt;
    const wall = this.#wall();
    const behind = this.#time + passed - wall;
    this.#seenAt = steady;
    if (behind < -tolerance) this.#time = wall;
    else if (behind <= tolerance) this.#time += passed;
    else this.#time += passed * (1 - slowing);
    const setBackBy = behind - Math.max(0, this.#behind);
    this.#behind = behind;
    if (setBackBy >= worthTelling) this.#onSetBack(setBackBy as Millis);
    return this.#time as Instant;
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
      const timer = this.setTimer(wait, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  setTimer(wait: Millis, fire: () => void): Timer {
    if (wait > longestTimeout) {
      let rest: Timer = { cancel() {} };
      const first = setTimeout(() => {
        rest = this.setTimer((wait - longestTimeout) as Millis, fire);
      }, longestTimeout);
      return {
        cancel() {
          clearTimeout(first);
          rest.cancel();
        },
      };
    }
    const handle = setTimeout(fire, Math.max(0, wait));
    return { cancel: () => clearTimeout(handle) };
  }
}

/** Chance that nobody can predict: a stream seeded from the machine's entropy. */
export function entropicRandom(): Random {
  return new SeededRandom(randomBytes(16).toString("hex"));
}
