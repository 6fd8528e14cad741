// One request object, one door. In one process a client's call is this object handed to the API server; over the network the host
// builds the same object from HTTP. Both the client (which sends it) and the API server (which answers it) know only this file.

import type { StreamSession } from "./stream-session.ts";

/** Who asks, after authentication (api-machinery 9.1). */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Any JSON object that an API speaks of. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

export interface ApiRequest {
  /** Upper case. */
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS";
  /** Path without the query, still percent-encoded: `/api/v1/namespaces/default/pods/web`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. Repeated headers are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly user: UserInfo;
  /**
   * The body. In-process callers hand over an object, which the server never changes and which they must not change afterwards; the
   * network hands over bytes, to be decoded by the `content-type` header.
   */
  readonly body?:
    | { readonly kind: "object"; readonly object: JsonObject | readonly unknown[] }
    | { readonly kind: "bytes"; readonly bytes: Uint8Array };
  /** Aborted when the caller no longer waits (connection gone, time-out). */
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  /** HTTP status code. */
  readonly status: number;
  /** Lower-case names; `warning` may hold several values. `content-type` is always there when there is a body. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: ApiBody;
}

export type ApiBody =
  | { readonly kind: "empty" }
  /** A JSON document. `json()` is made on first use and kept; in-process callers read `object` and never pay for it. */
  | { readonly kind: "object"; readonly object: JsonObject; json(): string }
  /** Anything textual or binary that is already encoded: YAML, protobuf, OpenAPI, metrics, `ok`. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "watch"; readonly watch: WatchStream }
  /** A stream of raw bytes (container logs). Ends normally or throws. */
  | { readonly kind: "byteStream"; readonly chunks: AsyncIterable<Uint8Array> }
  /** Streams both ways: the connection is to be upgraded (exec, attach, portforward). The status says what a client that cannot do that is told. */
  | { readonly kind: "session"; readonly session: StreamSession };

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

/** One change. The same event object is shared by all watchers of the same representation. */
export interface WatchEvent<T = JsonObject> {
  readonly type: WatchEventType;
  readonly object: T;
  /** `{"type":…,"object":…}` and a newline, made once for all receivers. */
  line(): string;
}

/**
 * A running watch. Events are pushed, in order, never coalesced (api-machinery 4.2). `start` is called once by whoever receives them; events that
 * came before are delivered inside the call. After `ended` nothing more comes.
 */
export interface WatchStream {
  start(receiver: WatchReceiver): void;
  /** The receiver no longer wants it; frees the watcher. May be called at any time, more than once. */
  stop(): void;
}

export interface WatchReceiver {
  event(event: WatchEvent): void;
  /** The watch is over: time-out, error event sent, server shutting down. */
  ended(): void;
}

/** Answers one request. Never rejects for a bad request: that is a response with a Status object. */
export type RequestHandler = (request: ApiRequest) => Promise<ApiResponse>;
