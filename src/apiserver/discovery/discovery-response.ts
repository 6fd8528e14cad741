// The answers about what this server serves: `/version`, `/`, `/api…` and `/apis…` down to the group version (api-machinery 1.1-1.3).

import type { ResourceKind } from "../../api/kinds.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../../api/wire/request.ts";
import { contentHash } from "../../base/content-hash.ts";
import { objectResponse } from "../codec/encode.ts";
import { negotiate, parseAccept } from "../codec/media-types.ts";
import { aggregatedDiscovery, coreVersions, groupDocument, groupList, resourceList, rootPaths } from "./documents.ts";
import { versionDocument } from "./version.ts";

/**
 * The answer to a discovery request; undefined when the path is not one of discovery's (so it is a resource, or nothing). A group or version
 * that is not served is answered here, with 404.
 * @param otherPaths further paths for the list at `/`: `/healthz` and the like
 * @throws StatusError 406
 */
export function discoveryResponse(
  request: ApiRequest,
  kinds: readonly ResourceKind[],
  otherPaths: readonly string[] = [],
): ApiResponse | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  const [root, group, version, ...rest] = request.path.split("/").filter((segment) => segment !== "");
  switch (root) {
    case undefined:
      return legacy(request, rootPaths(kinds, otherPaths));
    case "version":
      return group === undefined ? legacy(request, versionDocument) : undefined;
    case "api":
      if (version !== undefined) return undefined;
      if (group === undefined) return rootDocument(request, kinds, "api");
      return orNotFound(request, resourceList(kinds, { group: "", version: group }));
    case "apis":
      if (request.path === customResourcesPath) return legacy(request, noCustomResources);
      if (rest.length > 0) return undefined;
      if (group === undefined) return rootDocument(request, kinds, "apis");
      if (version === undefined) return orNotFound(request, groupDocument(kinds, group));
      return orNotFound(request, resourceList(kinds, { group, version }));
    default:
      return undefined;
  }
}

/** Before it calls a kind unknown, kubectl looks whether somebody has defined it, and takes anything but a list for a broken server. */
const customResourcesPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const noCustomResources: JsonObject = {
  kind: "CustomResourceDefinitionList",
  apiVersion: "apiextensions.k8s.io/v1",
  metadata: { resourceVersion: "1" },
  items: [],
};

/** What upstream answers below a path that nothing serves. */
export function pageNotFound(): ApiResponse {
  return {
    status: 404,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: { kind: "text", text: "404 page not found\n" },
  };
}

function orNotFound(request: ApiRequest, document: JsonObject | undefined): ApiResponse {
  return document === undefined ? pageNotFound() : legacy(request, document);
}

function legacy(request: ApiRequest, document: JsonObject): ApiResponse {
  return objectResponse(200, document, negotiate(request));
}

/** `/api` and `/apis` come in two forms; which one is the client's wish, and the content type tells it which it got. */
function rootDocument(request: ApiRequest, kinds: readonly ResourceKind[], root: "api" | "apis"): ApiResponse {
  const version = aggregatedVersion(request);
  if (version !== undefined) return aggregated(request, kinds, root, version);
  const address = request.headers["host"] ?? request.headers[":authority"] ?? "localhost";
  const response = legacy(request, root === "api" ? coreVersions(kinds, address) : groupList(kinds));
  return { ...response, headers: { ...response.headers, vary: "Accept" } };
}

function aggregated(
  request: ApiRequest,
  kinds: readonly ResourceKind[],
  root: "api" | "apis",
  version: "v2" | "v2beta1",
): ApiResponse {
  const document = aggregatedDiscovery(kinds, root, version);
  const json = JSON.stringify(document);
  const etag = `"${contentHash(json)}"`;
  const headers = { etag, vary: "Accept", "cache-control": "public" };
  if (request.headers["if-none-match"] === etag) return { status: 304, headers, body: { kind: "empty" } };
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  return {
    status: 200,
    headers: { ...headers, "content-type": contentType },
    body: { kind: "object", object: document, json: () => json },
  };
}

/** The first clause that this server can answer decides. */
function aggregatedVersion(request: ApiRequest): "v2" | "v2beta1" | undefined {
  for (const { type, parameters } of parseAccept(request.headers["accept"] ?? "")) {
    if (type !== "application/json" && type !== "application/yaml" && !type.includes("*")) continue;
    if (parameters.get("as") === undefined) return undefined;
    if (
      type !== "application/json" ||
      parameters.get("as") !== "APIGroupDiscoveryList" ||
      parameters.get("g") !== "apidiscovery.k8s.io"
    )
      continue;
    const version = parameters.get("v");
    if (version === "v2" || version === "v2beta1") return version;
  }
  return undefined;
}
