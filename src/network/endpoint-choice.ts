// Which endpoint of a route a connection goes to.

import type { RandomStream } from "../base/random.ts";
import { type Clock, type Instant, after, seconds } from "../base/time.ts";
import type { RouteEndpoint, RouteTarget } from "./service-routes.ts";

/** Clients that are remembered for one route; the one that was here longest ago goes first. */
const rememberedClients = 10_000;

/** Chooses by chance, each endpoint as likely as the others; with affinity a client that comes back in time finds the endpoint it had. */
export class EndpointChoice {
  readonly #clock: Clock;
  readonly #random: RandomStream;
  /** Least recently used first. */
  readonly #clients = new Map<string, { readonly endpoint: RouteEndpoint; readonly until: Instant }>();

  constructor(clock: Clock, random: RandomStream) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * @param clientAddress who is remembered, if `affinitySeconds` is given
   * @param tried endpoints that did not answer this client just now
   * @returns undefined if there is none left
   */
  choose(
    target: RouteTarget,
    clientAddress: string,
    affinitySeconds?: number,
    tried: readonly RouteEndpoint[] = [],
  ): RouteEndpoint | undefined {
    if (target.kind !== "endpoints") return undefined;
    const left = target.endpoints.filter((endpoint) => !isAmong(endpoint, tried));
    if (left.length === 0) return undefined;
    if (affinitySeconds === undefined) return this.#random.pick(left);
    const remembered = this.#remembered(clientAddress);
    const endpoint = remembered !== undefined && isAmong(remembered, left) ? remembered : this.#random.pick(left);
    this.#remember(clientAddress, endpoint, affinitySeconds);
    return endpoint;
  }

  #remembered(client: string): RouteEndpoint | undefined {
    const known = this.#clients.get(client);
    return known === undefined || known.until <= this.#clock.now() ? undefined : known.endpoint;
  }

  #remember(client: string, endpoint: RouteEndpoint, affinitySeconds: number): void {
    this.#clients.delete(client);
    this.#clients.set(client, { endpoint, until: after(this.#clock.now(), seconds(affinitySeconds)) });
    if (this.#clients.size <= rememberedClients) return;
    for (const oldest of this.#clients.keys()) {
      this.#clients.delete(oldest);
      return;
    }
  }
}

const isAmong = (endpoint: RouteEndpoint, endpoints: readonly RouteEndpoint[]): boolean =>
  endpoints.some(({ address, port }) => address === endpoint.address && port === endpoint.port);
