// From the body of a request to an object of the API. Whatever arrives, the answer is an object of the expected kind or a StatusError.

import { decodeEnvelope, decodeMessage, hasProtobuf } from "../../api/protobuf/decode.ts";
import { ProtobufError } from "../../api/protobuf/wire-reader.ts";
import { apiVersionOf, parseApiVersion } from "../../api/kinds.ts";
import { decodeObject, UnmarshalError } from "../../api/schema/decode-object.ts";
import type { GroupVersionKind, Schema } from "../../api/schema/schema.ts";
import { rootSchema } from "../../api/schema/schemas.ts";
import type { DeleteOptions } from "../../api/generated/meta-v1.ts";
import type { ApiRequest, JsonObject } from "../../api/wire/request.ts";
import { badRequest, requestEntityTooLarge, type StatusError } from "../../api/wire/status-error.ts";
import { JsonSyntaxError, scanJson } from "../../api/wire/json-scan.ts";
import { bodyEncoding, type BodyEncoding } from "./media-types.ts";
import { parseYaml, YamlError } from "../../api/wire/yaml-text.ts";

/** The largest body that is read (api-machinery 12.3). */
export const bodyLimitBytes = 3 * 1024 * 1024;

/** What to do about unknown and duplicate fields (api-machinery 3.6). */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

export interface DecodedBody {
  /** Of the expected kind, with apiVersion and kind, without anything its schema does not know. */
  readonly object: JsonObject;
  /** Texts for `Warning` headers: what was ignored. */
  readonly warnings: readonly string[];
}

/**
 * The object in the body. A body without apiVersion and kind takes both from the URL, that is from `expected`.
 * @throws StatusError 400 (malformed, of another kind or version, strict errors), 413, 415
 */
export function decodeBody(
  request: ApiRequest,
  expected: GroupVersionKind,
  fieldValidation: FieldValidation,
): DecodedBody {
  const parsed = parseBody(request, expected);
  const { object, problems } = decodeParsed(parsed, expected);
  if (problems.length === 0 || fieldValidation === "Ignore") return { object, warnings: [] };
  if (fieldValidation === "Strict") throw strictDecodingError(expected, problems);
  return { object, warnings: problems };
}

/**
 * The options in the body of a DELETE; undefined without a body. Any group's version of DeleteOptions will do.
 * @throws StatusError 400, 413, 415
 */
export function decodeDeleteOptions(request: ApiRequest): DeleteOptions | undefined {
  if (isEmpty(request)) return undefined;
  const expected = { group: "", version: "v1", kind: "DeleteOptions" };
  const parsed = parseBody(request, expected);
  const value =
    isObject(parsed.value) && parsed.value["kind"] === "DeleteOptions"
      ? { ...parsed.value, apiVersion: "v1" }
      : parsed.value;
  return decodeParsed({ ...parsed, value }, expected).object as unknown as DeleteOptions;
}

/**
 * An object that was made inside the server from what a client sent (a patched object): the same shape, and the problems to judge.
 * @param present the object that was patched: what the patch left alone is not read again
 * @throws StatusError 400 with the words of a body of the wrong type
 */
export function decodeValue(
  value: unknown,
  expected: GroupVersionKind,
  present?: JsonObject,
): { readonly object: JsonObject; readonly problems: readonly string[] } {
  return decodeParsed({ value, duplicates: [], source: undefined }, expected, present);
}

/** Whether the request brought no body, or an empty one. */
export function isEmpty(request: ApiRequest): boolean {
  return request.body === undefined || (request.body.kind === "bytes" && request.body.bytes.length === 0);
}

/** The refusal of a body with unknown or duplicate fields. */
export function strictDecodingError({ kind, version }: GroupVersionKind, problems: readonly string[]): StatusError {
  return badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${problems.join(", ")}`,
  );
}

export interface ParsedBody {
  readonly value: unknown;
  /** Duplicate fields, worded as problems. */
  readonly duplicates: readonly string[];
  /** The bytes, for errors that quote them. */
  readonly source: Uint8Array | undefined;
}

/** A JSON or YAML text as a value, without looking at what it means. @throws JsonSyntaxError, YamlError */
export function parseText(
  bytes: Uint8Array,
  encoding: "json" | "yaml",
): { readonly value: unknown; readonly duplicates: readonly string[] } {
  const text = decoder.decode(bytes);
  if (encoding === "json") {
    const duplicates = scanJson(text);
    return { value: JSON.parse(text) as unknown, duplicates: duplicates.map((path) => `duplicate field "${path}"`) };
  }
  const { value, duplicates } = parseYaml(text);
  return {
    value,
    duplicates:
      duplicates.length === 0
        ? []
        : [`yaml: unmarshal errors:\n${duplicates.map((problem) => `  ${problem}`).join("\n")}`],
  };
}

/** The bytes of a body that is small enough. @throws StatusError 413 */
export function boundedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length > bodyLimitBytes) throw requestEntityTooLarge(bodyLimitBytes);
  return bytes;
}

const decoder = new TextDecoder();

function parseBody(request: ApiRequest, expected: GroupVersionKind): ParsedBody {
  if (request.body?.kind === "object") return { value: request.body.object, duplicates: [], source: undefined };
  const bytes = boundedBytes(request.body?.bytes ?? new Uint8Array());
  const encoding = bodyEncoding(request);
  try {
    return { ...parseBytes(bytes, encoding), source: bytes };
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw unrecognized(expected, `couldn't get version/kind; json parse error: ${error.message}`, bytes);
    if (error instanceof YamlError || error instanceof ProtobufError)
      throw unrecognized(expected, error.message, bytes);
    throw error;
  }
}

function parseBytes(
  bytes: Uint8Array,
  encoding: BodyEncoding,
): { readonly value: unknown; readonly duplicates: readonly string[] } {
  return encoding === "protobuf" ? { value: parseProtobuf(bytes), duplicates: [] } : parseText(bytes, encoding);
}

function parseProtobuf(bytes: Uint8Array): JsonObject {
  const { apiVersion, kind, raw } = decodeEnvelope(bytes);
  const schema = rootSchema({ ...parseApiVersion(apiVersion), kind }) ?? optionsSchema(kind);
  if (schema === undefined || !hasProtobuf(schema.name)) throw new ProtobufError(noKind(apiVersion, kind));
  return { apiVersion, kind, ...decodeMessage(schema.name, raw) };
}

/** DeleteOptions belong to every group. */
function optionsSchema(kind: string): Schema | undefined {
  return kind === "DeleteOptions" ? rootSchema({ group: "", version: "v1", kind }) : undefined;
}

function decodeParsed(
  parsed: ParsedBody,
  expected: GroupVersionKind,
  present?: JsonObject,
): { readonly object: JsonObject; readonly problems: readonly string[] } {
  const { value } = parsed;
  if (!isObject(value)) throw notAnObject(value, expected, parsed.source);
  checkKind(value, expected);
  const schema = rootSchema(expected);
  if (schema === undefined) throw new RangeError(`no schema for ${apiVersionOf(expected)} ${expected.kind}`);
  try {
    const { object, unknownFields } = decodeObject(value, schema, present);
    const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
    const problems = [...parsed.duplicates, ...unknownFields.map((path) => `unknown field "${path}"`)];
    return { object: { apiVersion: apiVersionOf(expected), kind: expected.kind, ...rest }, problems };
  } catch (error) {
    if (error instanceof UnmarshalError)
      throw cannotBeHandled(expected.kind, expected.version, expected, error.message);
    throw error;
  }
}

/** The body must be of the kind that the URL speaks of, or not say of which it is. */
function checkKind(value: JsonObject, expected: GroupVersionKind): void {
  const apiVersion = textOf(value, "apiVersion", "json: cannot unmarshal");
  const kind = textOf(value, "kind", "json: cannot unmarshal");
  const wanted = apiVersionOf(expected);
  const found = {
    ...parseApiVersion(apiVersion === "" ? wanted : apiVersion),
    kind: kind === "" ? expected.kind : kind,
  };
  if (apiVersionOf(found) === wanted && found.kind === expected.kind) return;
  if (rootSchema(found) === undefined) {
    throw cannotBeHandled(found.kind, found.version, expected, noKind(apiVersionOf(found), found.kind));
  }
  if (apiVersionOf(found) !== wanted) {
    throw badRequest(
      `the API version in the data (${apiVersionOf(found)}) does not match the expected API version (${wanted})`,
    );
  }
  const go = `${found.version}.${found.kind}`;
  throw cannotBeHandled(
    found.kind,
    found.version,
    expected,
    `converting (${go}) to (${internalName(expected)}): unknown conversion`,
  );
}

function textOf(value: JsonObject, field: string, problem: string): string {
  const text = value[field];
  if (text === undefined || text === null) return "";
  if (typeof text === "string") return text;
  const found = Array.isArray(text) ? "array" : typeof text === "boolean" ? "bool" : typeof text;
  throw badRequest(
    `couldn't get version/kind; json parse error: ${problem} ${found} into Go struct field .${field} of type string`,
  );
}

/** Go's name of the unversioned type. */
function internalName({ group, kind }: GroupVersionKind): string {
  return `${group === "" ? "core" : (group.split(".")[0] as string)}.${kind}`;
}

function noKind(apiVersion: string, kind: string): string {
  return `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`;
}

function cannotBeHandled(kind: string, version: string, expected: GroupVersionKind, why: string): StatusError {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${expected.kind}: ${why}`);
}

function notAnObject(value: unknown, expected: GroupVersionKind, source: Uint8Array | undefined): StatusError {
  const found = Array.isArray(value)
    ? "array"
    : typeof value === "boolean"
      ? "bool"
      : value === null
        ? "null"
        : typeof value;
  const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
  return unrecognized(expected, why, source ?? new Uint8Array());
}

function unrecognized(expected: GroupVersionKind, why: string, source: Uint8Array): StatusError {
  return badRequest(
    `the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summaryOf(source)})`,
  );
}

/** The beginning of a body as errors quote it: text when it looks like JSON, hexadecimal otherwise. */
function summaryOf(source: Uint8Array): string {
  const limit = 30;
  if (source.length === 0) return "<empty>";
  const more = source.length > limit ? " ..." : "";
  const head = source.subarray(0, limit);
  if (source[0] === 0x7b) return decoder.decode(head) + more;
  return Array.from(head, (byte) => byte.toString(16).padStart(2, "0")).join("") + more;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
