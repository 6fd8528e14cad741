// The checks that validation of every kind repeats. Each answers with the errors it found.

import { type FieldError, invalid, notSupported, required } from "./field-errors.ts";
import { sameJson } from "./json-object.ts";
import type { NameCheck } from "./names.ts";

/** One error for each complaint that `check` has about the value. */
export function checkName(field: string, value: string, check: NameCheck): FieldError[] {
  return check(value).map((problem) => invalid(field, value, problem));
}

/** Like {@link checkName} where nothing at all is an error of its own. */
export function checkRequiredName(field: string, value: string | undefined, check: NameCheck): FieldError[] {
  return value === undefined || value === "" ? [required(field)] : checkName(field, value, check);
}

/** The text must be there. */
export function checkPresent(field: string, value: string | undefined): FieldError[] {
  return value === undefined || value === "" ? [required(field)] : [];
}

/** The value, if there is one, must be among `supported`. */
export function checkOneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** There must be a value, among `supported`. */
export function checkRequiredOneOf(
  field: string,
  value: string | undefined,
  supported: readonly string[],
): FieldError[] {
  return value === undefined || value === "" ? [required(field)] : checkOneOf(field, value, supported);
}

export function checkNotNegative(field: string, value: number | undefined): FieldError[] {
  return value !== undefined && value < 0 ? [invalid(field, value, "must be greater than or equal to 0")] : [];
}

/** A value that must not change between two versions of an object. */
export function checkImmutable(field: string, next: unknown, old: unknown): FieldError[] {
  return sameJson(next, old) ? [] : [invalid(field, next, "field is immutable")];
}
