// A patch carried out on the present object, for the update pipeline (api-machinery 5).

import { isJsonObject } from "../../api/meta/json-object.ts";
import { applyJsonPatch } from "../../api/meta/json-patch.ts";
import { mergePatch } from "../../api/meta/merge-patch.ts";
import { strategicMergePatch } from "../../api/meta/strategic-merge-patch.ts";
import type { GroupVersionKind } from "../../api/schema/schema.ts";
import { findSchema, rootSchema } from "../../api/schema/schemas.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { badRequest, invalid, StatusError, unknownError } from "../../api/wire/status-error.ts";
import { decodeValue, type FieldValidation } from "../codec/decode-body.ts";
import type { DecodedPatch } from "../codec/decode-patch.ts";
import type { ApiObject } from "./api-object.ts";
import type { Warnings } from "./request-context.ts";

/** @throws StatusError BadRequest, Invalid, RequestEntityTooLarge */
export function applyPatch(
  definition: GroupVersionKind,
  present: ApiObject,
  decoded: DecodedPatch,
  fieldValidation: FieldValidation,
  warnings: Warnings,
): ApiObject {
  const patched = patchedValue(definition, present, decoded);
  const { object, problems: fieldProblems } = decodeValue(patched, definition, present);
  const problems = [...decoded.problems, ...fieldProblems];
  if (problems.length > 0 && fieldValidation === "Strict")
    throw strictPatchError(definition, present, decoded, problems);
  if (fieldValidation === "Warn") warnings.add(...problems);
  return object as ApiObject;
}

function patchedValue(definition: GroupVersionKind, present: ApiObject, { type, patch }: DecodedPatch): JsonObject {
  switch (type) {
    case "json": {
      const result = applyJsonPatch(present, patch);
      switch (result.kind) {
        case "patched":
          return result.object;
        case "malformed":
          throw badRequest(result.problem);
        case "tooLarge":
          throw failure(413, "RequestEntityTooLarge", result.problem);
        case "failed":
          throw failure(422, "Invalid", result.problem);
      }
    }
    case "merge":
      return mergePatch(present, patchObject(patch));
    case "strategic": {
      const schema = rootSchema(definition);
      if (schema === undefined) throw new RangeError(`no schema for ${definition.kind}`);
      const result = strategicMergePatch(present, patchObject(patch), schema, findSchema);
      switch (result.kind) {
        case "patched":
          return result.object;
        case "malformed":
          throw badRequest(result.problem);
        case "unprocessable":
          throw failure(422, "Invalid", result.problem);
        case "unclassified":
          throw unknownError(result.problem);
      }
    }
    case "apply":
      throw new RangeError("server-side apply is not among the served patch types");
  }
}

function patchObject(patch: unknown): JsonObject {
  if (isJsonObject(patch)) return patch;
  const found = Array.isArray(patch) ? "array" : patch === null ? "null" : typeof patch;
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
  );
}

/** api-machinery 3.6: patches are judged as a field called `patch`. */
function strictPatchError(
  definition: GroupVersionKind,
  present: ApiObject,
  { patch }: DecodedPatch,
  problems: readonly string[],
): StatusError {
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(patch))}: strict decoding error: ${problems.join(", ")}`;
  const { group, kind } = definition;
  return invalid({ group, kind }, present.metadata.name ?? "", [
    { reason: "FieldValueInvalid", message, field: "patch" },
  ]);
}

function failure(code: number, reason: string, message: string): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    details: {},
    code,
  });
}
