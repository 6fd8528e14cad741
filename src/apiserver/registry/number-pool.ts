// Numbers that are given out once: addresses by their place in a range, ports of the nodes.

import type { RandomStream } from "../../base/random.ts";

/** The numbers from `first` on. The lowest `reserved` of them are given out last, so that people can choose from them without clashes. */
export interface NumberPool {
  readonly first: number;
  readonly size: number;
  readonly reserved: number;
}

/**
 * A free number: by chance from the upper part, and only when that is full from the lower one.
 * @returns undefined when none is free
 */
export function freeNumber(
  pool: NumberPool,
  random: RandomStream,
  isTaken: (number: number) => boolean,
): number | undefined {
  return (
    freeBetween(pool.first + pool.reserved, pool.size - pool.reserved, random, isTaken) ??
    freeBetween(pool.first, pool.reserved, random, isTaken)
  );
}

/**
 * How many of a range's lowest numbers are reserved: a part of it, within limits.
 * @param step a range of this many numbers reserves one
 */
export function reservedPart(size: number, { step, most }: { readonly step: number; readonly most: number }): number {
  const least = 16;
  if (size < least) return 0;
  return Math.max(least, Math.min(most, Math.floor(size / step)));
}

function freeBetween(
  first: number,
  size: number,
  random: RandomStream,
  isTaken: (number: number) => boolean,
): number | undefined {
  if (size <= 0) return undefined;
  const start = random.integer(0, size - 1);
  for (let i = 0; i < size; i++) {
    const number = first + ((start + i) % size);
    if (!isTaken(number)) return number;
  }
  return undefined;
}
