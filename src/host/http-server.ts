// The API server's door to the network: HTTPS on one port, HTTP/2 and HTTP/1.1, client certificates. Knows nothing of what the
// requests mean.

import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders as Http2Headers,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { RequestHandler } from "../api/wire/request.ts";
import { answerRequest, failureText, HttpRequest, sendAnswer } from "./answer-request.ts";
import type { ClusterCertificates } from "./certificates.ts";
import { http1Exchange, http2Exchange } from "./exchange.ts";
import type { UpgradeDoor } from "./streaming/answer-upgrade.ts";

export interface HttpServerOptions {
  readonly handle: RequestHandler;
  readonly certificates: ClusterCertificates;
  /** Address to listen on. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Told of what went wrong on a connection or inside the handler; never for a request that was merely refused. */
  readonly log: (message: string) => void;
  /** How long a request's body may take to arrive, in milliseconds; a minute if absent. */
  readonly bodyTimeLimit?: number;
}

export interface HttpServer {
  readonly port: number;
  /** Stops listening, ends all watches and connections. */
  close(): Promise<void>;
}

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
  const tracked = (connection: Socket | ServerHttp2Session): void => {
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
  };
  // Before the handshake already: one that never comes must not hold up the end.
  server.on("connection", tracked);
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
  server.on("request", (request: unknown, response: unknown) => {
    if ((request as IncomingMessage).httpVersionMajor === 1)
      void answerRequest(http1Exchange(request as IncomingMessage, response as ServerResponse), options);
  });
  // To listen to requests is also to have node dress every HTTP/2 stream up as one; streams are answered as they are, which takes a third off.
  server.removeAllListeners("stream");
  server.on("stream", (stream, headers) => answerStream(stream, headers, options));
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

/** A stream of HTTP/2. Those of CONNECT lead nowhere. */
function answerStream(stream: ServerHttp2Stream, headers: Http2Headers, options: HttpServerOptions): void {
  const socket = stream.session?.socket;
  if (socket === undefined) return; // the connection is gone already
  // What broke is followed by `close`.
  stream.on("error", () => undefined);
  if (headers[":method"] === "CONNECT") {
    stream.respond({ ":status": 405 }, { endStream: true });
    return;
  }
  if (headers.expect === "100-continue") stream.additionalHeaders({ ":status": 100 });
  void answerRequest(http2Exchange(stream, headers, socket as TLSSocket), options);
}

/** Always HTTP/1.1: with HTTP/2 there is nothing to upgrade. */
async function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: HttpServerOptions,
): Promise<void> {
  // What broke is followed by `close`; before anyone looks, it must not end the process.
  socket.on("error", () => socket.destroy());
  const door: UpgradeDoor = {
    handle: ({ method = "", url = "", headers }, presence) =>
      options.handle(new HttpRequest({ method, url, headers, socket: socket as TLSSocket }, undefined, presence)),
    send: (answer, asked, response, presence) => sendAnswer(answer, http1Exchange(asked, response), presence),
  };
  try {
    const { answerUpgrade } = await import("./streaming/answer-upgrade.ts");
    await answerUpgrade(door, request, socket, head);
  } catch (error) {
    if (!socket.destroyed) options.log(failureText(request, error));
    socket.destroy();
  }
}
