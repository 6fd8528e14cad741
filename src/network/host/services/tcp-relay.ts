// A listening TCP socket of a Service: each connection is carried to an endpoint, byte for byte, with its half-closes and at the pace of the slower side.

import { connect, createServer, isIPv6, type Server, type Socket } from "node:net";
import type { EndpointChoice } from "../../endpoint-choice.ts";
import type { ServiceFrontend } from "../../service-frontends.ts";
import type { RouteEndpoint } from "../../service-routes.ts";
import { mayEnter } from "./source-ranges.ts";

/** How long an endpoint may take to accept, before another one is tried. */
const connectLimitMillis = 5_000;

export class TcpRelay {
  readonly #choice: EndpointChoice;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #frontend: ServiceFrontend;

  constructor(frontend: ServiceFrontend, choice: EndpointChoice) {
    this.#frontend = frontend;
    this.#choice = choice;
    // Paused: what the client sends at once stays in the kernel until somebody is there to take it.
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
      this.#accept(client),
    );
  }

  /** Resolves with the port. @throws NodeJS.ErrnoException as `listen` reports it */
  listen(address: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: address, port, ipv6Only: isIPv6(address) }, () => {
        this.#server.off("error", reject);
        // Accepting can fail when the process has no descriptors left; the next connection is tried again.
        this.#server.on("error", () => undefined);
        resolve((this.#server.address() as { readonly port: number }).port);
      });
    });
  }

  /** From now on new connections go where this frontend leads. */
  update(frontend: ServiceFrontend): void {
    this.#frontend = frontend;
  }

  /** Whether connections go through it. */
  get isBusy(): boolean {
    return this.#sockets.size > 0;
  }

  /** Takes no new connections; those that exist go on. Resolves when the port is free. */
  stopListening(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#server.listening) return resolve();
      // `close` itself waits for all connections; the port is free a turn after the call.
      this.#server.close();
      setImmediate(resolve);
    });
  }

  /** Ends the connections that exist, too. */
  destroy(): void {
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(client: Socket): void {
    this.#keep(client);
    if (mayEnter(this.#frontend, client.remoteAddress ?? "")) this.#carry(client, []);
    else client.resetAndDestroy();
  }

  /** @param tried endpoints that did not take the connection */
  #carry(client: Socket, tried: readonly RouteEndpoint[]): void {
    const { target, route } = this.#frontend;
    const endpoint = this.#choice.choose(target, client.remoteAddress ?? "", route.affinitySeconds, tried);
    if (endpoint === undefined) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host: endpoint.address, port: endpoint.port, allowHalfOpen: true, noDelay: true });
    this.#keep(server);
    const tooLate = setTimeout(() => server.destroy(new Error("connect timed out")), connectLimitMillis);
    const onClientGone = (): void => void server.destroy();
    const onRefused = (): void => {
      client.off("close", onClientGone);
      if (!client.destroyed) this.#carry(client, [...tried, endpoint]);
    };
    client.once("close", onClientGone);
    server.once("error", onRefused);
    server.once("connect", () => {
      clearTimeout(tooLate);
      server.off("error", onRefused);
      client.off("close", onClientGone);
      join(client, server);
    });
    server.once("close", () => clearTimeout(tooLate));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // Without a listener an error would end lifepod; what follows from it is decided where the two sides are joined.
    socket.on("error", () => undefined);
  }
}

/** Two sockets as one connection. An error of one side reaches the other as what it is: a reset. */
function join(client: Socket, server: Socket): void {
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.pipe(other);
    one.once("error", () => other.resetAndDestroy());
    one.once("close", () => {
      if (!one.readableEnded) other.destroy();
    });
  }
}
