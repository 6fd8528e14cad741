// What is wrong with a field of a request, in upstream's words (api-machinery 7.2). Validation collects a list of these; the API server
// turns the list into one 422 Status with one cause per error.

import { aggregate, type FieldCause } from "../wire/status-error.ts";

/** The cause reasons of an Invalid Status. */
export type FieldErrorType =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueTypeInvalid"
  | "FieldValueNotSupported"
  | "FieldValueDuplicate"
  | "FieldValueNotFound"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "InternalError";

/** One problem with one field. */
export interface FieldError {
  /** Becomes the `reason` of the cause. */
  readonly type: FieldErrorType;
  /** `spec.containers[0].image`; `<nil>` for the object itself. */
  readonly field: string;
  /** The text without the path: `Required value`, `Invalid value: 70000: must be between 1 and 65535, inclusive`. */
  readonly body: string;
  readonly badValue?: unknown;
}

/** A value is missing. */
export function required(field: string, detail = ""): FieldError {
  return fieldError("FieldValueRequired", field, withDetail("Required value", detail));
}

/** A value breaks its rule. Strings are quoted as Go does, numbers and booleans are bare, everything else is shown as JSON. */
export function invalid(field: string, badValue: unknown, detail: string): FieldError {
  return {
    ...fieldError("FieldValueInvalid", field, withDetail(`Invalid value: ${goValue(badValue)}`, detail)),
    badValue,
  };
}

/** Something is wrong with a value as a whole, which is not shown. */
export function invalidWhole(field: string, detail: string): FieldError {
  return fieldError("FieldValueInvalid", field, withDetail("Invalid value", detail));
}

/** A value has the wrong JSON type. */
export function typeInvalid(field: string, badValue: unknown, detail: string): FieldError {
  const body = withDetail(`Invalid value: ${goValue(badValue)}`, detail);
  return { ...fieldError("FieldValueTypeInvalid", field, body), badValue };
}

/** A value is not one of `supported`, which are listed in the order given. */
export function notSupported(field: string, badValue: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? "" : `supported values: ${supported.map(goQuote).join(", ")}`;
  const body = withDetail(`Unsupported value: ${goValue(badValue)}`, detail);
  return { ...fieldError("FieldValueNotSupported", field, body), badValue };
}

/** A value that must be unique appears again. */
export function duplicate(field: string, badValue: unknown): FieldError {
  return { ...fieldError("FieldValueDuplicate", field, `Duplicate value: ${goValue(badValue)}`), badValue };
}

/** A value refers to something that is not there. */
export function notFound(field: string, badValue: unknown): FieldError {
  return { ...fieldError("FieldValueNotFound", field, `Not found: ${goValue(badValue)}`), badValue };
}

/** A well-formed value that is not permitted here and now. */
export function forbidden(field: string, detail: string): FieldError {
  return fieldError("FieldValueForbidden", field, withDetail("Forbidden", detail));
}

/** A string is longer than `maxBytes`; the text does not repeat it. */
export function tooLong(field: string, maxBytes: number): FieldError {
  return fieldError("FieldValueTooLong", field, `Too long: may not be more than ${maxBytes} bytes`);
}

/** A list has more than `maxItems` items. */
export function tooMany(field: string, actualItems: number, maxItems: number): FieldError {
  return fieldError("FieldValueTooMany", field, `Too many: ${actualItems}: must have at most ${maxItems} items`);
}

/** Something went wrong that is not the user's doing. */
export function internalFieldError(field: string, text: string): FieldError {
  return fieldError("InternalError", field, withDetail("Internal error", text));
}

/** `<field>: <body>` */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${error.body}`;
}

/** The errors as the causes of a Status: `invalid(kind, name, fieldCauses(errors))` of wire/status-error.ts is the 422. */
export function fieldCauses(errors: readonly FieldError[]): FieldCause[] {
  return errors.map(({ type, field, body }) => ({ reason: type, message: body, field }));
}

/** The text of a whole list: one error alone, several as `[e1, e2]` with exact repetitions dropped. */
export function aggregateText(errors: readonly FieldError[]): string {
  return aggregate(fieldCauses(errors));
}

/** `child("spec", "containers")` is `spec.containers`; an empty parent is the object itself. */
export function child(parent: string, ...names: readonly string[]): string {
  return [parent, ...names].filter((name) => name !== "").join(".");
}

/** `index("spec.containers", 0)` is `spec.containers[0]`. */
export function index(parent: string, position: number): string {
  return `${parent}[${position}]`;
}

/** `key("metadata.annotations", "foo")` is `metadata.annotations[foo]`. */
export function key(parent: string, name: string): string {
  return `${parent}[${name}]`;
}

/** A string in double quotes with Go's escapes (`strconv.Quote`). */
export function goQuote(text: string): string {
  let quoted = '"';
  for (const character of text) quoted += goEscape(character);
  return `${quoted}"`;
}

/** A value as Go's error texts show it. */
export function goValue(value: unknown): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return goQuote(value);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  return JSON.stringify(value);
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function goEscape(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  if (printable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd"; // half a surrogate pair cannot live in a Go string
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

function fieldError(type: FieldErrorType, field: string, body: string): FieldError {
  return { type, field: field === "" ? "<nil>" : field, body };
}

function withDetail(text: string, detail: string): string {
  return detail === "" ? text : `${text}: ${detail}`;
}
