// Services without any rights: lifepod itself listens at every address and port of a Service and carries what comes to an endpoint.

import type { Clock } from "../../../base/time.ts";
import type { Random } from "../../../base/random.ts";
import { EndpointChoice } from "../../endpoint-choice.ts";
import { type ServiceFrontend, frontendKey, frontendsOf } from "../../service-frontends.ts";
import type { RouteTrouble, RoutingTable, ServiceDataPath } from "../../service-routes.ts";
import { TcpRelay } from "./tcp-relay.ts";
import { UdpRelay } from "./udp-relay.ts";

export interface UserspaceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The node's own addresses, at which node ports are open. */
  readonly nodeAddresses: readonly string[];
  /** Which frontends it carries, if another data path carries the others. */
  readonly carries?: (frontend: ServiceFrontend) => boolean;
  /** Makes these cluster addresses the machine's own, and no others. Without it only addresses that the machine has anyway can be listened at. */
  readonly holdAddresses?: (addresses: readonly string[]) => Promise<void>;
}

/** How far above the port that cannot be had another one is tried: 80 → 8080. */
const portShift = 8_000;

type Relay = TcpRelay | UdpRelay;

interface OpenFrontend {
  readonly relay: Relay;
  /** Where it listens, if that is not where it should. */
  readonly elsewhere: string | undefined;
}

export class UserspaceDataPath implements ServiceDataPath {
  readonly #options: UserspaceOptions;
  readonly #open = new Map<string, OpenFrontend>();
  /** By the route's name: what a client is bound to counts for all addresses of the route. */
  readonly #choices = new Map<string, EndpointChoice>();
  /** Connections of Services that are gone, and of ports that have moved. */
  readonly #leaving = new Set<Relay>();

  constructor(options: UserspaceOptions) {
    this.#options = options;
  }

  async apply(table: RoutingTable): Promise<readonly RouteTrouble[]> {
    const { nodeAddresses, carries } = this.#options;
    const { frontends: all, troubles } = frontendsOf(table, nodeAddresses);
    const frontends = carries === undefined ? all : all.filter(carries);
    // Whoever carries the others tells the clashes, too.
    const clashes = carries === undefined ? troubles : [];
    // Nobody listens where there is nobody to carry to: then the kernel itself refuses, at once.
    const wanted = new Map(
      frontends
        .filter(({ target }) => target.kind === "endpoints")
        .map((frontend) => [frontendKey(frontend), frontend]),
    );
    // First what takes connections away from where they should no longer go.
    for (const [key, { relay }] of this.#open) {
      const frontend = wanted.get(key);
      if (frontend === undefined) await this.#shut(key);
      else relay.update(frontend);
    }
    const names = new Set(table.map(choiceKey));
    for (const name of this.#choices.keys()) if (!names.has(name)) this.#choices.delete(name);
    await this.#options.holdAddresses?.(
      [...wanted.values()].filter(({ role }) => role === "cluster").map(({ address }) => address),
    );
    const found = [...clashes];
    for (const [key, frontend] of wanted) {
      const trouble = await this.#ensureOpen(key, frontend);
      if (trouble !== undefined) found.push(trouble);
    }
    return found;
  }

  async close(): Promise<void> {
    for (const { relay } of this.#open.values()) relay.destroy();
    for (const relay of this.#leaving) relay.destroy();
    this.#open.clear();
    this.#leaving.clear();
    await this.#options.holdAddresses?.([]);
  }

  async #ensureOpen(key: string, frontend: ServiceFrontend): Promise<RouteTrouble | undefined> {
    const { protocol, address, port } = frontend;
    if (protocol === "SCTP") return trouble(frontend, `${key}: only TCP and UDP can be carried without nftables`);
    const known = this.#open.get(key);
    if (known !== undefined && known.elsewhere === undefined) return undefined;
    const relay = this.#relayFor(frontend);
    try {
      await relay.listen(address, port);
    } catch (error) {
      relay.destroy();
      if (known !== undefined) return movedTrouble(key, frontend, known.elsewhere as string, error);
      return await this.#openElsewhere(key, frontend, error as NodeJS.ErrnoException);
    }
    if (known !== undefined) await this.#shut(key);
    this.#open.set(key, { relay, elsewhere: undefined });
    return undefined;
  }

  /** A port below 1024 needs rights, another program may have the port, and not every machine has all of 127.0.0.0/8. */
  async #openElsewhere(
    key: string,
    frontend: ServiceFrontend,
    cause: NodeJS.ErrnoException,
  ): Promise<RouteTrouble | undefined> {
    const { address, port } = frontend;
    const place = cause.code === "EADDRNOTAVAIL" ? "127.0.0.1" : address;
    if (frontend.role !== "cluster") return trouble(frontend, `${key} cannot be opened: ${reasonOf(cause)}`);
    for (const candidate of port + portShift <= 65_535 ? [port + portShift, 0] : [0]) {
      const relay = this.#relayFor(frontend);
      try {
        const elsewhere = `${place}:${await relay.listen(place, candidate)}`;
        this.#open.set(key, { relay, elsewhere });
        return movedTrouble(key, frontend, elsewhere, cause);
      } catch {
        // Taken as well: the next candidate, or what made us look for one, is the answer.
        relay.destroy();
      }
    }
    return trouble(frontend, `${key} cannot be opened: ${reasonOf(cause)}`);
  }

  #relayFor(frontend: ServiceFrontend): Relay {
    const { clock, random } = this.#options;
    const name = choiceKey(frontend.route);
    let choice = this.#choices.get(name);
    if (choice === undefined) {
      choice = new EndpointChoice(clock, random.stream("userspace-services"));
      this.#choices.set(name, choice);
    }
    return frontend.protocol === "UDP" ? new UdpRelay(frontend, choice, clock) : new TcpRelay(frontend, choice);
  }

  async #shut(key: string): Promise<void> {
    const relay = this.#open.get(key)?.relay;
    this.#open.delete(key);
    if (relay === undefined) return;
    await relay.stopListening();
    if (relay.isBusy) this.#leaving.add(relay);
    for (const left of this.#leaving) if (!left.isBusy) this.#leaving.delete(left);
  }
}

const choiceKey = (route: ServiceFrontend["route"]): string => `${route.name} ${route.protocol} ${route.clusterIp}`;

const trouble = ({ route: { namespace, service } }: ServiceFrontend, message: string): RouteTrouble => ({
  namespace,
  service,
  message,
});

const movedTrouble = (key: string, frontend: ServiceFrontend, elsewhere: string, cause: unknown): RouteTrouble =>
  trouble(
    frontend,
    `${key} cannot be opened: ${reasonOf(cause as NodeJS.ErrnoException)}; reached at ${elsewhere} instead`,
  );

const reasons: Readonly<Record<string, string>> = {
  EACCES: "ports below 1024 need root",
  EADDRINUSE: "another program listens there",
  EADDRNOTAVAIL: "this machine does not have the address",
};

const reasonOf = ({ code, message }: NodeJS.ErrnoException): string => reasons[code ?? ""] ?? message;
