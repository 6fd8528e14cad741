// JSON patch, RFC 6902 (api-machinery 5.2).

import jsonPatch, { type Operation } from "fast-json-patch";
import type { JsonObject } from "../wire/request.ts";
import { isJsonObject } from "./json-object.ts";

/** More operations than this are refused with 413. */
export const jsonPatchOperationLimit = 10_000;

export type JsonPatchResult =
  | { readonly kind: "patched"; readonly object: JsonObject }
  /** The patch itself makes no sense: 400. */
  | { readonly kind: "malformed"; readonly problem: string }
  /** 413; `problem` is upstream's whole text. */
  | { readonly kind: "tooLarge"; readonly problem: string }
  /** An operation does not fit the object, or a test failed: 422 with upstream's text for it. */
  | { readonly kind: "failed"; readonly problem: string };

/** The object after all operations, or why there is none. The original is never changed. */
export function applyJsonPatch(original: JsonObject, patch: unknown): JsonPatchResult {
  if (!Array.isArray(patch)) {
    return malformed("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  }
  if (patch.length > jsonPatchOperationLimit) {
    const problem = `Request entity too large: The allowed maximum operations in a JSON patch is ${jsonPatchOperationLimit}, got ${patch.length}`;
    return { kind: "tooLarge", problem };
  }
  const problem = patch.map(operationProblem).find((text) => text !== undefined);
  if (problem !== undefined) return malformed(problem);
  if (patch.some(reachesPrototype)) return failed;
  try {
    // The library puts an operation's value into the document as it is, where a later operation may change it.
    const own = structuredClone(patch) as Operation[];
    const { newDocument } = jsonPatch.applyPatch<unknown>(original, own, true, false);
    return isJsonObject(newDocument) ? { kind: "patched", object: newDocument } : failed;
  } catch (error) {
    if (error instanceof jsonPatch.JsonPatchError) return failed;
    throw error;
  }
}

const failed: JsonPatchResult = {
  kind: "failed",
  problem: "the server rejected our request due to an error in our request",
};

function malformed(problem: string): JsonPatchResult {
  return { kind: "malformed", problem };
}

const operations = ["add", "remove", "replace", "move", "copy", "test"];

/** What is wrong with the shape of an operation, whatever it is applied to. */
function operationProblem(operation: unknown): string | undefined {
  if (!isJsonObject(operation)) return "json: cannot unmarshal value into Go value of type jsonpatch.Operation";
  const { op, path, from } = operation;
  if (typeof op !== "string" || !operations.includes(op))
    return `Unexpected kind: ${typeof op === "string" ? op : "unknown"}`;
  if (!isPointer(path)) return `operation ${op} has no valid path`;
  if ((op === "move" || op === "copy") && !isPointer(from)) return `operation ${op} has no valid from`;
  if ((op === "add" || op === "replace" || op === "test") && !("value" in operation))
    return `operation ${op} has no value`;
  return undefined;
}

function isPointer(value: unknown): value is string {
  return typeof value === "string" && /^(?:\/(?:[^~/]|~[01])*)*$/.test(value);
}

/** No object of the API has something to change behind these names, and the library below would follow them into a prototype. */
function reachesPrototype(operation: JsonObject): boolean {
  return [operation["path"], operation["from"]].some(
    (pointer) =>
      typeof pointer === "string" && pointer.split("/").some((part) => part === "__proto__" || part === "constructor"),
  );
}
