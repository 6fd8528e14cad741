// What can be asked of an object beyond reading and writing it: binding, eviction, logs, streams. Subresources that are written like their object
// (status, finalize) need none of this: they are update strategies.

import type { GroupVersionKind } from "../../api/schema/schema.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../../api/wire/request.ts";
import type { ApiObject } from "./api-object.ts";
import type { Registry } from "./registry.ts";
import type { RequestContext } from "./request-context.ts";
import type { ResourceDefinition } from "./resource-definition.ts";

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

/** A subresource with a shape of its own, made from its object and written back into it. */
export interface ProjectedSubresource {
  readonly kind: GroupVersionKind;
  project(object: ApiObject): ApiObject;
  /** The object with what the sent projection says; its resourceVersion is the projection's. @throws StatusError Invalid, Conflict */
  merge(sent: ApiObject, object: ApiObject, definition: ResourceDefinition): ApiObject;
  /** What the client is told of a failure to reach the object. */
  failure(error: unknown, name: string, definition: ResourceDefinition): unknown;
}

/** GET and POST alike: the connection is to become streams. */
export interface ConnectableSubresource {
  connect(request: SubresourceRequest): Promise<ApiResponse>;
}
