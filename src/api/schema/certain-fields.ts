import type { Schema, SchemaField } from "./schema.ts";
import { schemaFor } from "./schemas.ts";

/**
 * Paths of the fields that a stored object must have and this one lacks: the types promise them ("complete at the door, certain inside"), so
 * an answer that is not empty is a mistake of defaulting or of a registry. For tests and assertions.
 */
export function missingCertainFields(object: object, schema: Schema, path = ""): readonly string[] {
  const missing: string[] = [];
  const values = object as Readonly<Record<string, unknown>>;
  for (const name of schema.certain) if (values[name] === undefined) missing.push(`${path}${name}`);
  for (const [name, field] of schema.fields)
    if (values[name] !== undefined) missing.push(...missingBelow(values[name], field, `${path}${name}`));
  return missing;
}

function missingBelow(value: unknown, field: SchemaField, path: string): readonly string[] {
  const items = field.items;
  if (items !== undefined && Array.isArray(value))
    return value.flatMap((item: unknown, index) => missingBelow(item, items, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  if (items !== undefined)
    return Object.entries(value).flatMap(([key, item]) => missingBelow(item, items, `${path}[${key}]`));
  // A template's metadata is no stored object's: the cluster never names it.
  if (field.ref === undefined || (field.ref === "meta/v1 ObjectMeta" && path.includes("."))) return [];
  return missingCertainFields(value, schemaFor(field.ref), `${path}.`);
}
