// What ConfigMaps and Secrets have in common (api-machinery 3.2).

import { type FieldError, forbidden } from "../../meta/field-errors.ts";
import { sameJson } from "../../meta/json-object.ts";

/** The values of a ConfigMap or a Secret may have this many bytes together: 1 MiB. */
export const dataLimitBytes = 1024 * 1024;

/** How many bytes a base64 text stands for. */
export function base64ByteLength(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor(text.length / 4) * 3 - padding;
}

/** Once `immutable` is set, neither it nor the data changes any more. */
export function validateImmutable<Field extends string>(
  next: { readonly immutable?: boolean } & { readonly [Name in Field]?: unknown },
  old: { readonly immutable?: boolean } & { readonly [Name in Field]?: unknown },
  fields: readonly Field[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const text = "field is immutable when `immutable` is set";
  return [
    ...(next.immutable === true ? [] : [forbidden("immutable", text)]),
    ...fields.filter((field) => !sameJson(next[field] ?? {}, old[field] ?? {})).map((field) => forbidden(field, text)),
  ];
}
