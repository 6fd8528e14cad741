// What can be asked of an object beyond reading and writing it: binding, eviction, logs, streams. Subresources that are written like their object
// (status, finalize) need none of this: they are update strategies.

import type { ApiRequest, ApiResponse, JsonObject } from "../../api/wire/request.ts";
import type { Registry } from "./registry.ts";
import type { RequestContext } from "./request-context.ts";

export interface SubresourceRequest {
  readonly registry: Registry;
  readonly namespace: string;
  readonly name: string;
  readonly request: ApiRequest;
  readonly context: RequestContext;
}

/** POST to a subresource. */
export interface CreatableSubresource {
  /** The kind of the body. */
  readonly bodyKind: { readonly group: string; readonly version: string; readonly kind: string };
  create(request: SubresourceRequest, body: JsonObject): Promise<ApiResponse>;
}

/** GET of a subresource that is no object. */
export interface ReadableSubresource {
  get(request: SubresourceRequest): Promise<ApiResponse>;
}

/** GET and POST alike: the connection is to become streams. */
export interface ConnectableSubresource {
  connect(request: SubresourceRequest): Promise<ApiResponse>;
}
