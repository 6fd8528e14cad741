// The API server's door to the network: HTTPS on one port, HTTP/2 and HTTP/1.1, client certificates. Turns each HTTP request into the one request
// object (api/wire/request.ts) and its answer back into bytes. Knows nothing of what the requests mean.

import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
} from "node:http2";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { ApiBody, ApiRequest, ApiResponse, RequestHandler, UserInfo } from "../api/wire/request.ts";
import { badRequest } from "../api/wire/status-error.ts";
import { statusResponse } from "../apiserver/codec/encode.ts";
import { certificateFingerprint, type ClusterCertificates } from "./certificates.ts";
import { answerUpgrade, type UpgradeDoor } from "./streaming/answer-upgrade.ts";
import { sendWatch } from "./watch-response.ts";

/** Bodies beyond this are not even read (api-machinery 12.3); the API server words the refusal. */
export const bodyLimitBytes = 3_145_728;

export interface HttpServerOptions {
  readonly handle: RequestHandler;
  readonly certificates: ClusterCertificates;
  /** Address to listen on. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Told of what went wrong on a connection or inside the handler; never for a request that was merely refused. */
  readonly log: (message: string) => void;
}

export interface HttpServer {
  readonly port: number;
  /** Stops listening, ends all watches and connections. */
  close(): Promise<void>;
}

/** For a client that asks for streams without the means to have them. */
const upgradeRequired = (): ApiResponse => statusResponse(badRequest("Upgrade request required"));

const anonymous: UserInfo = { username: "system:anonymous", groups: ["system:unauthenticated"] };

/** Starts to listen. @throws with the address and what to do when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { certificates } = options;
  const server = createSecureServer({
    allowHTTP1: true,
    cert: certificates.server.certificate,
    key: certificates.server.key,
    ca: certificates.authority,
    requestCert: true,
    // Who shows no certificate, or one that we did not sign, is anonymous; what that may do is the API server's to say.
    rejectUnauthorized: false,
    // One informer-heavy client holds a stream for each of its watches.
    settings: { maxConcurrentStreams: 2000 },
  });
  const connections = new Set<{ destroy(): void }>();
  const tracked = (connection: TLSSocket | ServerHttp2Session): void => {
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
  };
  server.on("secureConnection", (socket) => {
    socket.setNoDelay(true);
    tracked(socket);
  });
  server.on("session", tracked);
  server.on("sessionError", (error: NodeJS.ErrnoException) => {
    // A client that ends without a word, as kubectl does at Ctrl-C, is nothing to report.
    if (error.code !== "ECONNRESET" && error.code !== "EPIPE")
      options.log(`an HTTP/2 connection broke: ${error.message}`);
  });
  // Clients that hang up in the middle of the handshake, scanners, browsers that do not trust the certificate: not ours to report.
  server.on("tlsClientError", () => undefined);
  server.on("request", (request, response) => void answer(request, response, options));
  server.on(
    "upgrade",
    (request: IncomingMessage, socket: Duplex, head: Buffer) => void upgrade(request, socket, head, options),
  );
  // A watch lives as long as its client wants it.
  server.setTimeout(0);

  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.destroy();
      }),
  };
}

function listen(server: Http2SecureServer, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") {
        reject(
          new Error(
            `cannot listen on ${host}:${port}: the port is taken; stop what uses it, or choose another with --port (0 takes any free one)`,
          ),
        );
      } else if (error.code === "EACCES") {
        reject(new Error(`cannot listen on ${host}:${port}: not permitted; choose a port above 1023 with --port`));
      } else reject(error);
    });
    server.listen(port, host, () => resolve());
  });
}

async function answer(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  options: HttpServerOptions,
): Promise<void> {
  const gone = new AbortController();
  // `close` of the request fires as soon as its body was read; only the response's tells that the client hung up.
  response.on("close", () => gone.abort(new Error("the client hung up")));
  response.on("error", () => gone.abort(new Error("the connection broke")));
  try {
    const body = await readBody(request);
    if (gone.signal.aborted) return;
    const reply = await options.handle(toApiRequest(request, body, gone.signal));
    await send(reply.body.kind === "session" ? upgradeRequired() : reply, request, response, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) return;
    options.log(failureText(request, error));
    if (response.headersSent) response.stream?.destroy();
    else {
      response.writeHead(500, { "content-type": "text/plain" });
      response.end("an error inside lifepod; its log has the details\n");
    }
  }
}

/** Always HTTP/1.1: with HTTP/2 there is nothing to upgrade. */
async function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: HttpServerOptions,
): Promise<void> {
  const door: UpgradeDoor = {
    handle: (asked, gone) => options.handle(toApiRequest(asked as unknown as Http2ServerRequest, undefined, gone)),
    send: (answer, asked, response, gone) =>
      send(answer, asked as unknown as Http2ServerRequest, response as unknown as Http2ServerResponse, gone),
  };
  try {
    await answerUpgrade(door, request, socket, head);
  } catch (error) {
    if (!socket.destroyed) options.log(failureText(request, error));
    socket.destroy();
  }
}

const failureText = ({ method, url }: Pick<IncomingMessage, "method" | "url">, error: unknown): string =>
  `${method} ${url} failed inside lifepod: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;

function toApiRequest(request: Http2ServerRequest, body: Uint8Array | undefined, signal: AbortSignal): ApiRequest {
  const question = request.url.indexOf("?");
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(":")) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    method: request.method as ApiRequest["method"],
    path: question === -1 ? request.url : request.url.slice(0, question),
    query: new URLSearchParams(question === -1 ? "" : request.url.slice(question + 1)),
    headers,
    user: userOf(socketOf(request)),
    ...(body !== undefined && { body: { kind: "bytes", bytes: body } }),
    signal,
  };
}

function socketOf(request: Http2ServerRequest): TLSSocket {
  // With HTTP/2 the request's own socket is a guard object; the session has the real one.
  return (request.stream?.session?.socket ?? request.socket) as TLSSocket;
}

const usersBySocket = new WeakMap<TLSSocket, UserInfo>();

/** Who is behind a connection, by its client certificate: user = CN, groups = all O values (api-machinery 9.1). */
function userOf(socket: TLSSocket): UserInfo {
  let user = usersBySocket.get(socket);
  if (user === undefined) {
    user = authenticate(socket);
    usersBySocket.set(socket, user);
  }
  return user;
}

function authenticate(socket: TLSSocket): UserInfo {
  if (!socket.authorized) return anonymous;
  const certificate = socket.getPeerCertificate();
  const subject = certificate.subject as unknown as Record<string, string | string[]> | undefined;
  const username = [subject?.CN ?? []].flat()[0];
  if (username === undefined) return anonymous;
  return {
    username,
    groups: [...[subject?.O ?? []].flat(), "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${certificateFingerprint(certificate.raw)}`] },
  };
}

/** The whole body, or its first bytes up to just beyond the limit: enough for the API server to refuse it. `undefined` if there is none. */
async function readBody(request: Http2ServerRequest): Promise<Uint8Array | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    // Beyond the limit the rest is read and dropped, so that the client gets the answer and not a broken pipe.
    if (size <= bodyLimitBytes) chunks.push(chunk);
    size += chunk.length;
    if (size > 64 * bodyLimitBytes) throw new Error("a request body without end");
  }
  return size === 0 ? undefined : Buffer.concat(chunks);
}

async function send(
  answer: ApiResponse,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(answer.headers))
    headers[name] = typeof value === "string" ? value : [...value];
  const bytes = bytesOf(answer.body);
  if (bytes !== undefined) {
    headers["content-length"] = String(bytes.length);
    response.writeHead(answer.status, headers);
    response.end(request.method === "HEAD" ? "" : bytes);
    return;
  }
  response.writeHead(answer.status, headers);
  switch (answer.body.kind) {
    case "watch":
      sendWatch(answer.body.watch, response, gone);
      return;
    case "byteStream":
      await sendChunks(answer.body.chunks, response, gone);
      return;
    case "session":
    case "empty":
    case "object":
    case "bytes":
    case "text":
      return;
  }
}

function bytesOf(body: ApiBody): Uint8Array | undefined {
  switch (body.kind) {
    case "empty":
      return new Uint8Array();
    case "object":
      return Buffer.from(body.json());
    case "text":
      return Buffer.from(body.text);
    case "bytes":
      return body.bytes;
    case "watch":
    case "byteStream":
    case "session":
      return undefined;
  }
}

async function sendChunks(
  chunks: AsyncIterable<Uint8Array>,
  response: Http2ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  flushHeaders(response);
  for await (const chunk of chunks) {
    if (gone.aborted) return;
    if (!response.write(chunk)) await drained(response, gone);
  }
  response.end();
}

function drained(response: Http2ServerResponse, gone: AbortSignal): Promise<void> {
  if (gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.removeListener("drain", done);
      gone.removeEventListener("abort", done);
      resolve();
    };
    response.once("drain", done);
    gone.addEventListener("abort", done, { once: true });
  });
}

/** HTTP/1.1 clients of a quiet stream must see the headers at once; with HTTP/2 they have gone out already. */
function flushHeaders(response: Http2ServerResponse): void {
  if ("flushHeaders" in response && typeof response.flushHeaders === "function") response.flushHeaders();
}
