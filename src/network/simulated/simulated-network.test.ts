import { describe, expect, it } from "vitest";
import type { Millis } from "../../base/time.ts";
import { millis, seconds } from "../../base/time.ts";
import { VirtualClock } from "../../simulation/virtual-clock.ts";
import type { HttpProbeRequest } from "../pod-network.ts";
import type { SimulatedEndpoint } from "./simulated-network.ts";
import { SimulatedNetwork } from "./simulated-network.ts";

const address = "10.0.0.5";
const silentEverywhere: SimulatedEndpoint = { http: () => "silent", tcp: () => "silent", grpc: () => "silent" };
const nothing: SimulatedEndpoint = { http: () => undefined, tcp: () => undefined, grpc: () => undefined };

function start(endpoint: Partial<SimulatedEndpoint> = {}) {
  const clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  const network = new SimulatedNetwork(clock);
  const attached = network.attach(address);
  const listening = attached.listen({ ...nothing, ...endpoint });
  return { clock, network, attached, listening };
}

/** What came, and how long it took on the clock. */
async function outcome<T>(clock: VirtualClock, work: Promise<T>): Promise<{ took: Millis; answer: T }> {
  const from = clock.now();
  let end: number | undefined;
  const noted = work.finally(() => {
    end = clock.now();
  });
  await clock.advanceUntil(() => end !== undefined, seconds(60));
  return { answer: await noted, took: millis((end as number) - from) };
}

const get = (change: Partial<HttpProbeRequest> = {}): HttpProbeRequest => ({
  scheme: "http",
  host: address,
  port: 8080,
  path: "/",
  headers: [],
  timeout: seconds(1),
  bodyLimit: 10_240,
  followRedirects: true,
  ...change,
});

describe("httpGet", () => {
  it("gives the declared answer after its delay", async () => {
    const { clock, network } = start({ http: () => ({ status: 201, body: "made", delay: millis(300) }) });
    expect(await outcome(clock, network.httpGet(get()))).toEqual({
      took: 300,
      answer: { kind: "answered", status: 201, body: "made", redirectedElsewhere: false },
    });
  });

  it("is refused at once where nobody listens", async () => {
    const { clock, network } = start();
    expect(await outcome(clock, network.httpGet(get({ path: "/x" })))).toEqual({
      took: 0,
      answer: {
        kind: "failed",
        error: `Get "http://10.0.0.5:8080/x": dial tcp 10.0.0.5:8080: connect: connection refused`,
      },
    });
  });

  it.each<[string, Partial<HttpProbeRequest>]>([
    ["a silent server", {}],
    ["an address that nobody has", { host: "10.0.0.6" }],
  ])("times out on %s", async (_what, change) => {
    const { clock, network } = start(silentEverywhere);
    const request = get(change);
    expect(await outcome(clock, network.httpGet(request))).toEqual({
      took: 1000,
      answer: {
        kind: "failed",
        error: `Get "http://${request.host}:8080/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      },
    });
  });

  it("times out on an answer that would come exactly at the limit", async () => {
    const { clock, network } = start({ http: () => ({ status: 200, delay: seconds(1) }) });
    expect((await outcome(clock, network.httpGet(get()))).answer.kind).toBe("failed");
  });

  it("follows redirects on the same host and counts their time together", async () => {
    const { clock, network } = start({
      http: ({ path }) =>
        path === "/"
          ? { status: 302, location: "/next", delay: millis(600) }
          : { status: 200, body: path, delay: millis(600) },
    });
    expect((await outcome(clock, network.httpGet(get()))).answer.kind).toBe("failed");
    expect((await outcome(clock, network.httpGet(get({ timeout: seconds(2) })))).answer).toMatchObject({
      body: "/next",
    });
  });

  it("stops at a redirect to another host, and at the tenth on the same one", async () => {
    const { network } = start({
      http: ({ path }) => ({ status: 307, location: path === "/away" ? "http://elsewhere/" : "/loop" }),
    });
    expect(await network.httpGet(get({ path: "/away" }))).toMatchObject({ status: 307, redirectedElsewhere: true });
    expect(await network.httpGet(get())).toEqual({ kind: "failed", error: 'Get "/loop": stopped after 10 redirects' });
    expect(await network.httpGet(get({ followRedirects: false }))).toMatchObject({ status: 307 });
  });

  it("tells a plain server apart when TLS was asked for", async () => {
    const { network } = start({ http: () => ({ status: 200, scheme: "http" }) });
    expect(await network.httpGet(get({ scheme: "https" }))).toEqual({
      kind: "plainHttpOnTls",
      error: 'Get "https://10.0.0.5:8080/": http: server gave HTTP response to HTTPS client',
    });
  });

  it("cuts the body at the limit", async () => {
    const { network } = start({ http: () => ({ status: 200, body: "abcdef" }) });
    expect(await network.httpGet(get({ bodyLimit: 3 }))).toMatchObject({ body: "abc" });
  });
});

describe("tcpConnect", () => {
  it("connects also to a server that says nothing", async () => {
    const { network } = start(silentEverywhere);
    expect(await network.tcpConnect(address, 1, seconds(1))).toEqual({ kind: "connected" });
  });

  it("is refused, or times out when the address is cut off", async () => {
    const { clock, network } = start();
    const refused = await outcome(clock, network.tcpConnect(address, 81, seconds(1)));
    expect(refused).toEqual({
      took: 0,
      answer: { kind: "failed", error: "dial tcp 10.0.0.5:81: connect: connection refused" },
    });
    network.cut(address);
    expect(await outcome(clock, network.tcpConnect(address, 81, seconds(2)))).toEqual({
      took: 2000,
      answer: { kind: "failed", error: "dial tcp 10.0.0.5:81: i/o timeout" },
    });
    network.mend(address);
    expect((await outcome(clock, network.tcpConnect(address, 81, seconds(2)))).took).toBe(0);
  });
});

describe("grpcHealth", () => {
  it("gives the status of the service that was asked for", async () => {
    const { network } = start({ grpc: (_port, service) => ({ status: service === "" ? "SERVING" : "NOT_SERVING" }) });
    expect(await network.grpcHealth(address, 9090, "", seconds(1))).toEqual({ kind: "answered", status: "SERVING" });
    expect(await network.grpcHealth(address, 9090, "x", seconds(1))).toMatchObject({ status: "NOT_SERVING" });
  });

  it("connects again until its time is up", async () => {
    const { clock, network, attached } = start();
    expect(await outcome(clock, network.grpcHealth(address, 9090, "", seconds(3)))).toEqual({
      took: 3000,
      answer: {
        kind: "failed",
        error: 'timeout: failed to connect service "10.0.0.5:9090" within 3s: context deadline exceeded',
      },
    });
    clock.setTimer(millis(1500), () => attached.listen({ ...nothing, grpc: () => ({ status: "SERVING" }) }));
    expect(await outcome(clock, network.grpcHealth(address, 9090, "", seconds(3)))).toMatchObject({ took: 2000 });
  });

  it.each([
    ["silent", "timeout: health rpc did not complete within 1s"],
    [
      { status: "unimplemented" },
      "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health",
    ],
    [{ status: "unknownService" }, "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"],
  ] as const)("reports %j", async (answer, error) => {
    const { clock, network } = start({ grpc: () => answer });
    const seen = await outcome(clock, network.grpcHealth(address, 9090, "", seconds(1)));
    expect(seen.answer).toEqual({ kind: "failed", error });
  });
});

it("asks the servers of an address in turn and forgets those that closed", async () => {
  const { network, attached, listening } = start({ tcp: (port) => (port === 1 ? {} : undefined) });
  attached.listen({ ...nothing, tcp: (port) => (port === 2 ? {} : undefined) });
  const kind = async (port: number): Promise<string> => (await network.tcpConnect(address, port, seconds(1))).kind;
  expect([await kind(1), await kind(2), await kind(3)]).toEqual(["connected", "connected", "failed"]);
  listening.close();
  expect([await kind(1), await kind(2)]).toEqual(["failed", "connected"]);
});
