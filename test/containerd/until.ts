import { type Millis, millis, seconds } from "../../src/base/time.ts";
import { WallClock } from "../../src/host/wall-clock.ts";

/** The machine's clock. */
export const clock = new WallClock();

/** Looks until there is something to see. @throws Error that says what was waited for */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  within: Millis = seconds(15),
): Promise<T> {
  const from = clock.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (clock.now() - from > within) throw new Error(`waited ${within / 1000} s in vain until ${what}`);
    await clock.sleep(millis(10));
  }
}
