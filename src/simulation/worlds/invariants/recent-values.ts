// Values as they were of late: whoever decides by them may have seen any of those.

import { elapsed, type Instant, minutes } from "../../../base/time.ts";

/** How old a part's picture of the world may be: a watch that was cut, the longest pause before the next one, and late news on top. */
export const longestBlindness = minutes(4);

export class RecentValues<T> {
  #values: { readonly value: T; until: Instant | undefined }[] = [];

  /** From now on it is this. */
  set(value: T, now: Instant): void {
    const last = this.#values.at(-1);
    if (last?.value === value) return;
    if (last !== undefined) last.until = now;
    this.#values.push({ value, until: undefined });
  }

  /** All that it has been within the longest blindness, the present value last. */
  recent(now: Instant): readonly T[] {
    this.#values = this.#values.filter(({ until }) => until === undefined || elapsed(until, now) <= longestBlindness);
    return this.#values.map(({ value }) => value);
  }
}
