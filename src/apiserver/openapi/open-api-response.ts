// `/openapi/v3`, its documents, and `/openapi/v2` (api-machinery 1.5, 1.6). Documents are made on the first request for any of them.

import type { ResourceKind } from "../../api/kinds.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../../api/wire/request.ts";
import { contentHash } from "../../base/content-hash.ts";
import { after, formatHttpDate, hours, type Instant } from "../../base/time.ts";
import { parseAccept } from "../codec/media-types.ts";
import { pageNotFound } from "../discovery/discovery-response.ts";
import type { Descriptions } from "./components.ts";
import { openApiV2, openApiV3Documents } from "./documents.ts";
import { encodeOpenApiV2 } from "./encode-v2.ts";

/**
 * The answer to a request below `/openapi`; undefined for any other path.
 * @param now for the date until which a document under its own hash may be kept
 */
export async function openApiResponse(
  request: ApiRequest,
  kinds: readonly ResourceKind[],
  now: Instant,
): Promise<ApiResponse | undefined> {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  const path = request.path.replace(/\/+$/, "");
  if (path === "/openapi/v3") return indexResponse(request, await documentsOf(kinds));
  if (path.startsWith("/openapi/v3/"))
    return documentResponse(request, await documentsOf(kinds), path.slice("/openapi/v3/".length), now);
  if (path === "/openapi/v2") return v2Response(request, await documentsOf(kinds));
  return undefined;
}

interface TaggedText {
  readonly text: string;
  readonly hash: string;
}

/** What was made from one table of resources. */
interface OpenApiDocuments {
  readonly index: TaggedText & { readonly object: JsonObject };
  readonly v3: ReadonlyMap<string, TaggedText & { readonly object: JsonObject }>;
  v2(): TaggedText & { readonly object: JsonObject; protobuf(): Uint8Array };
}

const made = new WeakMap<readonly ResourceKind[], Promise<OpenApiDocuments>>();

function documentsOf(kinds: readonly ResourceKind[]): Promise<OpenApiDocuments> {
  const known = made.get(kinds);
  if (known !== undefined) return known;
  const making = makeDocuments(kinds);
  made.set(kinds, making);
  return making;
}

async function makeDocuments(kinds: readonly ResourceKind[]): Promise<OpenApiDocuments> {
  // Half a megabyte of text that nothing else needs.
  const texts = await import("../../api/generated/descriptions.ts");
  const descriptions = JSON.parse(texts.descriptions) as Descriptions;
  const v3 = new Map([...openApiV3Documents(kinds, descriptions)].map(([path, document]) => [path, tagged(document)]));
  const paths = Object.fromEntries(
    [...v3].map(([path, { hash }]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }]),
  );
  let v2: ReturnType<OpenApiDocuments["v2"]> | undefined;
  return {
    index: tagged({ paths }),
    v3,
    v2: () => {
      v2 ??= taggedV2(openApiV2(kinds, descriptions));
      return v2;
    },
  };
}

function tagged(object: JsonObject): TaggedText & { readonly object: JsonObject } {
  const text = JSON.stringify(object);
  return { object, text, hash: contentHash(text) };
}

function taggedV2(object: JsonObject): ReturnType<OpenApiDocuments["v2"]> {
  let protobuf: Uint8Array | undefined;
  return {
    ...tagged(object),
    protobuf: () => {
      protobuf ??= encodeOpenApiV2(object);
      return protobuf;
    },
  };
}

function indexResponse(request: ApiRequest, { index }: OpenApiDocuments): ApiResponse {
  return acceptsJson(request) ? json(request, index, {}) : notAcceptable;
}

function documentResponse(request: ApiRequest, documents: OpenApiDocuments, path: string, now: Instant): ApiResponse {
  const document = documents.v3.get(path);
  if (document === undefined) return pageNotFound();
  const hash = request.query.get("hash");
  if (hash !== null && hash !== document.hash) {
    // The client read an older index: this is where the document is now.
    return {
      status: 301,
      headers: { location: `/openapi/v3/${path}?hash=${document.hash}`, vary: "Accept" },
      body: { kind: "empty" },
    };
  }
  if (!acceptsJson(request)) return notAcceptable;
  const yearAhead = formatHttpDate(after(now, hours(365 * 24)));
  return json(request, document, hash === null ? {} : { "cache-control": "public, immutable", expires: yearAhead });
}

const v2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/** The spelling that clients use, though `@` has no place in a media type. */
const v2ProtobufOld = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

function v2Response(request: ApiRequest, documents: OpenApiDocuments): ApiResponse {
  for (const { type } of acceptedTypes(request)) {
    if (type === v2Protobuf || type === v2ProtobufOld) {
      const v2 = documents.v2();
      return withTag(request, v2.hash, { "content-type": v2Protobuf }, () => ({ kind: "bytes", bytes: v2.protobuf() }));
    }
    if (isJson(type)) return json(request, documents.v2(), {});
  }
  return notAcceptable;
}

function json(
  request: ApiRequest,
  document: TaggedText & { readonly object: JsonObject },
  more: Readonly<Record<string, string>>,
): ApiResponse {
  const headers = { "content-type": "application/json", ...more };
  return withTag(request, document.hash, headers, () => ({
    kind: "object",
    object: document.object,
    json: () => document.text,
  }));
}

function withTag(
  request: ApiRequest,
  hash: string,
  headers: Readonly<Record<string, string>>,
  body: () => ApiResponse["body"],
): ApiResponse {
  const etag = `"${hash}"`;
  if (request.headers["if-none-match"] === etag)
    return { status: 304, headers: { etag, vary: "Accept" }, body: { kind: "empty" } };
  return { status: 200, headers: { ...headers, etag, vary: "Accept" }, body: body() };
}

const notAcceptable: ApiResponse = { status: 406, headers: {}, body: { kind: "empty" } };

function acceptsJson(request: ApiRequest): boolean {
  return acceptedTypes(request).some(({ type }) => isJson(type));
}

function acceptedTypes(request: ApiRequest): readonly { readonly type: string }[] {
  const header = request.headers["accept"] ?? "";
  return header.trim() === "" ? [{ type: "application/json" }] : parseAccept(header);
}

function isJson(type: string): boolean {
  return type === "application/json" || type === "application/*" || type === "*/*";
}
