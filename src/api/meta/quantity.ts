// Amounts of resources: `500m`, `1.5Gi`, `1e3`. Exact: a quantity is a whole number of billionths, as upstream keeps it, and
// what is finer is rounded up, so that whoever asks for some of a resource gets some.

/** Which family of suffixes the amount was written in; arithmetic keeps it. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

export interface Quantity {
  /** The amount in billionths. */
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

/** The complaint about a text that is no quantity, in upstream's words; `undefined` if it is one. */
export function quantityProblem(text: string | number): string | undefined {
  const parsed = parse(String(text));
  return typeof parsed === "string" ? parsed : undefined;
}

/**
 * Reads a quantity. JSON numbers are taken as they print.
 * @throws Error with {@link quantityProblem} if it is not one: ask first where the text comes from a user.
 */
export function parseQuantity(text: string | number): Quantity {
  const parsed = parse(String(text));
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

/**
 * The one way to write an amount: the suffix family is kept, the mantissa is whole and the largest fitting suffix is used (`1000m` is
 * `1`, `0.5` is `500m`, `2048Ki` is `2Mi`, `1.5Gi` is `1536Mi`).
 */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format } = quantity;
  if (nanos === 0n) return "0";
  if (format === "BinarySI" && nanos % nanosPerUnit === 0n && absolute(nanos) >= 1024n * nanosPerUnit) {
    const [mantissa, power] = takeOut(nanos / nanosPerUnit, 1024n);
    return `${mantissa}${binarySuffixes[power] ?? ""}`;
  }
  const [digits, tens] = takeOut(nanos, 10n);
  const exponent = tens - 9;
  const shown = Math.floor(exponent / 3) * 3;
  const mantissa = digits * 10n ** BigInt(exponent - shown);
  if (format === "DecimalExponent") return shown === 0 ? `${mantissa}` : `${mantissa}e${shown}`;
  return `${mantissa}${decimalSuffixes[shown / 3 + 3] ?? ""}`;
}

/** A quantity's text in its canonical form. @throws Error as {@link parseQuantity} does */
export function canonicalQuantity(text: string | number): string {
  return formatQuantity(parseQuantity(text));
}

export const zeroQuantity: Quantity = { nanos: 0n, format: "DecimalSI" };

/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** The sum, in the format of the first that is not zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** The difference, in the format of the first that is not zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** The larger; `a` if they are equal. */
export function maxQuantity(a: Quantity, b: Quantity): Quantity {
  return b.nanos > a.nanos ? b : a;
}

/** Whole units (bytes of memory, cores), rounded up. */
export function quantityValue(quantity: Quantity): bigint {
  return divideAwayFromZero(quantity.nanos, nanosPerUnit);
}

/** The amount rounded up to thousandths: finer parts are dropped where resources are stored. */
export function roundUpToMilli(quantity: Quantity): Quantity {
  return { nanos: quantityMilliValue(quantity) * 1_000_000n, format: quantity.format };
}

/** Thousandths of a unit (millicores), rounded up. */
export function quantityMilliValue(quantity: Quantity): bigint {
  return divideAwayFromZero(quantity.nanos, 1_000_000n);
}

const nanosPerUnit = 1_000_000_000n;
/** Larger amounts are cut to this one, as upstream does. */
const largestNanos = (2n ** 63n - 1n) * nanosPerUnit;
/** An amount with more digits before the point than this is larger than the largest whatever its digits are. */
const mostDigits = 60;
const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const formatText = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";
const wrongFormat = `quantities must match the regular expression '${formatText}'`;
const wrongNumber = "unable to parse numeric part of quantity";
const wrongSuffix = "unable to parse quantity's suffix";
const pattern = new RegExp(formatText);

function parse(text: string): Quantity | string {
  const match = pattern.exec(text);
  if (match === null) return wrongFormat;
  const number = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(match[1] ?? "");
  if (number === null || `${number[2]}${number[3] ?? ""}` === "") return wrongNumber;
  const scale = scaleOf(match[2] ?? "");
  if (scale === undefined) return wrongSuffix;
  const magnitude = scaled(number[2] ?? "", number[3] ?? "", scale);
  const format = scale.format === "BinarySI" && magnitude < nanosPerUnit && magnitude > 0n ? "DecimalSI" : scale.format;
  const capped = magnitude > largestNanos ? largestNanos : magnitude;
  return { nanos: number[1] === "-" ? -capped : capped, format };
}

interface Scale {
  readonly tens: number;
  readonly twos: number;
  readonly format: QuantityFormat;
}

function scaleOf(suffix: string): Scale | undefined {
  const decimal = decimalSuffixes.indexOf(suffix);
  if (decimal >= 0) return { tens: (decimal - 3) * 3, twos: 0, format: "DecimalSI" };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { tens: 0, twos: binary * 10, format: "BinarySI" };
  const exponent = /^[eE]([-+]?\d+)$/.exec(suffix);
  return exponent === null ? undefined : { tens: Number(exponent[1]), twos: 0, format: "DecimalExponent" };
}

/** `whole.fraction` times the scale in billionths, rounded up; never does work that the length of a hostile text could make long. */
function scaled(whole: string, fraction: string, scale: Scale): bigint {
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return 0n;
  const shift = scale.tens - fraction.length + 9;
  if (digits.length + shift > mostDigits) return largestNanos + 1n;
  if (shift >= 0) return BigInt(digits) * 10n ** BigInt(shift) * 2n ** BigInt(scale.twos);
  // Multiplying by the power of two first keeps what it lifts above a billionth.
  const kept = Math.min(digits.length, digits.length + shift + mostDigits);
  if (kept <= 0) return 1n;
  const rest = /[1-9]/.test(digits.slice(kept)) ? 1n : 0n;
  const numerator = (BigInt(digits.slice(0, kept)) + rest) * 2n ** BigInt(scale.twos);
  return divideAwayFromZero(numerator, 10n ** BigInt(-shift - (digits.length - kept)));
}

/** How often `factor` divides `value`, and what is left. */
function takeOut(value: bigint, factor: bigint): [rest: bigint, times: number] {
  let rest = value;
  let times = 0;
  while (rest % factor === 0n) {
    rest /= factor;
    times++;
  }
  return [rest, times];
}

function divideAwayFromZero(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
