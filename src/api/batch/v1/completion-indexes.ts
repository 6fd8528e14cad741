// The indexes of an Indexed Job in their compressed form: `1,3-5,7` (pod-lifecycle 13.5.8).

/** From `first` to `last`, both included. */
export interface IndexInterval {
  readonly first: number;
  readonly last: number;
}

/** In increasing order, without overlaps and without neighbours that could be one interval. */
export type IndexIntervals = readonly IndexInterval[];

/** What a text that is trusted says; indexes that the Job does not have are left out. */
export function parseIndexes(text: string | undefined, completions: number): IndexIntervals {
  if (text === undefined || text === "") return [];
  const intervals: IndexInterval[] = [];
  for (const fragment of text.split(",")) {
    const [first = Number.NaN, last = first] = fragment.split("-").map(Number);
    if (!Number.isInteger(first) || !Number.isInteger(last) || first >= completions) continue;
    intervals.push({ first, last: Math.min(last, completions - 1) });
  }
  return mergeIndexes(intervals, []);
}

/** Two indexes in a row are named both, more as an interval: `0,1` and `0-2`. */
export function formatIndexes(intervals: IndexIntervals): string {
  return intervals
    .map(({ first, last }) => {
      if (first === last) return `${first}`;
      return last === first + 1 ? `${first},${last}` : `${first}-${last}`;
    })
    .join(",");
}

/** What is in either. */
export function mergeIndexes(a: IndexIntervals, b: IndexIntervals): IndexIntervals {
  const merged: IndexInterval[] = [];
  for (const interval of [...a, ...b].sort((one, other) => one.first - other.first)) {
    const before = merged.at(-1);
    if (before === undefined || interval.first > before.last + 1) merged.push(interval);
    else if (interval.last > before.last) merged[merged.length - 1] = { first: before.first, last: interval.last };
  }
  return merged;
}

export function withIndexes(intervals: IndexIntervals, indexes: Iterable<number>): IndexIntervals {
  return mergeIndexes(
    intervals,
    [...indexes].map((index) => ({ first: index, last: index })),
  );
}

export function countIndexes(intervals: IndexIntervals): number {
  return intervals.reduce((count, { first, last }) => count + last - first + 1, 0);
}

export function hasIndex(intervals: IndexIntervals, index: number): boolean {
  return intervals.some(({ first, last }) => first <= index && index <= last);
}

/** How many indexes are in both. */
export function countCommon(a: IndexIntervals, b: IndexIntervals): number {
  let common = 0;
  for (const one of a) {
    for (const other of b) {
      common += Math.max(0, Math.min(one.last, other.last) - Math.max(one.first, other.first) + 1);
    }
  }
  return common;
}

/** The lowest indexes below `completions` that are in none of the intervals, at most `count`. */
export function firstIndexesOutside(taken: IndexIntervals, count: number, completions: number): readonly number[] {
  const found: number[] = [];
  let candidate = 0;
  for (const { first, last } of [...taken, { first: completions, last: completions }]) {
    for (; candidate < Math.min(first, completions) && found.length < count; candidate++) found.push(candidate);
    candidate = Math.max(candidate, last + 1);
  }
  return found;
}

/** What somebody wrote. */
export type CheckedIndexes =
  | { readonly kind: "indexes"; readonly intervals: IndexIntervals }
  | { readonly kind: "wrong"; readonly problem: string };

/** Reads what a client sent, with upstream's words for what is wrong with it. */
export function checkIndexes(text: string, completions: number): CheckedIndexes {
  const intervals: IndexInterval[] = [];
  if (text === "") return { kind: "indexes", intervals };
  const wrong = (problem: string): CheckedIndexes => ({ kind: "wrong", problem });
  for (const fragment of text.split(",")) {
    const limits = fragment.split("-");
    if (limits.length > 2) {
      return wrong(
        `the fragment ${JSON.stringify(fragment)} violates the requirement that an index interval can have at most two parts separated by '-'`,
      );
    }
    const numbers: number[] = [];
    for (const limit of limits) {
      if (!/^\+?\d+$/.test(limit)) {
        return wrong(`cannot convert string to integer for index: ${JSON.stringify(limit)}`);
      }
      if (Number(limit) >= completions) return wrong(`too large index: ${JSON.stringify(limit)}`);
      numbers.push(Number(limit));
    }
    const [first = 0, last = first] = numbers;
    const before = intervals.at(-1)?.last;
    const outOfOrder = (previous: number, current: number): CheckedIndexes =>
      wrong(`non-increasing order, previous: ${previous}, current: ${current}`);
    if (limits.length === 2 && first >= last) return outOfOrder(first, last);
    if (before !== undefined && before >= first) return outOfOrder(before, first);
    intervals.push({ first, last });
  }
  return { kind: "indexes", intervals };
}
