// JSON patch, RFC 6902 (api-machinery 5.2).

import jsonPatch, { type Operation } from "fast-json-patch";
import type { JsonObject } from "../wire/request.ts";
import { isJsonObject, ownValue } from "./json-object.ts";

/** More operations than this are refused with 413. */
export const jsonPatchOperationLimit = 10_000;

/** All copies of a patch together may add this much: copying a part into itself a few dozen times would otherwise fill the memory. */
const copyLimitBytes = 3 * 1024 * 1024;

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
  return carryOut(original, patch as Operation[]);
}

function carryOut(original: JsonObject, patch: readonly Operation[]): JsonPatchResult {
  // The library puts an operation's value into the document as it is, where a later operation may change it: it gets copies of both.
  let document: JsonObject = structuredClone(original);
  let copiedBytes = 0;
  try {
    for (const operation of structuredClone(patch)) {
      if (operation.op === "copy" || operation.op === "move") {
        const moved = valueByPointer(document, operation.from);
        // Nothing can move into itself (RFC 6902, 4.4).
        const intoItself = operation.op === "move" && operation.path.startsWith(`${operation.from}/`);
        if (moved === undefined || intoItself) return failed;
        if (operation.op === "copy") copiedBytes += JSON.stringify(moved).length;
        if (copiedBytes > copyLimitBytes) return tooMuchCopied(copiedBytes);
      }
      const next: unknown = jsonPatch.applyOperation(document, operation, true, true).newDocument;
      // The library goes wrong on anything else, and no object of the API is ever a list or a text in between.
      if (!isJsonObject(next)) return failed;
      document = next;
    }
    return { kind: "patched", object: document };
  } catch (error) {
    if (error instanceof jsonPatch.JsonPatchError) return failed;
    throw error;
  }
}

function tooMuchCopied(bytes: number): JsonPatchResult {
  const text = `Unable to complete the copy, the accumulated size increase of copy is ${bytes}, exceeding the limit ${copyLimitBytes}`;
  return { kind: "tooLarge", problem: `Request entity too large: ${text}` };
}

function valueByPointer(document: unknown, pointer: string): unknown {
  const parts = pointer.split("/").slice(1);
  return parts.reduce<unknown>((value, part) => {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) return value[Number(name)];
    return isJsonObject(value) ? ownValue(value, name) : undefined;
  }, document);
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
