// From an HTTP exchange to the one request object (api/wire/request.ts), and from its answer back to bytes.

import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { ApiBody, ApiRequest, ApiResponse, RequestHandler, UserInfo } from "../api/wire/request.ts";
import { badRequest, methodNotAllowed, timeout } from "../api/wire/status-error.ts";
import { statusResponse } from "../apiserver/codec/encode.ts";
import { certificateFingerprint } from "./certificates.ts";
import { type Exchange, Presence } from "./exchange.ts";
import { type RequestBody, readBody, usualBodyTimeLimit } from "./request-body.ts";
import { sendWatch } from "./watch-response.ts";

/** For a client that asks for streams without the means to have them. */
const upgradeRequired = (): ApiResponse => statusResponse(badRequest("Upgrade request required"));

const anonymous: UserInfo = { username: "system:anonymous", groups: ["system:unauthenticated"] };

export interface RequestAnswering {
  readonly handle: RequestHandler;
  /** Told of what went wrong inside the handler; never of a request that was merely refused. */
  readonly log: (message: string) => void;
  /** How long a request's body may take to arrive, in milliseconds; a minute if absent. */
  readonly bodyTimeLimit?: number;
}

export async function answerRequest(exchange: Exchange, options: RequestAnswering): Promise<void> {
  const presence = new Presence(exchange.out);
  try {
    const { method } = exchange;
    const body =
      method === "GET" || method === "HEAD"
        ? noBody
        : await readBody(exchange.body, options.bodyTimeLimit ?? usualBodyTimeLimit);
    if (presence.isGone || body.end === "broken") return;
    if (body.end !== "complete") exchange.hangUpAfterwards();
    const reply = await replyTo(exchange, body, presence, options);
    if (presence.isGone) {
      if (reply.body.kind === "watch") reply.body.watch.stop();
      return;
    }
    await sendAnswer(reply.body.kind === "session" ? upgradeRequired() : reply, exchange, presence);
  } catch (error) {
    if (presence.isGone) return;
    options.log(failureText(exchange, error));
    if (exchange.isHeadSent()) exchange.out.destroy();
    else {
      exchange.head(500, { "content-type": "text/plain" });
      exchange.out.end("an error inside lifepod; its log has the details\n");
    }
  }
}

const noBody: RequestBody = { bytes: undefined, end: "complete" };

async function replyTo(
  exchange: Exchange,
  body: RequestBody,
  presence: Presence,
  { handle }: RequestAnswering,
): Promise<ApiResponse> {
  if (body.end === "late") return statusResponse(timeout("the body of the request did not arrive in time"));
  if (!isMethod(exchange.method)) return statusResponse(methodNotAllowed());
  return handle(new HttpRequest(exchange, body.bytes, presence));
}

const methods: ReadonlySet<string> = new Set<ApiRequest["method"]>([
  "GET",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS",
]);

/** The network may call any word a method. */
export const isMethod = (word: string): word is ApiRequest["method"] => methods.has(word);

export const failureText = ({ method, url }: Pick<IncomingMessage, "method" | "url">, error: unknown): string =>
  `${method} ${url} failed inside lifepod: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;

export class HttpRequest implements ApiRequest {
  readonly method: ApiRequest["method"];
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly user: UserInfo;
  readonly body?: { readonly kind: "bytes"; readonly bytes: Uint8Array };
  readonly #presence: Presence;

  constructor(
    { method, url, headers, socket }: Pick<Exchange, "method" | "url" | "headers" | "socket">,
    body: Uint8Array | undefined,
    presence: Presence,
  ) {
    const question = url.indexOf("?");
    this.method = method as ApiRequest["method"];
    this.path = question === -1 ? url : url.slice(0, question);
    this.query = new URLSearchParams(question === -1 ? "" : url.slice(question + 1));
    this.headers = plainHeaders(headers);
    this.user = userOf(socket);
    if (body !== undefined) this.body = { kind: "bytes", bytes: body };
    this.#presence = presence;
  }

  get signal(): AbortSignal {
    return this.#presence.signal;
  }
}

/** Without the pseudo-headers of HTTP/2, repeated ones joined. */
function plainHeaders(headers: Exchange["headers"]): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== undefined && !name.startsWith(":")) plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
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

/** Sends an answer that is no session. */
export async function sendAnswer(answer: ApiResponse, exchange: Exchange, presence: Presence): Promise<void> {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(answer.headers))
    headers[name] = typeof value === "string" ? value : [...value];
  const bytes = bytesOf(answer.body);
  if (bytes !== undefined) {
    headers["content-length"] = String(bytes.length);
    exchange.head(answer.status, headers);
    exchange.out.end(exchange.method === "HEAD" ? "" : bytes);
    return;
  }
  exchange.head(answer.status, headers);
  switch (answer.body.kind) {
    case "watch":
      sendWatch(answer.body.watch, exchange, presence);
      return;
    case "byteStream":
      await sendChunks(answer.body.chunks, exchange, presence);
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

async function sendChunks(chunks: AsyncIterable<Uint8Array>, exchange: Exchange, presence: Presence): Promise<void> {
  exchange.flush();
  for await (const chunk of chunks) {
    if (presence.isGone) return;
    if (!exchange.out.write(chunk)) await drained(exchange.out, presence);
  }
  exchange.out.end();
}

function drained(out: Writable, presence: Presence): Promise<void> {
  const gone = presence.signal;
  if (gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      out.removeListener("drain", done);
      gone.removeEventListener("abort", done);
      resolve();
    };
    out.once("drain", done);
    gone.addEventListener("abort", done, { once: true });
  });
}
