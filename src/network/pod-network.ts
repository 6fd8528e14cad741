// What a node can do over its network on behalf of its Pods: the calls that probes and hooks make. The host makes them for real; the simulated
// network lets declared behaviours answer. Addresses themselves come from the runtime's sandboxes.

import type { Millis } from "../base/time.ts";

export interface HttpProbeRequest {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** Path with query, beginning with `/`. */
  readonly path: string;
  /** In order; a name may come more than once. `host` sets the request's host. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** For the whole exchange, redirects included. */
  readonly timeout: Millis;
  /** Bytes of the body to keep at most; the rest is dropped. */
  readonly bodyLimit: number;
  /** Follow redirects to the same host name, at most 10 (pod-lifecycle 6.4). */
  readonly followRedirects: boolean;
}

export type HttpProbeAnswer =
  /** `location` is set when the answer is a redirect that was not followed because it leads to another host. */
  | { readonly kind: "answered"; readonly status: number; readonly body: string; readonly redirectedElsewhere: boolean }
  /** An HTTPS request got a plain HTTP answer (hooks retry then). */
  | { readonly kind: "plainHttpOnTls"; readonly error: string }
  /** No answer; `error` is worded as Go's client words it (pod-lifecycle 6.4). */
  | { readonly kind: "failed"; readonly error: string };

export type TcpProbeAnswer = { readonly kind: "connected" } | { readonly kind: "failed"; readonly error: string };

export type GrpcHealthAnswer =
  | { readonly kind: "answered"; readonly status: "SERVING" | "NOT_SERVING" | "UNKNOWN" | "SERVICE_UNKNOWN" }
  /** `error` is worded as pod-lifecycle 6.7 has it. */
  | { readonly kind: "failed"; readonly error: string };

/** The node's side of the Pod network. Calls never reject for what the other side does; they report it. */
export interface PodNetwork {
  httpGet(request: HttpProbeRequest): Promise<HttpProbeAnswer>;
  tcpConnect(host: string, port: number, timeout: Millis): Promise<TcpProbeAnswer>;
  grpcHealth(host: string, port: number, service: string, timeout: Millis): Promise<GrpcHealthAnswer>;
}
