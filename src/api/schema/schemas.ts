// The lookup of schemas by message or by kind.

import { schemas as schemaText } from "../generated/schemas.ts";
import type { GroupVersionKind, Schema, SchemaField } from "./schema.ts";

/** The schema of a message (`core/v1 PodSpec`). Asking for a message that does not exist is a mistake in the program. */
export function schemaFor(name: string): Schema {
  const schema = findSchema(name);
  if (schema === undefined) throw new RangeError(`no schema is called ${name}`);
  return schema;
}

export function findSchema(name: string): Schema | undefined {
  const known = built.get(name);
  if (known !== undefined) return known;
  const entry = entries()[name];
  if (entry === undefined) return undefined;
  const schema = buildSchema(name, entry);
  built.set(name, schema);
  return schema;
}

/** The schema of a kind, lists (`PodList`) included; undefined when the API has no such kind. */
export function rootSchema(gvk: GroupVersionKind): Schema | undefined {
  roots ??= new Map(
    Object.entries(entries()).flatMap(([name, entry]) => (entry.gvk === undefined ? [] : [[keyOf(entry.gvk), name]])),
  );
  const name = roots.get(keyOf(gvk));
  return name === undefined ? undefined : schemaFor(name);
}

/** The names of all messages. */
export function schemaNames(): readonly string[] {
  return Object.keys(entries());
}

/** How strategic merge patch treats one field of a message (api-machinery 5.4); an unknown field has no strategy. */
export function patchStrategyOf(
  message: string,
  field: string,
): { readonly strategies: readonly ("merge" | "replace" | "retainKeys")[]; readonly mergeKey?: string } {
  const found = findSchema(message)?.fields.get(field);
  return {
    strategies: found?.patchStrategy ?? [],
    ...(found?.patchMergeKey === undefined ? {} : { mergeKey: found.patchMergeKey }),
  };
}

interface SchemaEntry {
  readonly fields: Readonly<Record<string, SchemaField>>;
  readonly required?: readonly string[];
  readonly certain?: readonly string[];
  readonly gvk?: GroupVersionKind;
  readonly mapType?: "atomic";
}

const built = new Map<string, Schema>();
let parsed: Readonly<Record<string, SchemaEntry>> | undefined;
let roots: Map<string, string> | undefined;

function entries(): Readonly<Record<string, SchemaEntry>> {
  parsed ??= JSON.parse(schemaText) as Readonly<Record<string, SchemaEntry>>;
  return parsed;
}

function buildSchema(name: string, entry: SchemaEntry): Schema {
  const required = entry.required ?? [];
  return {
    name,
    fields: new Map(Object.entries(entry.fields)),
    required,
    certain: entry.certain ?? required,
    ...(entry.gvk === undefined ? {} : { gvk: entry.gvk }),
    ...(entry.mapType === undefined ? {} : { mapType: entry.mapType }),
  };
}

function keyOf({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}/${kind}`;
}
