// Safe handling of JSON that strangers wrote. A map's key may be any text, `__proto__` and `constructor` included (both are legal keys of
// a ConfigMap), so keys are read and written as a map's own and never reach an object's prototype.

import type { JsonObject } from "../wire/request.ts";

/** An object in the sense of JSON: neither a list nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value under a key of the object itself; `undefined` for anything that is only inherited. */
export function ownValue(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets a key of an object that is being built. */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[name] = value;
  }
}

/** The value at the end of a path of keys; `undefined` as soon as something on the way is missing or no object. */
export function valueAt(object: unknown, ...path: readonly string[]): unknown {
  let value = object;
  for (const name of path) {
    if (!isJsonObject(value)) return undefined;
    value = ownValue(value, name);
  }
  return value;
}

/** The text at the end of a path; empty if there is none. */
export function textAt(object: unknown, ...path: readonly string[]): string {
  const value = valueAt(object, ...path);
  return typeof value === "string" ? value : "";
}

/** Whether two JSON values are the same. Key order does not matter; an absent key equals an undefined one. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, position) => sameJson(item, b[position]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  return holdsAll(a, b) && lacksNothing(a, b);
}

/** Whether every value of `a` is in `b`, too. Written as a loop: half of a write's comparisons end here. */
function holdsAll(a: JsonObject, b: JsonObject): boolean {
  for (const name of Object.keys(a)) if (!sameJson(a[name], ownValue(b, name))) return false;
  return true;
}

/** Whether `b` has no value under a key that `a` does not have. */
function lacksNothing(a: JsonObject, b: JsonObject): boolean {
  for (const name of Object.keys(b)) if (b[name] !== undefined && !Object.hasOwn(a, name)) return false;
  return true;
}
