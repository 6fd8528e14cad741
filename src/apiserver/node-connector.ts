// How the API server reaches into a node for what only its kubelet can give: container logs and streams. The composition root gives the one for its nodes: in
// one process a function call, for a joined machine HTTPS to its kubelet.

import type { StreamSession } from "../api/wire/stream-session.ts";
import type { Instant, Millis } from "../base/time.ts";

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

/** Streams into a Pod, as the API server has understood the request. */
export type PodStreamRequest =
  | {
      readonly kind: "exec";
      readonly pod: PodReference;
      readonly container: string;
      readonly command: readonly string[];
      readonly streams: WantedStreams;
    }
  | {
      readonly kind: "attach";
      readonly pod: PodReference;
      readonly container: string;
      readonly streams: WantedStreams;
    }
  | { readonly kind: "portforward"; readonly pod: PodReference; readonly ports: readonly number[] };

export interface PodReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** `refused` carries the kubelet's plain text and HTTP code. */
export type PodStreamAnswer =
  | { readonly kind: "session"; readonly session: StreamSession }
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

/** What is used, told of a stretch of time that ends at `at`. */
export interface UsageReading {
  readonly at: Instant;
  readonly window: Millis;
  /** Billionths of a core, on average over the window. */
  readonly cpuNanoCores: bigint;
  /** At the end of the window. */
  readonly memoryBytes: number;
}

export interface ContainerUsageReading extends UsageReading {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
}

/** `node` is absent and containers are missing where nothing was counted for long enough. `refused` carries the kubelet's plain text. */
export type NodeUsageAnswer =
  | {
      readonly kind: "usage";
      readonly node?: UsageReading;
      readonly containers: readonly ContainerUsageReading[];
    }
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

export interface NodeConnector {
  /** What the node and the containers on it use. */
  nodeUsage(nodeName: string): Promise<NodeUsageAnswer>;
  podStream(nodeName: string, request: PodStreamRequest): Promise<PodStreamAnswer>;
  containerLogs(nodeName: string, request: ContainerLogRequest): Promise<ContainerLogAnswer>;
}
