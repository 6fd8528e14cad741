// The part of a name that stands for a template of Pods.

import { nameHash } from "../base/name-hash.ts";

/** Changes with the content, whatever the order of its fields, and with the number of times that two contents met in one name. */
export function templateHash(content: unknown, collisionCount: number | undefined): string {
  return nameHash(`${canonical(content)}${collisionCount ?? ""}`);
}

/** JSON with the names of every object in order, so that equal contents are equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, content]) => content !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, content]) => `${JSON.stringify(name)}:${canonical(content)}`).join(",")}}`;
}
