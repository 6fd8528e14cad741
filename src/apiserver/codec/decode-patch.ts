// The body of a PATCH: its type is said by the media type, its meaning is nobody's business here (api-machinery 5.1).

import type { ApiRequest } from "../../api/wire/request.ts";
import { badRequest, unsupportedMediaType } from "../../api/wire/status-error.ts";
import { boundedBytes, parseText } from "./decode-body.ts";
import { JsonSyntaxError } from "../../api/wire/json-scan.ts";
import { parseMediaType } from "./media-types.ts";
import { YamlError } from "../../api/wire/yaml-text.ts";

export type PatchType = "json" | "merge" | "strategic" | "apply";

/** The patch types that this server carries out, in the order in which refusals list them. */
export const servedPatchTypes: readonly PatchType[] = ["json", "merge", "strategic"];

export const patchMediaTypes: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

export interface DecodedPatch {
  readonly type: PatchType;
  /** The patch as sent: a list for `json`, otherwise normally an object. */
  readonly patch: unknown;
  /** `duplicate field "…"`, one a repeated key. */
  readonly problems: readonly string[];
}

/** @throws StatusError 400 (malformed), 413, 415 (a patch type that is not in `served`) */
export function decodePatch(request: ApiRequest, served: readonly PatchType[] = servedPatchTypes): DecodedPatch {
  const mediaType = parseMediaType(request.headers["content-type"] ?? "").type;
  const type = served.find((candidate) => patchMediaTypes[candidate] === mediaType);
  if (type === undefined) throw unsupportedMediaType(served.map((candidate) => patchMediaTypes[candidate]));
  if (request.body?.kind === "object") return { type, patch: request.body.object, problems: [] };
  const bytes = boundedBytes(request.body?.bytes ?? new Uint8Array());
  try {
    const { value, duplicates } = parseText(bytes, type === "apply" ? "yaml" : "json");
    return { type, patch: value, problems: duplicates };
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw badRequest(`error decoding patch: ${error.message}`);
    if (error instanceof YamlError) throw badRequest(`error decoding YAML: ${error.message}`);
    throw error;
  }
}
