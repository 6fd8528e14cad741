// Amounts that are given as a number or as a percentage of another: `2`, `25%`.

/** Upstream's complaint about a text that should be a percentage. */
export function percentProblems(text: string): string[] {
  if (isPercent(text)) return [];
  return [
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
  ];
}

/** The number before the sign; undefined for what is no percentage. */
export function percentOf(value: number | string): number | undefined {
  return typeof value === "string" && isPercent(value) ? Number(value.slice(0, -1)) : undefined;
}

/** The amount in absolute terms: a percentage of `total`, rounded up or down. */
export function scaledAmount(value: number | string, total: number, rounding: "up" | "down"): number {
  if (typeof value === "number") return value;
  const exact = ((percentOf(value) ?? 0) * total) / 100;
  return rounding === "up" ? Math.ceil(exact) : Math.floor(exact);
}

const isPercent = (text: string): boolean => /^[0-9]+%$/.test(text);
