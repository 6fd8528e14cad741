// The network as one simulated node sees it: an address of a Service leads to an endpoint, by the table that the node's proxy worked out.

import type { Random } from "../../base/random.ts";
import type { Clock, Millis } from "../../base/time.ts";
import { EndpointChoice } from "../endpoint-choice.ts";
import type {
  GrpcHealthAnswer,
  HttpProbeAnswer,
  HttpProbeRequest,
  PodNetwork,
  TcpProbeAnswer,
} from "../pod-network.ts";
import { connectionRefused, dialError, getError, grpcConnectTimeout, joinHostPort, probeUrl } from "../probe-errors.ts";
import { type ServiceFrontend, frontendKey, frontendsOf } from "../service-frontends.ts";
import type { RouteEndpoint, RouteTrouble, RoutingTable, ServiceDataPath } from "../service-routes.ts";
import type { SimulatedNetwork } from "./simulated-network.ts";

export interface NodeViewOptions {
  readonly network: SimulatedNetwork;
  readonly clock: Clock;
  readonly random: Random;
  /** The node's own address: clients of the node come from it, and its node ports are there. */
  readonly nodeAddress: string;
}

type Place =
  | { readonly kind: "place"; readonly at: RouteEndpoint }
  | { readonly kind: "refused" }
  | { readonly kind: "lost" };

export class NodeView implements PodNetwork, ServiceDataPath {
  readonly #options: NodeViewOptions;
  #frontends: ReadonlyMap<string, ServiceFrontend> = new Map();
  #choices = new Map<string, EndpointChoice>();

  constructor(options: NodeViewOptions) {
    this.#options = options;
  }

  async apply(table: RoutingTable): Promise<readonly RouteTrouble[]> {
    const { frontends, troubles } = frontendsOf(table, [this.#options.nodeAddress]);
    this.#frontends = new Map(frontends.map((frontend) => [frontendKey(frontend), frontend]));
    const names = new Set(table.map(({ name }) => name));
    this.#choices = new Map([...this.#choices].filter(([name]) => names.has(name)));
    return troubles;
  }

  async close(): Promise<void> {
    this.#frontends = new Map();
  }

  async httpGet(request: HttpProbeRequest): Promise<HttpProbeAnswer> {
    const place = this.#placeOf(request.host, request.port);
    if (place.kind === "refused") {
      const error = dialError(request.host, request.port, connectionRefused);
      return { kind: "failed", error: getError(probeUrl(request), error) };
    }
    const at = atPlace(place);
    return toldAs(await this.#options.network.httpGet({ ...request, host: at.address, port: at.port }), at, request);
  }

  async tcpConnect(host: string, port: number, timeout: Millis): Promise<TcpProbeAnswer> {
    const place = this.#placeOf(host, port);
    if (place.kind === "refused") return { kind: "failed", error: dialError(host, port, connectionRefused) };
    const at = atPlace(place);
    return toldAs(await this.#options.network.tcpConnect(at.address, at.port, timeout), at, { host, port });
  }

  async grpcHealth(host: string, port: number, service: string, timeout: Millis): Promise<GrpcHealthAnswer> {
    const place = this.#placeOf(host, port);
    if (place.kind === "refused") {
      await this.#options.clock.sleep(timeout);
      return { kind: "failed", error: grpcConnectTimeout(joinHostPort(host, port), timeout) };
    }
    const at = atPlace(place);
    return toldAs(await this.#options.network.grpcHealth(at.address, at.port, service, timeout), at, { host, port });
  }

  /** Where a new connection goes. */
  #placeOf(host: string, port: number): Place {
    const frontend = this.#frontends.get(frontendKey({ protocol: "TCP", address: host, port }));
    if (frontend === undefined) return { kind: "place", at: { address: host, port } };
    const { target, route } = frontend;
    if (target.kind === "drop") return { kind: "lost" };
    const { nodeAddress } = this.#options;
    const at = this.#choiceOf(route.name).choose(target, nodeAddress, route.affinitySeconds);
    return at === undefined ? { kind: "refused" } : { kind: "place", at };
  }

  #choiceOf(name: string): EndpointChoice {
    const { clock, random, nodeAddress } = this.#options;
    const choice = this.#choices.get(name) ?? new EndpointChoice(clock, random.stream(`services/${nodeAddress}`));
    this.#choices.set(name, choice);
    return choice;
  }
}

/** Nobody has this address (RFC 5737): packets to it are lost. */
const nowhere: RouteEndpoint = { address: "192.0.2.0", port: 9 };

const atPlace = (place: Exclude<Place, { kind: "refused" }>): RouteEndpoint =>
  place.kind === "place" ? place.at : nowhere;

/** A client knows the address that it asked, and not who answered. */
function toldAs<T extends object>(
  answer: T,
  at: RouteEndpoint,
  asked: { readonly host: string; readonly port: number },
): T {
  if (!("error" in answer) || typeof answer.error !== "string") return answer;
  const error = answer.error.replaceAll(joinHostPort(at.address, at.port), joinHostPort(asked.host, asked.port));
  return { ...answer, error };
}
