// How many Pods may come or go at once, as validation sees it: a number that is not negative, or a percentage.

import { checkNotNegative } from "./field-checks.ts";
import { type FieldError, invalid } from "./field-errors.ts";
import { percentOf, percentProblems } from "./percent.ts";

export type Amount = number | string;

export function validateAmount(value: Amount, path: string): FieldError[] {
  if (typeof value === "number") return checkNotNegative(path, value);
  return percentProblems(value).map((problem) => invalid(path, value, problem));
}

export function checkAtMostAll(value: Amount, path: string): FieldError[] {
  return (percentOf(value) ?? 0) > 100 ? [invalid(path, value, "must not be greater than 100%")] : [];
}

/** The number in either form; a text that is neither counts as nothing. */
export function amountOf(value: Amount): number {
  if (typeof value === "number") return value;
  return percentOf(value) ?? (/^[+-]?\d+$/.test(value) ? Number(value) : 0);
}
