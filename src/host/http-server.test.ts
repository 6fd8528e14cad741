import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { ApiRequest, ApiResponse, WatchEvent, WatchReceiver } from "../api/wire/request.ts";
import { bodyLimitBytes } from "../apiserver/codec/decode-body.ts";
import { type ClusterCertificates, loadOrCreateCertificates } from "./certificates.ts";
import { type HttpServer, startHttpServer } from "./http-server.ts";

let folder: string;
let certificates: ClusterCertificates;
const running: HttpServer[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lifepod-http-"));
  certificates = await loadOrCreateCertificates(folder, ["localhost", "127.0.0.1"]);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function serve(handle: (request: ApiRequest) => ApiResponse): Promise<HttpServer & { logged: string[] }> {
  const logged: string[] = [];
  const server = await startHttpServer({
    handle: async (request) => handle(request),
    certificates,
    host: "127.0.0.1",
    port: 0,
    log: (message) => logged.push(message),
  });
  running.push(server);
  return { ...server, logged };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, unknown>;
}

function call(
  port: number,
  options: { method?: string; path?: string; body?: string | Buffer; anonymous?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        port,
        host: "127.0.0.1",
        ca: certificates.authority,
        ...(options.anonymous !== true && {
          cert: certificates.administrator.certificate,
          key: certificates.administrator.key,
        }),
        method: options.method ?? "GET",
        path: options.path ?? "/",
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            headers: response.headers,
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(options.body);
  });
}

const json = (object: Record<string, unknown>): ApiResponse => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: { kind: "object", object, json: () => JSON.stringify(object) },
});

it("tells the handler who asks by the client certificate", async () => {
  const server = await serve((request) => json({ user: request.user.username, groups: request.user.groups }));
  expect(JSON.parse((await call(server.port)).body)).toEqual({
    user: "kubernetes-admin",
    groups: ["system:masters", "system:authenticated"],
  });
});

it("takes a caller without a certificate for anonymous", async () => {
  const server = await serve((request) => json({ user: request.user.username }));
  expect(JSON.parse((await call(server.port, { anonymous: true })).body)).toEqual({ user: "system:anonymous" });
});

it("hands over method, path, query, headers and the bytes of the body", async () => {
  let seen: ApiRequest | undefined;
  const server = await serve((request) => {
    seen = request;
    return json({});
  });
  await call(server.port, { method: "POST", path: "/api/v1/pods?labelSelector=a%3Db&dryRun=All", body: "hello" });
  expect(seen?.method).toBe("POST");
  expect(seen?.path).toBe("/api/v1/pods");
  expect(seen?.query.get("labelSelector")).toBe("a=b");
  expect(seen?.body?.kind === "bytes" && Buffer.from(seen.body.bytes).toString()).toBe("hello");
});

it("answers HTTP/2 on the same port, and knows the caller there too", async () => {
  const server = await serve((request) => json({ user: request.user.username }));
  const session = connect(`https://127.0.0.1:${server.port}`, {
    ca: certificates.authority,
    cert: certificates.administrator.certificate,
    key: certificates.administrator.key,
  });
  const text = await new Promise<string>((resolve, reject) => {
    const stream = session.request({ ":path": "/" });
    let body = "";
    stream.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    stream.on("end", () => resolve(body));
    stream.on("error", reject);
  });
  session.close();
  expect(JSON.parse(text)).toEqual({ user: "kubernetes-admin" });
});

it("says nothing when a client hangs up in the middle of a watch", async () => {
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const start = (receiver: WatchReceiver): void => {
    receiver.event({ type: "ADDED", object: {}, line: () => '{"type":"ADDED","object":{}}\n' });
  };
  const server = await serve(() => ({ status: 200, headers: {}, body: { kind: "watch", watch: { start, stop } } }));
  const socket = connectSocket({ port: server.port, host: "127.0.0.1" });
  const session = connect(`https://127.0.0.1:${server.port}`, {
    createConnection: () =>
      connectTls({ socket, ca: certificates.authority, ALPNProtocols: ["h2"], host: "127.0.0.1" }),
  });
  session.on("error", () => undefined);
  const stream = session.request({ ":path": "/" });
  stream.on("error", () => undefined);
  await new Promise((resolve) => stream.once("data", resolve));
  socket.resetAndDestroy();
  await stopped;
  expect(server.logged).toEqual([]);
});

it("gives the handler no more of an endless body than shows that it is too large", async () => {
  let size = 0;
  const server = await serve((request) => {
    size = request.body?.kind === "bytes" ? request.body.bytes.length : 0;
    return { status: 413, headers: { "content-type": "text/plain" }, body: { kind: "text", text: "too large" } };
  });
  const answer = await call(server.port, { method: "POST", body: Buffer.alloc(5 * 1024 * 1024, "x") });
  expect(answer.status).toBe(413);
  expect(size).toBeGreaterThan(bodyLimitBytes);
  expect(size).toBeLessThan(bodyLimitBytes + 1024 * 1024);
});

it("answers 504 when a body does not arrive in time, over both versions, and does not wait for the rest", async () => {
  const server = await startHttpServer({
    handle: async () => json({}),
    certificates,
    host: "127.0.0.1",
    port: 0,
    log: () => undefined,
    bodyTimeLimit: 50,
  });
  running.push(server);
  const socket = connectTls({ port: server.port, host: "127.0.0.1", ca: certificates.authority });
  socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{");
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 504 .*"reason":"Timeout"/s);

  const session = connect(`https://127.0.0.1:${server.port}`, { ca: certificates.authority });
  const stream = session.request({ ":method": "POST", ":path": "/" }, { endStream: false });
  stream.write("{");
  const status = new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
  stream.resume();
  await new Promise((resolve) => stream.once("close", resolve));
  session.close();
  expect(await status).toBe(504);
});

it("answers 500 in plain words and logs the details when the handler breaks", async () => {
  const server = await serve(() => {
    throw new Error("a bug");
  });
  const answer = await call(server.port, { path: "/broken" });
  expect(answer).toMatchObject({ status: 500, body: "an error inside lifepod; its log has the details\n" });
  expect(server.logged.join()).toMatch(/GET \/broken failed inside lifepod: Error: a bug/);
});

it("sends watch events as they come and frees the watch when the client hangs up", async () => {
  let receiver: WatchReceiver | undefined;
  const stopped = new Promise<void>((resolve) => {
    void serve(() => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: { kind: "watch", watch: { start: (r) => void (receiver = r), stop: resolve } },
    })).then((server) => {
      const request = httpsRequest(
        {
          port: server.port,
          host: "127.0.0.1",
          ca: certificates.authority,
          cert: certificates.administrator.certificate,
          key: certificates.administrator.key,
          agent: false,
        },
        (response) => {
          const event: WatchEvent = { type: "ADDED", object: {}, line: () => `{"type":"ADDED","object":{}}\n` };
          receiver?.event(event);
          response.once("data", (chunk: Buffer) => {
            expect(chunk.toString()).toBe(event.line());
            request.destroy();
          });
        },
      );
      request.on("error", () => undefined);
      request.end();
    });
  });
  await stopped;
});

it("says which port is taken and what to do", async () => {
  const server = await serve(() => json({}));
  await expect(
    startHttpServer({
      handle: async () => json({}),
      certificates,
      host: "127.0.0.1",
      port: server.port,
      log: () => undefined,
    }),
  ).rejects.toThrow(/the port is taken; stop what uses it, or choose another with --port/);
});
