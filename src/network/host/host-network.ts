// The node's real network, for probes and hooks.

import { connect } from "node:net";
import type { Millis } from "../../base/time.ts";
import type {
  GrpcHealthAnswer,
  HttpProbeAnswer,
  HttpProbeRequest,
  PodNetwork,
  TcpProbeAnswer,
} from "../pod-network.ts";
import { dialError, dialTimeout } from "../probe-errors.ts";
import { goDialError } from "./go-errors.ts";
import { grpcHealth } from "./grpc-health.ts";
import { httpGet } from "./http-get.ts";

/** Makes the calls from this machine. Each call has a connection of its own. */
export class HostNetwork implements PodNetwork {
  httpGet(request: HttpProbeRequest): Promise<HttpProbeAnswer> {
    return httpGet(request);
  }

  tcpConnect(host: string, port: number, timeout: Millis): Promise<TcpProbeAnswer> {
    return new Promise((resolve) => {
      const socket = connect({ host, port });
      const finish = (answer: TcpProbeAnswer): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(answer);
      };
      const timer = setTimeout(() => finish({ kind: "failed", error: dialError(host, port, dialTimeout) }), timeout);
      socket.on("connect", () => finish({ kind: "connected" }));
      socket.on("error", (error) => finish({ kind: "failed", error: goDialError(error, host, port) }));
    });
  }

  grpcHealth(host: string, port: number, service: string, timeout: Millis): Promise<GrpcHealthAnswer> {
    return grpcHealth(host, port, service, timeout);
  }
}
