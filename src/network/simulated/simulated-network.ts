// A Pod network without packets: whoever has an address declares what it answers, and the calls of probes and hooks find it. Time-outs and
// delays pass on the clock that is given.

import type { Clock, Millis } from "../../base/time.ts";
import { millis, seconds } from "../../base/time.ts";
import type {
  GrpcHealthAnswer,
  HttpProbeAnswer,
  HttpProbeRequest,
  PodNetwork,
  TcpProbeAnswer,
} from "../pod-network.ts";
import {
  awaitingHeadersTimeout,
  connectionRefused,
  dialError,
  dialTimeout,
  getError,
  grpcConnectTimeout,
  grpcFailed,
  grpcRpcTimeout,
  grpcUnimplemented,
  joinHostPort,
  plainHttpOnTls,
  probeUrl,
  redirectLimit,
  redirectTarget,
  tooManyRedirects,
} from "../probe-errors.ts";

/** What comes back for one HTTP request. */
export interface SimulatedHttpAnswer {
  readonly status: number;
  readonly body?: string;
  /** Where a redirect leads. */
  readonly location?: string;
  /** Time until the answer comes. */
  readonly delay?: Millis;
  /** The server speaks TLS. A plain request to it gets 400, a TLS request to a plain server fails. Absent: whatever was asked. */
  readonly scheme?: "http" | "https";
}

export interface SimulatedGrpcAnswer {
  readonly status: "SERVING" | "NOT_SERVING" | "UNKNOWN" | "SERVICE_UNKNOWN" | "unimplemented" | "unknownService";
  readonly delay?: Millis;
}

/** Takes the connection and never says anything. */
export type Silence = "silent";

/** One server at an address. Each question is answered, met with silence, or `undefined`: nobody listens on that port. */
export interface SimulatedEndpoint {
  http(request: HttpProbeRequest): SimulatedHttpAnswer | Silence | undefined;
  tcp(port: number): { readonly delay?: Millis } | Silence | undefined;
  grpc(port: number, service: string): SimulatedGrpcAnswer | Silence | undefined;
}

/** An address that is on the network. */
export interface AttachedAddress {
  /** Adds a server; several share the address as containers of a Pod do, the first that listens on a port answers. */
  listen(endpoint: SimulatedEndpoint): { close(): void };
  /** Takes the address off the network: packets to it get lost from then on. */
  detach(): void;
}

/** The Pod network of a simulated machine. */
export class SimulatedNetwork implements PodNetwork {
  readonly #clock: Clock;
  readonly #addresses = new Map<string, SimulatedEndpoint[][]>();
  readonly #cut = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  attach(address: string): AttachedAddress {
    const endpoints: SimulatedEndpoint[] = [];
    const shared = this.#addresses.get(address) ?? [];
    shared.push(endpoints);
    this.#addresses.set(address, shared);
    return {
      listen: (endpoint) => {
        endpoints.push(endpoint);
        return { close: () => remove(endpoints, endpoint) };
      },
      detach: () => {
        remove(shared, endpoints);
        if (shared.length === 0 && this.#addresses.get(address) === shared) this.#addresses.delete(address);
      },
    };
  }

  /** A fault: packets to the address get lost until `mend`. */
  cut(address: string): void {
    this.#cut.add(address);
  }

  mend(address: string): void {
    this.#cut.delete(address);
  }

  async httpGet(request: HttpProbeRequest): Promise<HttpProbeAnswer> {
    const deadline = this.#deadline(request.timeout);
    let current = request;
    for (let sent = 1; ; sent++) {
      const answer = await this.#exchange(current, deadline);
      if (answer.kind !== "answer") return answer;
      const status = answer.answer.status;
      const body = (answer.answer.body ?? "").slice(0, request.bodyLimit);
      const target = request.followRedirects ? redirectTarget(current, status, answer.answer.location) : undefined;
      if (target === undefined) return { kind: "answered", status, body, redirectedElsewhere: false };
      if (target.host !== request.host) return { kind: "answered", status, body, redirectedElsewhere: true };
      if (sent >= redirectLimit) {
        return { kind: "failed", error: getError(answer.answer.location ?? "", tooManyRedirects) };
      }
      current = { ...request, ...target };
    }
  }

  async tcpConnect(host: string, port: number, timeout: Millis): Promise<TcpProbeAnswer> {
    const reached = this.#reach(host, (endpoint) => endpoint.tcp(port));
    if (reached.kind === "refused") return { kind: "failed", error: dialError(host, port, connectionRefused) };
    // A silent server has still taken the connection.
    if (reached.kind === "answer" && reached.answer === "silent") return { kind: "connected" };
    const delay =
      reached.kind === "answer" && reached.answer !== "silent" ? (reached.answer.delay ?? millis(0)) : undefined;
    if (await this.#wait(delay, this.#deadline(timeout))) return { kind: "connected" };
    return { kind: "failed", error: dialError(host, port, dialTimeout) };
  }

  async grpcHealth(host: string, port: number, service: string, timeout: Millis): Promise<GrpcHealthAnswer> {
    const deadline = this.#deadline(timeout);
    for (;;) {
      const reached = this.#reach(host, (endpoint) => endpoint.grpc(port, service));
      if (reached.kind === "answer") return await this.#grpcAnswer(reached.answer, deadline, timeout);
      // The client connects again until its time is up; its first pause is a second.
      if (!(await this.#wait(reached.kind === "refused" ? seconds(1) : undefined, deadline))) {
        return { kind: "failed", error: grpcConnectTimeout(joinHostPort(host, port), timeout) };
      }
    }
  }

  async #grpcAnswer(
    answer: SimulatedGrpcAnswer | Silence,
    deadline: number,
    timeout: Millis,
  ): Promise<GrpcHealthAnswer> {
    const inTime = await this.#wait(answer === "silent" ? undefined : (answer.delay ?? millis(0)), deadline);
    if (!inTime || answer === "silent") return { kind: "failed", error: grpcRpcTimeout(timeout) };
    switch (answer.status) {
      case "unimplemented":
        return { kind: "failed", error: grpcUnimplemented("unknown service grpc.health.v1.Health") };
      case "unknownService":
        return { kind: "failed", error: grpcFailed("NotFound", "unknown service") };
      case "SERVING":
      case "NOT_SERVING":
      case "UNKNOWN":
      case "SERVICE_UNKNOWN":
        return { kind: "answered", status: answer.status };
    }
  }

  async #exchange(
    request: HttpProbeRequest,
    deadline: number,
  ): Promise<HttpProbeAnswer | { readonly kind: "answer"; readonly answer: SimulatedHttpAnswer }> {
    const url = probeUrl(request);
    const reached = this.#reach(request.host, (endpoint) => endpoint.http(request));
    if (reached.kind === "refused") {
      return { kind: "failed", error: getError(url, dialError(request.host, request.port, connectionRefused)) };
    }
    const answer = reached.kind === "answer" ? reached.answer : "silent";
    const inTime = await this.#wait(answer === "silent" ? undefined : (answer.delay ?? millis(0)), deadline);
    if (!inTime || answer === "silent") return { kind: "failed", error: getError(url, awaitingHeadersTimeout) };
    if (answer.scheme === "http" && request.scheme === "https") {
      return { kind: "plainHttpOnTls", error: getError(url, plainHttpOnTls) };
    }
    if (answer.scheme === "https" && request.scheme === "http") {
      return { kind: "answer", answer: { status: 400, body: "Client sent an HTTP request to an HTTPS server.\n" } };
    }
    return { kind: "answer", answer };
  }

  /** Asks the servers at an address. `lost`: nobody has the address, packets disappear. */
  #reach<T>(
    host: string,
    ask: (endpoint: SimulatedEndpoint) => T | undefined,
  ): { readonly kind: "answer"; readonly answer: T } | { readonly kind: "refused" } | { readonly kind: "lost" } {
    const shared = this.#addresses.get(host);
    if (shared === undefined || this.#cut.has(host)) return { kind: "lost" };
    for (const endpoint of shared.flat()) {
      const answer = ask(endpoint);
      if (answer !== undefined) return { kind: "answer", answer };
    }
    return { kind: "refused" };
  }

  #deadline(timeout: Millis): number {
    return this.#clock.now() + timeout;
  }

  /** Waits for `delay` (for ever if undefined) but not beyond the deadline; says whether the delay passed in time. */
  #wait(delay: Millis | undefined, deadline: number): Promise<boolean> {
    if (delay === 0) return Promise.resolve(true);
    const left = Math.max(0, deadline - this.#clock.now());
    const inTime = delay !== undefined && delay < left;
    return new Promise((resolve) => {
      this.#clock.setTimer(millis(inTime ? delay : left), () => resolve(inTime), "network");
    });
  }
}

function remove<T>(from: T[], item: T): void {
  const index = from.indexOf(item);
  if (index !== -1) from.splice(index, 1);
}
