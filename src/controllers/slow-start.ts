// Many actions of one sort: in batches that double, so that what fails for a common reason fails once and not five hundred times
// (pod-lifecycle 13.1.5).

/** The next batch of a slow start: 1, 2, 4, …, never more than are left. */
export function batchSizes(count: number): readonly number[] {
  const sizes: number[] = [];
  for (let left = count, size = 1; left > 0; left -= size, size *= 2) {
    size = Math.min(size, left);
    sizes.push(size);
  }
  return sizes;
}

/** Acts on all items; after a batch with a failure the rest is left. @returns how many succeeded, and the first failure */
export async function slowStart<T>(
  items: readonly T[],
  act: (item: T) => Promise<void>,
): Promise<{ readonly succeeded: number; readonly failure?: unknown }> {
  let begun = 0;
  for (const size of batchSizes(items.length)) {
    const outcomes = await Promise.allSettled(items.slice(begun, begun + size).map((item) => act(item)));
    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    const [first] = failures;
    if (first !== undefined) return { succeeded: begun + size - failures.length, failure: first.reason as unknown };
    begun += size;
  }
  return { succeeded: begun };
}
