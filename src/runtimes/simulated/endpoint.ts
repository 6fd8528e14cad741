// A container's declared answers as a server on the simulated network. The shapes here are those that the network takes; the two folders do
// not know each other, whoever puts them together does.

import type { Millis } from "../../base/time.ts";
import type { Answers, ContainerBehaviour, GrpcStatus, HttpAnswer } from "./behaviour.ts";
import { isReadyAt, valueAt } from "./behaviour.ts";

export interface Endpoint {
  http(request: { readonly port: number; readonly path: string }): HttpAnswer | "silent" | undefined;
  tcp(port: number): { readonly delay?: Millis } | "silent" | undefined;
  grpc(port: number, service: string): { readonly status: GrpcStatus; readonly delay?: Millis } | "silent" | undefined;
}

/** What a simulated runtime needs of a network: to put a sandbox's address on it and servers behind the address. */
export interface SandboxNetwork {
  attach(address: string): { listen(endpoint: Endpoint): { close(): void }; detach(): void };
}

/** Who gives sandboxes their addresses. */
export interface SandboxAddresses {
  allocate(): string;
  release(address: string): void;
}

const healthy: Answers = { http: { "*": { status: 200, body: "ok" } }, tcp: "connected", grpc: { "*": "SERVING" } };

/** @param sinceStart how long the container has been running. */
export function endpointOf(behaviour: ContainerBehaviour, sinceStart: () => Millis): Endpoint {
  const answers = behaviour.answers ?? healthy;
  const listens = (port: number): boolean => answers.ports === undefined || answers.ports.includes(port);
  const ready = (): boolean => isReadyAt(behaviour, sinceStart());
  return {
    http({ port, path }) {
      if (answers.http === undefined || !listens(port)) return undefined;
      if (!ready()) return { status: 503, body: "not ready" };
      const declared = answers.http[path.replace(/\?.*$/, "")] ?? answers.http["*"];
      if (declared === undefined) return { status: 404, body: "404 page not found\n" };
      const answer = valueAt(declared, sinceStart());
      return answer === "refused" ? undefined : answer;
    },
    tcp(port) {
      // A port on which HTTP or gRPC is served also takes plain connections.
      const served =
        answers.tcp ?? (answers.http !== undefined || answers.grpc !== undefined ? "connected" : "refused");
      if (!listens(port) || (answers.tcp !== undefined && !ready())) return undefined;
      const answer = valueAt(served, sinceStart());
      if (answer === "refused") return undefined;
      return answer === "silent" ? "silent" : {};
    },
    grpc(port, service) {
      if (answers.grpc === undefined || !listens(port)) return undefined;
      if (!ready()) return { status: "NOT_SERVING" };
      const declared = answers.grpc[service] ?? answers.grpc["*"];
      if (declared === undefined) return { status: "unknownService" };
      const answer = valueAt(declared, sinceStart());
      if (answer === "refused") return undefined;
      if (answer === "silent") return "silent";
      return typeof answer === "string" ? { status: answer } : answer;
    },
  };
}
