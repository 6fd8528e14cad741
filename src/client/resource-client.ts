// The way in for everyone who is not the API server: typed calls over whatever transport leads there. Failures arrive as StatusError
// (../api/wire/status-error.ts) with the upstream reason, whether the call went through a socket or a function.

import type { JsonObject, WatchEventType } from "../api/wire/request.ts";

/** Names one resource of the API: `{ group: "", version: "v1", resource: "pods", namespaced: true, kind: "Pod" }`. */
export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** What every stored object has. */
export interface StoredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface ListResult<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

export interface TypedWatchEvent<T> {
  readonly type: WatchEventType;
  /** For ERROR this is a Status. */
  readonly object: T;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

export type PatchType = "json" | "merge" | "strategic";

/** One resource, typed. `namespace` is given exactly for namespaced resources. Objects that come back are read-only. */
export interface ResourceClient<T> {
  readonly ref: ResourceRef;
  get(name: string, namespace?: string): Promise<T>;
  list(options?: ListOptions): Promise<ListResult<T>>;
  create(object: JsonObject, namespace?: string): Promise<T>;
  update(object: T): Promise<T>;
  /** PUT to `/status`. */
  updateStatus(object: T): Promise<T>;
  patch(name: string, namespace: string | undefined, type: PatchType, patch: unknown, subresource?: string): Promise<T>;
  delete(name: string, namespace?: string, options?: DeleteOptions): Promise<void>;
  /** POST to a subresource (binding, eviction). */
  createSubresource(
    name: string,
    namespace: string | undefined,
    subresource: string,
    body: JsonObject,
  ): Promise<JsonObject>;
  /** PUT to a subresource that replaces (finalize). */
  updateSubresource(name: string, namespace: string | undefined, subresource: string, body: JsonObject): Promise<T>;
  /**
   * Pushes changes after `resourceVersion` until stopped. `closed` is called once when the stream ends by itself (time-out, error event delivered before, server
   * gone); not after `stop`. Rejects with StatusError if the watch cannot begin.
   */
  watch(
    options: {
      readonly namespace?: string;
      readonly labelSelector?: string;
      readonly fieldSelector?: string;
      readonly resourceVersion?: string;
    },
    receiver: { event(event: TypedWatchEvent<T>): void; closed(): void },
  ): Promise<{ stop(): void }>;
}
