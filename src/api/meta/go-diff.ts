// The difference between two versions of a message in the style of Go's `cmp.Diff`, which upstream appends to some refusals. Upstream calls the
// exact text unstable; what counts is that a person sees what changed.

import { goValue } from "./field-errors.ts";
import { isJsonObject, sameJson } from "./json-object.ts";

/** The changed fields of a message called `typeName`, with `-` before what was and `+` before what would be. Ends with a line break. */
export function goDiff(typeName: string, old: unknown, next: unknown): string {
  return `${lines(`${typeName}{`, old, next, "", "}").join("\n")}\n`;
}

function lines(open: string, old: unknown, next: unknown, indent: string, close: string): string[] {
  return [`  ${indent}${open}`, ...members(old, next, `${indent}\t`), `  ${indent}${close}`];
}

function members(old: unknown, next: unknown, indent: string): string[] {
  const result: string[] = [];
  let identical = 0;
  const flush = (): void => {
    if (identical > 0) {
      result.push(`  ${indent}... // ${identical} identical ${Array.isArray(next) ? "elements" : "fields"}`);
    }
    identical = 0;
  };
  for (const [label, before, after] of pairs(old, next)) {
    if (sameJson(before, after)) {
      identical++;
      continue;
    }
    flush();
    result.push(...change(label, before, after, indent));
  }
  flush();
  return result;
}

function change(label: string, before: unknown, after: unknown, indent: string): string[] {
  if (isJsonObject(before) && isJsonObject(after)) return lines(`${label}{`, before, after, indent, "},");
  if (Array.isArray(before) && Array.isArray(after)) return lines(`${label}[]{`, before, after, indent, "},");
  return [
    ...(before === undefined && label === "" ? [] : [`- ${indent}${label}${shown(before)},`]),
    ...(after === undefined && label === "" ? [] : [`+ ${indent}${label}${shown(after)},`]),
  ];
}

/** What stands beside each other in two objects (by name) or two lists (by place). */
function pairs(old: unknown, next: unknown): [label: string, before: unknown, after: unknown][] {
  if (Array.isArray(old) && Array.isArray(next)) {
    const length = Math.max(old.length, next.length);
    return Array.from({ length }, (_, position) => ["", old[position], next[position]]);
  }
  const before = isJsonObject(old) ? old : {};
  const after = isJsonObject(next) ? next : {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.map((name) => [`${name.charAt(0).toUpperCase()}${name.slice(1)}: `, before[name], after[name]]);
}

function shown(value: unknown): string {
  return value === undefined ? "nil" : goValue(value);
}
