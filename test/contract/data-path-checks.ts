// What every data path of a real machine promises, over real sockets on addresses of the loopback network.

import { deepEqual } from "node:assert/strict";
import { createSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import { expect } from "vitest";
import type { ContractRunner } from "../../src/runtimes/contract.ts";
import type { RouteEndpoint, RouteTarget, ServiceDataPath, ServiceRoute } from "../../src/network/service-routes.ts";

export interface DataPathUnderTest {
  /** @param nodeAddress where node ports are open */
  open(nodeAddress: string): ServiceDataPath;
}

/** Checks that a data path cannot pass, with the reason. They are run all the same, and must fail. */
export type Gaps = Readonly<Record<string, string>>;

export function dataPathContract(
  runner: ContractRunner,
  name: string,
  under: DataPathUnderTest,
  gaps: Gaps = {},
): void {
  runner.describe(`data path contract: ${name}`, () => {
    for (const [title, check] of Object.entries(checks)) {
      const gap = gaps[title];
      runner.test(gap === undefined ? title : `cannot, because ${gap}: ${title}`, async () => {
        const bench = new Bench(under);
        try {
          if (gap === undefined) await check(bench);
          else {
            const outcome = await check(bench).then(
              () => "it passes",
              () => "it fails",
            );
            expect(outcome).toBe("it fails");
          }
        } finally {
          await bench.close();
        }
      });
    }
  });
}

const checks: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  async "carries connections to every endpoint"(bench) {
    const endpoints = [await bench.serve("a"), await bench.serve("b"), await bench.serve("c")];
    await bench.apply(bench.route(endpoints));
    await bench.untilSeen(["a", "b", "c"]);
  },

  async "refuses at once where nobody is ready"(bench) {
    await bench.apply(bench.route([]));
    expect(await bench.ask()).toBe("refused");
  },

  async "sends no new connection to an endpoint that has left the table, and lets the old ones go on"(bench) {
    const a = await bench.serve("a");
    const b = await bench.serve("b");
    await bench.apply(bench.route([a]));
    const held = await bench.hold();
    expect(await held.say("one")).toBe("a: one");
    await bench.apply(bench.route([b]));
    for (let times = 0; times < 20; times++) expect(await bench.ask()).toBe("b");
    expect(await held.say("two")).toBe("a: two");
    await bench.apply(bench.route([]));
    expect(await bench.ask()).toBe("refused");
    expect(await held.say("three")).toBe("a: three");
    await bench.apply();
    expect(await held.say("four")).toBe("a: four");
    held.close();
  },

  async "closes one half and keeps the other"(bench) {
    await bench.apply(bench.route([await bench.serve("a")]));
    const held = await bench.hold();
    held.finish();
    expect(await held.untilEnd()).toBe("a: goodbye");
  },

  async "carries much in both directions without losing any"(bench) {
    await bench.apply(bench.route([await bench.serve("a", "echo")]));
    const text = "0123456789abcdef".repeat(65_536);
    const held = await bench.hold();
    held.write(text);
    held.finish();
    expect((await held.untilEnd()).length).toBe(text.length);
  },

  async "brings a client with affinity back to its endpoint until that is gone"(bench) {
    const endpoints = [await bench.serve("a"), await bench.serve("b"), await bench.serve("c")];
    const sticky = (targets: readonly RouteEndpoint[]): ServiceRoute => ({
      ...bench.route(targets),
      affinitySeconds: 60,
    });
    await bench.apply(sticky(endpoints));
    const first = await bench.ask();
    for (let times = 0; times < 10; times++) expect(await bench.ask()).toBe(first);
    // Another change of the table must not make it forget.
    await bench.apply(sticky(endpoints), bench.route([], { service: "other" }));
    for (let times = 0; times < 10; times++) expect(await bench.ask()).toBe(first);
    await bench.apply(sticky(endpoints.filter((_, index) => "abc"[index] !== first)));
    const second = await bench.ask();
    expect(second).not.toBe(first);
    for (let times = 0; times < 10; times++) expect(await bench.ask()).toBe(second);
  },

  async "opens node ports on the node's address, and what lies beside them stays closed"(bench) {
    const a = await bench.serve("a");
    const nodePort = await freePort();
    await bench.apply({ ...bench.route([a]), nodePort });
    expect(await bench.ask({ address: bench.nodeAddress, port: nodePort })).toBe("a");
    await bench.apply(bench.route([a]));
    expect(await bench.ask({ address: bench.nodeAddress, port: nodePort })).toBe("refused");
  },

  async "leads external addresses and those of the load balancer to the external endpoints"(bench) {
    const a = await bench.serve("a");
    const b = await bench.serve("b");
    const external = bench.newAddress();
    const balancer = bench.newAddress();
    await bench.apply({ ...bench.route([a]), external: to([b]), externalIps: [external], loadBalancerIps: [balancer] });
    expect(await bench.ask()).toBe("a");
    expect(await bench.ask({ address: external, port: 80 })).toBe("b");
    expect(await bench.ask({ address: balancer, port: 80 })).toBe("b");
  },

  async "lets only the permitted clients in from the load balancer"(bench) {
    const balancer = bench.newAddress();
    const route = { ...bench.route([await bench.serve("a")]), loadBalancerIps: [balancer] };
    await bench.apply({ ...route, loadBalancerSourceRanges: ["192.0.2.0/24"] });
    expect(await bench.ask({ address: balancer, port: 80 })).not.toBe("a");
    expect(await bench.ask()).toBe("a");
    await bench.apply({ ...route, loadBalancerSourceRanges: ["192.0.2.0/24", "127.0.0.0/8"] });
    expect(await bench.ask({ address: balancer, port: 80 })).toBe("a");
  },

  async "keeps two Services apart, and forgets one that is gone"(bench) {
    const web = bench.route([await bench.serve("a")]);
    const other = bench.route([await bench.serve("b")], { service: "other" });
    await bench.apply(web, other);
    expect([await bench.ask(), await bench.ask({ address: other.clusterIp, port: 80 })]).toEqual(["a", "b"]);
    await bench.apply(other);
    expect([await bench.ask(), await bench.ask({ address: other.clusterIp, port: 80 })]).toEqual(["refused", "b"]);
  },

  async "carries datagrams and their answers, and moves them when the endpoint leaves"(bench) {
    const a = await bench.serveUdp("a");
    const b = await bench.serveUdp("b");
    const route = (endpoints: readonly RouteEndpoint[]): ServiceRoute => ({
      ...bench.route(endpoints),
      protocol: "UDP",
    });
    await bench.apply(route([a]));
    expect(await bench.askUdp()).toBe("a");
    await bench.apply(route([b]));
    expect(await bench.askUdp()).toBe("b");
  },

  async "tries another endpoint when one refuses"(bench) {
    const dead = { address: bench.newAddress(), port: await freePort() };
    await bench.apply(bench.route([dead, await bench.serve("a")]));
    for (let times = 0; times < 20; times++) expect(await bench.ask()).toBe("a");
  },

  async "names what it cannot set up, and sets up the rest"(bench) {
    const twin = bench.route([await bench.serve("a")]);
    const web = bench.route([await bench.serve("b")], { service: "other" });
    const troubles = await bench.dataPath.apply([twin, { ...web, externalIps: [twin.clusterIp] }]);
    expect(troubles).toEqual([
      { namespace: "default", service: "other", message: `tcp ${twin.clusterIp}:80 leads to default/web already` },
    ]);
    expect(await bench.ask({ address: web.clusterIp, port: 80 })).toBe("b");
  },

  async "takes everything away at its end"(bench) {
    await bench.apply(bench.route([await bench.serve("a")]));
    await bench.dataPath.close();
    expect(await bench.ask()).toBe("refused");
  },
};

const to = (endpoints: readonly RouteEndpoint[]): RouteTarget =>
  endpoints.length === 0 ? { kind: "reject" } : { kind: "endpoints", endpoints };

/** Each test process has a part of 127.0.0.0/8 for itself, and no address of it is used twice. */
let lastAddress = 0;
function loopbackAddress(): string {
  lastAddress += 1;
  const part = process.pid % (64 * 64);
  return `127.${128 + (part >> 6)}.${(part & 63) * 4 + (lastAddress >> 8)}.${lastAddress & 255}`;
}

class Bench {
  readonly dataPath: ServiceDataPath;
  readonly nodeAddress = loopbackAddress();
  readonly #clusterIps = new Map<string, string>();
  readonly #cleanUps: (() => void)[] = [];

  constructor(under: DataPathUnderTest) {
    this.dataPath = under.open(this.nodeAddress);
  }

  newAddress(): string {
    return loopbackAddress();
  }

  route(endpoints: readonly RouteEndpoint[], { service = "web" } = {}): ServiceRoute {
    const clusterIp = this.#clusterIps.get(service) ?? loopbackAddress();
    this.#clusterIps.set(service, clusterIp);
    return {
      name: `default/${service}`,
      namespace: "default",
      service,
      protocol: "TCP",
      clusterIp,
      port: 80,
      externalIps: [],
      loadBalancerIps: [],
      loadBalancerSourceRanges: [],
      internal: to(endpoints),
      external: to(endpoints),
      keepsClientAddress: false,
    };
  }

  async apply(...routes: readonly ServiceRoute[]): Promise<void> {
    deepEqual(await this.dataPath.apply(routes), []);
  }

  /** A server that greets with its name and answers each line with its name before it. */
  async serve(name: string, kind: "named" | "echo" = "named"): Promise<RouteEndpoint> {
    const sockets = new Set<Socket>();
    const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      if (kind === "echo") {
        socket.pipe(socket);
        return;
      }
      socket.on("data", (text) => socket.write(`${name}: ${String(text)}`));
      socket.on("end", () => socket.end(`${name}: goodbye`));
    });
    const address = loopbackAddress();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    this.#cleanUps.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { address, port: (server.address() as { port: number }).port };
  }

  async serveUdp(name: string): Promise<RouteEndpoint> {
    const socket = createSocket("udp4");
    socket.on("message", (_message, { address, port }) => socket.send(name, port, address));
    const address = loopbackAddress();
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    this.#cleanUps.push(() => socket.close());
    return { address, port: socket.address().port };
  }

  /** Who answers a new connection. */
  async ask(at: RouteEndpoint = this.#web()): Promise<string> {
    const held = await this.hold(at).catch((error: NodeJS.ErrnoException) => error.code);
    if (held === "ECONNREFUSED" || held === "ECONNRESET") return "refused";
    if (typeof held === "string" || held === undefined) return String(held);
    const answer = await held.say("?").catch(() => "refused");
    held.close();
    return answer.replace(/:.*/, "");
  }

  async untilSeen(names: readonly string[]): Promise<void> {
    const seen = new Set<string>();
    // A fair choice misses one of three in 200 tries about once in 10^35 runs.
    for (let times = 0; times < 200 && names.some((name) => !seen.has(name)); times++) seen.add(await this.ask());
    deepEqual([...seen].sort(), names);
  }

  async askUdp(): Promise<string> {
    const { address, port } = this.#web();
    const socket = createSocket("udp4");
    try {
      return await new Promise((resolve, reject) => {
        socket.on("message", (message) => resolve(message.toString()));
        socket.on("error", reject);
        socket.send("?", port, address);
      });
    } finally {
      socket.close();
    }
  }

  async hold(at: RouteEndpoint = this.#web()): Promise<HeldConnection> {
    const socket = connect({ host: at.address, port: at.port, allowHalfOpen: true, timeout: 2000 });
    socket.on("timeout", () => socket.destroy(Object.assign(new Error("silence"), { code: "silence" })));
    this.#cleanUps.push(() => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new HeldConnection(socket);
  }

  async close(): Promise<void> {
    for (const cleanUp of this.#cleanUps) cleanUp();
    await this.dataPath.close();
  }

  #web(): RouteEndpoint {
    return { address: this.#clusterIps.get("web") as string, port: 80 };
  }
}

class HeldConnection {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
  }

  say(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#socket.once("data", (answer) => resolve(answer.toString()));
      this.#socket.once("close", () => reject(new Error("the connection is gone")));
      this.#socket.write(text);
    });
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  finish(): void {
    this.#socket.end();
  }

  async untilEnd(): Promise<string> {
    let text = "";
    for await (const part of this.#socket) text += String(part);
    return text;
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
