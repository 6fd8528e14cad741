import { createServer as createHttp2Server } from "node:http2";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { millis, seconds } from "../../base/time.ts";
import type { HttpProbeRequest } from "../pod-network.ts";
import { CertificateMaker } from "../../host/certificate-maker.ts";
import { HostNetwork } from "./host-network.ts";

const network = new HostNetwork();
const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function listening(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A port on which nobody listens: one that was just given back. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A certificate that no client has a reason to trust. */
function selfSigned(): { cert: string; key: string } {
  const maker = CertificateMaker.create(60_000);
  return { cert: maker.authority, key: maker.authorityKey };
}

const get = (port: number, change: Partial<HttpProbeRequest> = {}): HttpProbeRequest => ({
  scheme: "http",
  host: "127.0.0.1",
  port,
  path: "/",
  headers: [],
  timeout: seconds(5),
  bodyLimit: 10_240,
  followRedirects: true,
  ...change,
});

const http = (handler: RequestListener): Promise<number> => listening(createServer(handler));

describe("httpGet", () => {
  it("sends exactly the headers that it was given, on a connection of its own", async () => {
    let seen: IncomingMessage | undefined;
    const port = await http((request, response) => {
      seen = request;
      response.end("fine");
    });
    const headers = [
      ["X-One", "1"],
      ["X-One", "2"],
      ["Host", "example.org"],
      ["User-Agent", "kube-probe/1.34"],
    ] as const;
    expect(await network.httpGet(get(port, { path: "/a?b=c", headers }))).toEqual({
      kind: "answered",
      status: 200,
      body: "fine",
      redirectedElsewhere: false,
    });
    expect(seen?.url).toBe("/a?b=c");
    expect(seen?.rawHeaders).toEqual([
      "Host",
      "example.org",
      "X-One",
      "1",
      "X-One",
      "2",
      "User-Agent",
      "kube-probe/1.34",
      "Connection",
      "close",
    ]);
  });

  it("names address and port where no host was given", async () => {
    const port = await http((request, response) => response.end(request.headers.host));
    expect(await network.httpGet(get(port))).toMatchObject({ body: `127.0.0.1:${port}` });
  });

  it("sends a path with blanks and other scripts in it, and reports a header that cannot be sent", async () => {
    const port = await http((request, response) => response.end(request.url));
    expect(await network.httpGet(get(port, { path: "/a b/ü?c=%20" }))).toMatchObject({ body: "/a%20b/%C3%BC?c=%20" });
    expect(await network.httpGet(get(port, { headers: [["X-Bad", "a\nb"]] }))).toMatchObject({
      kind: "failed",
      error: expect.stringContaining(`Get "http://127.0.0.1:${port}/": `),
    });
  });

  it("takes any status for an answer and cuts the body at the limit", async () => {
    const port = await http((_request, response) => response.writeHead(503).end("x".repeat(100_000)));
    expect(await network.httpGet(get(port, { bodyLimit: 10 }))).toMatchObject({ status: 503, body: "xxxxxxxxxx" });
  });

  it("words a refused connection as Go does", async () => {
    const port = await closedPort();
    expect(await network.httpGet(get(port, { path: "/live" }))).toEqual({
      kind: "failed",
      error: `Get "http://127.0.0.1:${port}/live": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
  });

  it("words a connection that is closed without an answer as Go does", async () => {
    const port = await listening(createTcpServer((socket) => socket.once("data", () => socket.end())));
    expect(await network.httpGet(get(port))).toEqual({ kind: "failed", error: `Get "http://127.0.0.1:${port}/": EOF` });
  });

  it("words a connection that is torn down as Go does", async () => {
    const port = await listening(createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())));
    expect(await network.httpGet(get(port))).toMatchObject({
      error: expect.stringMatching(
        /^Get "http:\/\/127\.0\.0\.1:\d+\/": read tcp 127\.0\.0\.1:\d+->127\.0\.0\.1:\d+: read: connection reset by peer$/,
      ),
    });
  });

  it("gives up on a server that says nothing, and on one that stops in its answer", async () => {
    const silent = await listening(createTcpServer());
    const timeout = millis(100);
    expect(await network.httpGet(get(silent, { timeout }))).toEqual({
      kind: "failed",
      error: `Get "http://127.0.0.1:${silent}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    });
    const halting = await http((_request, response) => response.writeHead(200).write("half"));
    expect(await network.httpGet(get(halting, { timeout }))).toEqual({
      kind: "failed",
      error: "context deadline exceeded (Client.Timeout or context cancellation while reading body)",
    });
  });

  it("follows a redirect on the same host name", async () => {
    const port = await http((request, response) => {
      if (request.url === "/") response.writeHead(302, { location: "/next?x" }).end();
      else response.end(`${request.url} from ${request.headers.referer} for ${request.headers.host}`);
    });
    expect(await network.httpGet(get(port, { headers: [["Host", "web"]] }))).toMatchObject({
      body: `/next?x from http://127.0.0.1:${port}/ for web`,
    });
  });

  it("does not follow a redirect to another host, nor any if told so", async () => {
    const port = await http((request, response) =>
      response.writeHead(301, { location: request.url === "/" ? "http://elsewhere.invalid/" : "/" }).end("gone"),
    );
    expect(await network.httpGet(get(port))).toEqual({
      kind: "answered",
      status: 301,
      body: "gone",
      redirectedElsewhere: true,
    });
    const still = await network.httpGet(get(port, { followRedirects: false }));
    expect(still).toMatchObject({ status: 301, redirectedElsewhere: false });
  });

  it("stops after ten redirects", async () => {
    let requests = 0;
    const port = await http((_request, response) => {
      requests++;
      response.writeHead(302, { location: "/again" }).end();
    });
    expect(await network.httpGet(get(port))).toEqual({
      kind: "failed",
      error: 'Get "/again": stopped after 10 redirects',
    });
    expect(requests).toBe(10);
  });

  it("does not ask who signed a certificate", async () => {
    const port = await listening(createHttpsServer(selfSigned(), (_request, response) => response.end("safe")));
    expect(await network.httpGet(get(port, { scheme: "https" }))).toMatchObject({ status: 200, body: "safe" });
  });

  it("notices a server that answers plainly to TLS", async () => {
    const port = await http((_request, response) => response.end());
    expect(await network.httpGet(get(port, { scheme: "https" }))).toEqual({
      kind: "plainHttpOnTls",
      error: `Get "https://127.0.0.1:${port}/": http: server gave HTTP response to HTTPS client`,
    });
  });

  it("tells other nonsense in answer to TLS apart", async () => {
    const port = await listening(createTcpServer((socket) => socket.end("SSH-2.0-something\r\n")));
    const answer = await network.httpGet(get(port, { scheme: "https" }));
    expect(answer.kind).toBe("failed");
  });
});

describe("tcpConnect", () => {
  it("connects and closes at once", async () => {
    let closed = (): void => {};
    const seen = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const port = await listening(createTcpServer((socket) => socket.resume().on("close", closed)));
    expect(await network.tcpConnect("127.0.0.1", port, seconds(5))).toEqual({ kind: "connected" });
    await seen;
  });

  it("reports a refused connection", async () => {
    const port = await closedPort();
    expect(await network.tcpConnect("127.0.0.1", port, seconds(5))).toEqual({
      kind: "failed",
      error: `dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
  });

  it("reports a name that nobody has", async () => {
    const answer = await network.tcpConnect("no-such-host.invalid", 80, seconds(10));
    expect(answer).toMatchObject({
      kind: "failed",
      error: expect.stringMatching(/^dial tcp: lookup no-such-host.invalid: /),
    });
  });
});

describe("grpcHealth", () => {
  /** A health server: by service, the status number or the gRPC error. */
  async function healthServer(services: Readonly<Record<string, number | string>>): Promise<number> {
    const server = createHttp2Server();
    server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const message = Buffer.concat(chunks).subarray(5);
        const service = message.length === 0 ? "" : message.subarray(2).toString();
        const known = headers[":path"] === "/grpc.health.v1.Health/Check" ? services[service] : undefined;
        if (known === "silent") return;
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        const failed = typeof known !== "number";
        stream.on("wantTrailers", () =>
          stream.sendTrailers(
            failed
              ? { "grpc-status": known === "absent" ? "12" : "5", "grpc-message": "no%20such%20thing" }
              : { "grpc-status": "0" },
          ),
        );
        stream.end(failed ? undefined : Buffer.from([0, 0, 0, 0, 2, 8, known]));
      });
    });
    return await listening(server as unknown as Server);
  }

  it("asks for a service by name and reads its status", async () => {
    const port = await healthServer({ "": 1, two: 2, three: 3, "a-very-long-name": 0 });
    const statusOf = async (service: string) => await network.grpcHealth("127.0.0.1", port, service, seconds(5));
    expect(await statusOf("")).toEqual({ kind: "answered", status: "SERVING" });
    expect(await statusOf("two")).toEqual({ kind: "answered", status: "NOT_SERVING" });
    expect(await statusOf("three")).toEqual({ kind: "answered", status: "SERVICE_UNKNOWN" });
    expect(await statusOf("a-very-long-name")).toEqual({ kind: "answered", status: "UNKNOWN" });
  });

  it("reports errors of the call in Go's words", async () => {
    const port = await healthServer({ other: "absent", mute: "silent" });
    expect(await network.grpcHealth("127.0.0.1", port, "nothing", seconds(5))).toEqual({
      kind: "failed",
      error: "error: health rpc probe failed: rpc error: code = NotFound desc = no such thing",
    });
    expect(await network.grpcHealth("127.0.0.1", port, "other", seconds(5))).toEqual({
      kind: "failed",
      error: "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): no such thing",
    });
    expect(await network.grpcHealth("127.0.0.1", port, "mute", millis(300))).toEqual({
      kind: "failed",
      error: "timeout: health rpc did not complete within 300ms",
    });
  });

  it("takes a server of plain HTTP/2 for one without the protocol", async () => {
    const server = createHttp2Server((_request, response) => {
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("nothing here");
    });
    const port = await listening(server as unknown as Server);
    expect(await network.grpcHealth("127.0.0.1", port, "", seconds(5))).toMatchObject({
      error: expect.stringContaining("does not implement the grpc health protocol"),
    });
  });

  it("goes on connecting until its time is up", async () => {
    const port = await closedPort();
    const from = performance.now();
    expect(await network.grpcHealth("127.0.0.1", port, "", millis(200))).toEqual({
      kind: "failed",
      error: `timeout: failed to connect service "127.0.0.1:${port}" within 200ms: context deadline exceeded`,
    });
    expect(performance.now() - from).toBeGreaterThanOrEqual(195);
    const mute = await listening(createTcpServer());
    expect(await network.grpcHealth("127.0.0.1", mute, "", millis(200))).toMatchObject({
      error: expect.stringContaining("failed to connect service"),
    });
  });
});
