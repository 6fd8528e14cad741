// The grammar of the API's paths (api-machinery 3.1): a fixed one, so no router is needed.

import { badRequest } from "../api/wire/status-error.ts";

/** What below `/api/v1` or `/apis/<group>/<version>` a path names. */
export interface ResourcePath {
  /** Empty for core. */
  readonly group: string;
  readonly version: string;
  /** Empty for cluster-scoped resources and for all namespaces. */
  readonly namespace: string;
  readonly resource: string;
  /** Empty for the collection. */
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** What follows the subresource. */
  readonly tail: readonly string[];
  /** The old form of a watch, `/api/v1/watch/…`. */
  readonly isWatch: boolean;
}

/**
 * Reads a path, still percent-encoded.
 * @returns undefined if it does not lead to a resource (discovery, health, version, nothing)
 * @throws StatusError BadRequest for an encoding that cannot be read
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const segments = path.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop(); // a trailing slash means the same
  if (segments.includes("")) return undefined;
  const [root, ...rest] = segments.map(decoded);
  if (root === "api") return resourcePath("", rest[0], rest.slice(1));
  if (root === "apis") return resourcePath(rest[0] ?? "", rest[1], rest.slice(2));
  return undefined;
}

function resourcePath(group: string, version: string | undefined, all: readonly string[]): ResourcePath | undefined {
  const isWatch = all[0] === "watch" && all.length > 1;
  const parts = isWatch ? all.slice(1) : all;
  const [first, second, third] = parts;
  if (version === undefined || first === undefined) return undefined;
  const isInNamespace = first === "namespaces" && second !== undefined && third !== undefined;
  if (isInNamespace && !(parts.length === 3 && namespaceSubresources.has(third))) {
    return below({ group, version, isWatch, namespace: second }, third, parts.slice(3));
  }
  return below({ group, version, isWatch, namespace: "" }, first, parts.slice(1));
}

const namespaceSubresources: ReadonlySet<string> = new Set(["status", "finalize"]);

function below(
  at: Pick<ResourcePath, "group" | "version" | "isWatch" | "namespace">,
  resource: string,
  rest: readonly string[],
): ResourcePath {
  const { group, version, isWatch, namespace } = at;
  const [name = "", subresource = ""] = rest;
  return { group, version, isWatch, namespace, resource, name, subresource, tail: rest.slice(2) };
}

function decoded(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) throw badRequest(`invalid URL escape in ${JSON.stringify(segment)}`);
    throw error;
  }
}
