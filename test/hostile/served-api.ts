// A real API server behind the real HTTPS door, and clients that do not behave.

import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectHttp2, type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import { Agent, request as httpsRequest } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type ApiServer, createApiServer } from "../../src/apiserver/api-server.ts";
import { type ClusterCertificates, loadOrCreateCertificates } from "../../src/host/certificates.ts";
import { type HttpServer, startHttpServer } from "../../src/host/http-server.ts";
import { entropicRandom, WallClock } from "../../src/host/wall-clock.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  readonly anonymous?: boolean;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** How a client talks. */
export type Ask = (asked: Asked) => Promise<Answered>;

export class ServedApi {
  readonly store: MemoryStore;
  readonly server: ApiServer;
  readonly http: HttpServer;
  readonly certificates: ClusterCertificates;
  /** What the server took for its own failures. */
  readonly complaints: string[];
  readonly #folder: string;
  readonly #agent: Agent;
  #session: ClientHttp2Session | undefined;

  private constructor(
    parts: Pick<ServedApi, "store" | "server" | "http" | "certificates" | "complaints">,
    folder: string,
  ) {
    ({
      store: this.store,
      server: this.server,
      http: this.http,
      certificates: this.certificates,
      complaints: this.complaints,
    } = parts);
    this.#folder = folder;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 4 });
  }

  static async start(): Promise<ServedApi> {
    const folder = await mkdtemp(join(tmpdir(), "lifepod-hostile-"));
    const certificates = await loadOrCreateCertificates(folder, ["localhost", "127.0.0.1"]);
    const clock = new WallClock();
    const store = new MemoryStore({ clock });
    const complaints: string[] = [];
    const nobody = async () => ({ kind: "refused", status: 500, message: "there are no nodes" }) as const;
    const server = createApiServer({
      store,
      clock,
      random: entropicRandom(),
      nodes: { containerLogs: nobody, nodeUsage: nobody, podStream: nobody },
      options: { reportError: (error) => complaints.push(error instanceof Error ? `${error.stack}` : String(error)) },
    });
    await server.start();
    const http = await startHttpServer({
      handle: server.handle,
      certificates,
      host: "127.0.0.1",
      port: 0,
      log: (message) => complaints.push(message),
    });
    const api = new ServedApi({ store, server, http, certificates, complaints }, folder);
    await api.good("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
    return api;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#session?.destroy();
    await this.http.close();
    await this.server.stop();
    await this.store.close();
    await rm(this.#folder, { recursive: true });
  }

  /** Everything the store holds, with its revisions. */
  async dump(): Promise<string> {
    return JSON.stringify((await this.store.range({ prefix: "" })).items);
  }

  /** A request that must succeed. */
  async good(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await this.http1({
      method,
      path,
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as Record<string, unknown>;
  }

  readonly http1: Ask = ({ method = "GET", path = "/", headers = {}, body, anonymous = false }) =>
    new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          port: this.http.port,
          host: "127.0.0.1",
          ...this.identity(anonymous),
          method,
          path,
          // Not every method's body would be sent with its length.
          headers: body === undefined ? headers : { "content-length": Buffer.byteLength(body), ...headers },
          agent: anonymous ? false : this.#agent,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      request.on("error", reject);
      request.end(body);
    });

  readonly http2: Ask = ({ method = "GET", path = "/", headers = {}, body }) =>
    new Promise((resolve, reject) => {
      if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
        this.#session = this.session();
      }
      const stream = this.#session.request(
        { ...headers, ":method": method, ":path": path },
        { endStream: body === undefined },
      );
      let status = 0;
      let answered: Record<string, unknown> = {};
      const chunks: Buffer[] = [];
      stream.on("response", (received) => {
        status = Number(received[":status"]);
        answered = received;
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => resolve({ status, headers: answered, text: Buffer.concat(chunks).toString() }));
      stream.on("error", reject);
      if (body !== undefined) stream.end(body);
    });

  /** An HTTP/2 connection of its own. */
  session(anonymous = false): ClientHttp2Session {
    const session = connectHttp2(`https://127.0.0.1:${this.http.port}`, this.identity(anonymous));
    session.on("error", () => session.destroy());
    return session;
  }

  /** A TLS connection for whoever writes the bytes itself. */
  tls(protocol: "http/1.1" | "h2" = "http/1.1"): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connectTls(
        { port: this.http.port, host: "127.0.0.1", ALPNProtocols: [protocol], ...this.identity(false) },
        () => resolve(socket),
      );
      socket.on("error", reject);
    });
  }

  /** A bare connection, before any TLS. */
  tcp(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp(this.http.port, "127.0.0.1", () => resolve(socket));
      socket.on("error", reject);
    });
  }

  identity(anonymous: boolean): { readonly ca: string; readonly cert?: string; readonly key?: string } {
    const { authority: ca, administrator } = this.certificates;
    return { ca, ...(!anonymous && { cert: administrator.certificate, key: administrator.key }) };
  }
}

/** All that a connection brings until the other side ends it. */
export function everything(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.removeAllListeners("error");
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}
