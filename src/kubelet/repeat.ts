// Work that comes back: the kubelet's loops on a clock that may be virtual.

import type { Clock, Millis } from "../base/time.ts";
import { errorText } from "./kubelet-parts.ts";

export interface RepeatOptions {
  readonly clock: Clock;
  /** Ends the loop. */
  readonly signal: AbortSignal;
  /** The wait before the next turn. */
  readonly pause: () => Millis;
  /** Is given what ends a pause early. */
  readonly bell?: (ring: () => void) => void;
  readonly label: string;
  readonly log: (message: string) => void;
}

/** Runs `turn`, waits, and runs it again until the signal ends it. A turn that fails is reported; the next one comes in time. */
export async function repeat(options: RepeatOptions, turn: () => Promise<void>): Promise<void> {
  const { signal } = options;
  while (!signal.aborted) {
    try {
      await turn();
    } catch (error) {
      if (!signal.aborted) options.log(`${options.label}: ${errorText(error)}`);
    }
    await pause(options);
  }
}

/** Waits for the promise, but not beyond the signal: then rejects, and what the promise brings is dropped. */
export function abandonable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      promise.catch(() => undefined); // nobody waits for it any more
      return;
    }
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function pause({ clock, signal, pause: wait, bell, label }: RepeatOptions): Promise<void> {
  return new Promise((resume) => {
    if (signal.aborted) {
      resume();
      return;
    }
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resume();
    };
    const timer = clock.setTimer(wait(), end, label);
    signal.addEventListener("abort", end, { once: true });
    bell?.(end);
  });
}
