// How long a Pod that failed stays on its node: a node that turns Pods down must not make a DaemonSet create and delete as fast as it can
// (pod-lifecycle 13.7.3).

import { type Clock, type Instant, type Millis, after, elapsed, millis, minutes, seconds } from "../../base/time.ts";

const shortest: Millis = seconds(1);
const longest: Millis = minutes(15);

interface BackOff {
  readonly delay: Millis;
  readonly since: Instant;
}

/** The back-off of each DaemonSet and node. It doubles with each failure and is forgotten when nothing fails for twice the longest wait. */
export class FailedPods {
  readonly #clock: Clock;
  readonly #backOffs = new Map<string, BackOff>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time until the next failed Pod may go; zero if it may now. */
  wait(owner: string, node: string): Millis {
    const found = this.#backOffs.get(keyFor(owner, node));
    return found === undefined ? millis(0) : elapsed(this.#clock.now(), after(found.since, found.delay));
  }

  /** A failed Pod goes now. */
  removed(owner: string, node: string): void {
    const key = keyFor(owner, node);
    const now = this.#clock.now();
    const found = this.#backOffs.get(key);
    const isForgotten = found === undefined || now - found.since > 2 * longest;
    const delay = isForgotten ? shortest : millis(Math.min(2 * found.delay, longest));
    this.#backOffs.set(key, { delay, since: now });
  }

  /** The owner is gone. */
  forget(owner: string): void {
    for (const key of this.#backOffs.keys()) if (key.startsWith(`${owner}/`)) this.#backOffs.delete(key);
  }
}

const keyFor = (owner: string, node: string): string => `${owner}/${node}`;
