// JSON merge patch, RFC 7386 (api-machinery 5.3): null deletes, maps merge, everything else replaces.

import type { JsonObject } from "../wire/request.ts";
import { isJsonObject, ownValue, setOwn } from "./json-object.ts";

/** The object after the patch. Neither argument is changed; parts that the patch leaves alone are shared with the original. */
export function mergePatch(original: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(original)) setOwn(merged, name, value);
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete merged[name];
    else setOwn(merged, name, isJsonObject(change) ? mergePatch(asObject(ownValue(original, name)), change) : change);
  }
  return merged;
}

function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
