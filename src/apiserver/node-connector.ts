// How the API server reaches into a node for what only its kubelet can tell: container logs. The composition root gives the one for its nodes: in
// one process a function call, for a joined machine HTTPS to its kubelet.

import type { Instant } from "../base/time.ts";

export interface ContainerLogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly since?: Instant;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

/** `refused` carries the kubelet's plain text and HTTP code (400 or 500; pod-lifecycle 3.7). */
export type ContainerLogAnswer =
  | { readonly kind: "log"; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

export interface NodeConnector {
  containerLogs(nodeName: string, request: ContainerLogRequest): Promise<ContainerLogAnswer>;
}
