// What a controller has asked for and not yet seen. Its copy of the cluster lags behind its own writes: acting on it again too early would
// create or delete twice (pod-lifecycle 13.1.4).

import { type Clock, type Instant, type Millis, after, elapsed, minutes } from "../base/time.ts";

/** After so long a controller acts again, whatever it has not seen. */
export const expectationTimeout: Millis = minutes(5);

interface Expected {
  creations: number;
  /** By uid: seeing one deletion twice must not count for another. */
  readonly deletions: Set<string>;
  readonly since: Instant;
}

export interface ExpectedChanges {
  readonly creations?: number;
  readonly deletions?: Iterable<string>;
}

export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * From now on so many creations are to be seen, and the deletions of these uids. Call it before the first is asked for: the news may be
   * faster than the answer.
   */
  expect(key: string, { creations = 0, deletions = [] }: ExpectedChanges): void {
    this.#expected.set(key, { creations, deletions: new Set(deletions), since: this.#clock.now() });
  }

  /** A creation was seen, or did not come about. */
  creationObserved(key: string): void {
    const expected = this.#expected.get(key);
    if (expected !== undefined && expected.creations > 0) expected.creations--;
  }

  /** A deletion was seen, or did not come about. */
  deletionObserved(key: string, uid: string): void {
    this.#expected.get(key)?.deletions.delete(uid);
  }

  /** The time until the controller may act for this key; zero if it may now. */
  wait(key: string): Millis {
    const expected = this.#expected.get(key);
    if (expected === undefined || (expected.creations === 0 && expected.deletions.size === 0)) return 0 as Millis;
    return elapsed(this.#clock.now(), after(expected.since, expectationTimeout));
  }

  /** The owner is gone. */
  forget(key: string): void {
    this.#expected.delete(key);
  }
}
