// The machine's own time and chance, handed to everything else as values.

import { randomBytes } from "node:crypto";
import { type Random, SeededRandom } from "../base/random.ts";
import type { Clock, Instant, Millis, Timer } from "../base/time.ts";

/** Node's timers overflow beyond this and would fire at once. */
const longestTimeout = 2_147_483_647;

/** How far the fine-grained time may be off the machine's clock before it is set anew (the machine slept, or its clock was set). */
const tolerance = 20;

/** The machine's clock, finer than a millisecond between two jumps of it. */
export class WallClock implements Clock {
  #offset = Date.now() - performance.now();

  now(): Instant {
    const wall = Date.now();
    const fine = this.#offset + performance.now();
    if (Math.abs(fine - wall) <= tolerance) return fine as Instant;
    this.#offset = wall - performance.now();
    return wall as Instant;
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
