// How every benchmark reports: a figure, the floor measured in the same run on the same machine, and the ratio of the two.

export interface Measurement {
  /** What was measured: `process Pod, create → Ready, p50`. */
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The same work done by the machine's or the runtime's own means. */
  readonly floor?: { readonly value: number; readonly what: string };
  /** Something else that is worth saying: how many runs, how much load. */
  readonly note?: string;
}

/** A percentile of a sample, by the nearest rank. */
export function percentile(sample: readonly number[], percent: number): number {
  if (sample.length === 0) throw new RangeError("a percentile of nothing");
  const sorted = [...sample].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] as number;
}

/** p50 and p99 of a sample beside those of its floor. */
export function latencies(
  what: string,
  sample: readonly number[],
  floor?: { readonly sample: readonly number[]; readonly what: string },
): Measurement[] {
  return [50, 99].map((percent) => ({
    what: `${what}, p${percent}`,
    value: percentile(sample, percent),
    unit: "ms",
    ...(floor !== undefined && { floor: { value: percentile(floor.sample, percent), what: floor.what } }),
    note: `${sample.length} runs`,
  }));
}

export function formatMeasurement({ what, value, unit, floor, note }: Measurement): string {
  const figure = `${formatNumber(value)} ${unit}`.padStart(16);
  const against =
    floor === undefined
      ? ""
      : `  ${(value / floor.value).toFixed(2)} x ${floor.what} (${formatNumber(floor.value)} ${unit})`;
  return `${what.padEnd(58)}${figure}${against}${note === undefined ? "" : `  [${note}]`}`;
}

function formatNumber(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
