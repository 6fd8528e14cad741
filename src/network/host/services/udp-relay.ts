// A UDP socket of a Service. UDP knows no connections: what one client sends goes to one endpoint as long as it keeps sending and the endpoint is
// among those that may get something; answers go back from the Service's address.

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { type Clock, type Instant, type Timer, after, seconds } from "../../../base/time.ts";
import type { EndpointChoice } from "../../endpoint-choice.ts";
import type { ServiceFrontend } from "../../service-frontends.ts";
import type { RouteEndpoint } from "../../service-routes.ts";
import { mayEnter } from "./source-ranges.ts";

/** A client that was silent for so long is a new one when it speaks again; what the kernel grants a UDP flow that was answered. */
const idleLimit = seconds(120);

/** Clients at one time; the one that was silent longest goes first. */
const mostClients = 4_096;

/** Datagrams that wait for a flow's socket; more are lost, as datagrams are. */
const mostWaiting = 64;

interface Flow {
  readonly endpoint: RouteEndpoint;
  readonly socket: Socket;
  /** What came before the socket was connected; undefined from then on. */
  waiting: Uint8Array[] | undefined;
  idleAt: Instant;
}

export class UdpRelay {
  readonly #choice: EndpointChoice;
  readonly #clock: Clock;
  readonly #socket: Socket;
  /** By the client's address and port; the longest silent first. */
  readonly #flows = new Map<string, Flow>();
  #frontend: ServiceFrontend;
  #sweep: Timer | undefined;
  #open = false;

  constructor(frontend: ServiceFrontend, choice: EndpointChoice, clock: Clock) {
    this.#frontend = frontend;
    this.#choice = choice;
    this.#clock = clock;
    this.#socket = createSocket(isIPv6(frontend.address) ? "udp6" : "udp4");
    this.#socket.on("message", (message, client) => this.#carry(message, client));
  }

  /** Resolves with the port. @throws NodeJS.ErrnoException as `bind` reports it */
  listen(address: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.once("error", reject);
      this.#socket.bind({ address, port, exclusive: true }, () => {
        this.#socket.off("error", reject);
        // A datagram that cannot be sent is lost, as datagrams are.
        this.#socket.on("error", () => undefined);
        this.#open = true;
        this.#sweepLater();
        resolve(this.#socket.address().port);
      });
    });
  }

  /** From now on nothing goes to an endpoint that this frontend does not lead to. */
  update(frontend: ServiceFrontend): void {
    this.#frontend = frontend;
    const { target } = frontend;
    const endpoints = target.kind === "endpoints" ? target.endpoints : [];
    for (const [client, { endpoint }] of this.#flows) {
      if (!endpoints.some(({ address, port }) => address === endpoint.address && port === endpoint.port)) {
        this.#end(client);
      }
    }
  }

  /** Nothing goes on when it no longer listens. */
  get isBusy(): boolean {
    return false;
  }

  async stopListening(): Promise<void> {
    this.destroy();
  }

  destroy(): void {
    this.#sweep?.cancel();
    for (const client of this.#flows.keys()) this.#end(client);
    if (this.#open) this.#socket.close();
    this.#open = false;
  }

  #carry(message: Uint8Array, client: RemoteInfo): void {
    if (!mayEnter(this.#frontend, client.address)) return;
    const key = `${client.address} ${client.port}`;
    const flow = this.#flows.get(key) ?? this.#newFlow(key, client);
    if (flow === undefined) return;
    // To the end of the order: it is the one that spoke last.
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    flow.idleAt = after(this.#clock.now(), idleLimit);
    if (flow.waiting === undefined) flow.socket.send(message);
    else if (flow.waiting.length < mostWaiting) flow.waiting.push(message);
  }

  #newFlow(key: string, client: RemoteInfo): Flow | undefined {
    const { target, route } = this.#frontend;
    const endpoint = this.#choice.choose(target, client.address, route.affinitySeconds);
    if (endpoint === undefined) return undefined;
    if (this.#flows.size >= mostClients) this.#end(this.#flows.keys().next().value as string);
    const socket = createSocket(isIPv6(endpoint.address) ? "udp6" : "udp4");
    const flow: Flow = { endpoint, socket, waiting: [], idleAt: after(this.#clock.now(), idleLimit) };
    // Nobody listens there (any more): the client's next datagram may go to another.
    socket.on("error", () => {
      if (this.#flows.get(key) === flow) this.#end(key);
    });
    socket.on("message", (answer) => {
      flow.idleAt = after(this.#clock.now(), idleLimit);
      if (this.#open) this.#socket.send(answer, client.port, client.address);
    });
    socket.connect(endpoint.port, endpoint.address, () => {
      for (const message of flow.waiting ?? []) socket.send(message);
      flow.waiting = undefined;
    });
    return flow;
  }

  #end(client: string): void {
    const flow = this.#flows.get(client);
    this.#flows.delete(client);
    flow?.socket.close();
  }

  #sweepLater(): void {
    this.#sweep = this.#clock.setTimer(
      idleLimit,
      () => {
        const now = this.#clock.now();
        for (const [client, { idleAt }] of this.#flows) if (idleAt <= now) this.#end(client);
        this.#sweepLater();
      },
      "udp relay",
    );
  }
}
