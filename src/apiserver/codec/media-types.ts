// Which form a client wants its answer in, and which form its body has (api-machinery 2.1, 2.3).

import type { ApiRequest } from "../../api/wire/request.ts";
import { notAcceptable, unsupportedMediaType } from "../../api/wire/status-error.ts";

/** What the body of an answer says about the object. */
export type RepresentationKind = "object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";

/** The form of an answer. */
export interface Representation {
  readonly encoding: "json" | "yaml";
  readonly as: RepresentationKind;
  /** Of the group meta.k8s.io: what the `apiVersion` of a Table or of partial metadata says. */
  readonly version: "v1" | "v1beta1";
  /** JSON for human eyes. */
  readonly pretty: boolean;
}

export interface Acceptable {
  /** Which representations beside the object itself this answer has. */
  readonly as?: readonly Exclude<RepresentationKind, "object">[];
  /** A watch: events are JSON documents one after the other, which YAML cannot be. */
  readonly stream?: boolean;
}

/** What this server can write. */
export const responseMediaTypes: readonly string[] = ["application/json", "application/yaml"];
/** What this server can read as an object. */
export const bodyMediaTypes: readonly string[] = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
];

/** A media type with its parameters, all in lower case except the parameters' values. */
export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * The first form in `Accept` that this answer has. Quality values only say what is not wanted at all (`q=0`): clients order their wishes.
 * @throws StatusError 406
 */
export function negotiate(request: Pick<ApiRequest, "headers" | "query">, acceptable: Acceptable = {}): Representation {
  const header = request.headers["accept"] ?? "";
  if (header.trim() === "") return { encoding: "json", as: "object", version: "v1", pretty: isPretty(request) };
  for (const clause of parseAccept(header)) {
    const representation = representationOf(clause, acceptable);
    if (representation !== undefined) return { ...representation, pretty: isPretty(request) };
  }
  throw notAcceptable(acceptable.stream === true ? ["application/json"] : responseMediaTypes);
}

/** The clauses of an `Accept` header in order, without those of quality 0. */
export function parseAccept(header: string): readonly MediaType[] {
  return header
    .split(",")
    .map(parseMediaType)
    .filter((clause) => clause.type !== "" && !isRefused(clause));
}

/** `application/json;charset=utf-8` in its parts. */
export function parseMediaType(text: string): MediaType {
  const [type = "", ...rest] = text.split(";");
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const equals = parameter.indexOf("=");
    if (equals === -1) continue;
    parameters.set(
      parameter.slice(0, equals).trim().toLowerCase(),
      parameter
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, "$1"),
    );
  }
  return { type: type.trim().toLowerCase(), parameters };
}

export type BodyEncoding = "json" | "yaml" | "protobuf";

/** How the body is written; no `Content-Type` means JSON. @throws StatusError 415 */
export function bodyEncoding(request: Pick<ApiRequest, "headers">): BodyEncoding {
  const header = request.headers["content-type"] ?? "";
  switch (parseMediaType(header).type) {
    case "":
    case "application/json":
      return "json";
    case "application/yaml":
      return "yaml";
    case "application/vnd.kubernetes.protobuf":
      return "protobuf";
    default:
      throw unsupportedMediaType(bodyMediaTypes);
  }
}

/** `pretty` in the query, or a client that shows its answers to a person. */
function isPretty(request: Pick<ApiRequest, "headers" | "query">): boolean {
  const pretty = request.query.get("pretty");
  if (pretty !== null) return queryBoolean(pretty);
  return /^(?:curl|Wget|Mozilla)/.test(request.headers["user-agent"] ?? "");
}

/** A boolean in a query: `false` in any case and `0` are false, everything else, also nothing, is true (api-machinery 2.3). */
export function queryBoolean(text: string | null): boolean {
  return text !== null && text !== "0" && text.toLowerCase() !== "false";
}

function representationOf(clause: MediaType, acceptable: Acceptable): Omit<Representation, "pretty"> | undefined {
  const encoding = encodingOf(clause.type);
  if (encoding === undefined || (encoding === "yaml" && acceptable.stream === true)) return undefined;
  const as = clause.parameters.get("as");
  if (as === undefined) return { encoding, as: "object", version: "v1" };
  const version = clause.parameters.get("v");
  if (clause.parameters.get("g") !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return undefined;
  const offered = acceptable.as?.find((kind) => kind === as);
  return offered === undefined ? undefined : { encoding, as: offered, version };
}

function encodingOf(type: string): Representation["encoding"] | undefined {
  switch (type) {
    case "application/json":
    case "application/*":
    case "*/*":
      return "json";
    case "application/yaml":
      return "yaml";
    default:
      return undefined;
  }
}

function isRefused({ parameters }: MediaType): boolean {
  const quality = parameters.get("q");
  return quality !== undefined && Number(quality) === 0;
}
