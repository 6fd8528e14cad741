// GET as the kubelet's probes make it (pod-lifecycle 6.4): one connection for each request, no certificate checks, no compression, no proxy.

import type { IncomingMessage, RequestOptions } from "node:http";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, isIP } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpProbeAnswer, HttpProbeRequest } from "../pod-network.ts";
import {
  awaitingHeadersTimeout,
  getError,
  joinHostPort,
  plainHttpOnTls,
  probeUrl,
  readingBodyTimeout,
  redirectLimit,
  redirectTarget,
  tooManyRedirects,
} from "../probe-errors.ts";
import { goHttpError } from "./go-errors.ts";
import { PeekedSocket } from "./peeked-socket.ts";

/** One request with its redirects. Never rejects for what the other side does. */
export async function httpGet(request: HttpProbeRequest): Promise<HttpProbeAnswer> {
  const deadline = performance.now() + request.timeout;
  let current = request;
  for (let sent = 1; ; sent++) {
    // What cannot be sent at all (a header with a line end in it) is the request's fault and not ours.
    const answer = await exchange(current, deadline).catch(
      (error: Error): HttpProbeAnswer => ({ kind: "failed", error: getError(probeUrl(current), error.message) }),
    );
    if (answer.kind !== "response") return answer;
    const { status, body, location } = answer;
    const target = request.followRedirects ? redirectTarget(current, status, location) : undefined;
    if (target === undefined) return { kind: "answered", status, body, redirectedElsewhere: false };
    if (target.host !== request.host) return { kind: "answered", status, body, redirectedElsewhere: true };
    if (sent >= redirectLimit) return { kind: "failed", error: getError(location ?? "", tooManyRedirects) };
    current = { ...request, ...target, headers: redirectedHeaders(current, location ?? "") };
  }
}

/** The name that was asked for by header goes along only to a place on the same server; where the request comes from is told. */
function redirectedHeaders(from: HttpProbeRequest, location: string): HttpProbeRequest["headers"] {
  const absolute = /^(?:[a-z]+:)?\/\//i.test(location);
  const secret = from.scheme === "https" && /^http:/i.test(location);
  const dropped = ["referer", ...(absolute ? ["host"] : [])];
  const kept = from.headers.filter(([name]) => !dropped.includes(name.toLowerCase()));
  return secret ? kept : [...kept, ["Referer", probeUrl(from)]];
}

interface Response {
  readonly kind: "response";
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

function exchange(
  request: HttpProbeRequest,
  deadline: number,
): Promise<Response | Exclude<HttpProbeAnswer, { kind: "answered" }>> {
  const url = probeUrl(request);
  return new Promise((resolve) => {
    let response: IncomingMessage | undefined;
    let peeked: PeekedSocket | undefined;
    let local = "";
    const options: RequestOptions = {
      agent: false,
      method: "GET",
      path: escaped(request.path),
      headers: headerLines(request),
    };
    const finish = (answer: Awaited<ReturnType<typeof exchange>>): void => {
      clearTimeout(timer);
      resolve(answer);
      outgoing.destroy();
    };
    const timer = setTimeout(
      () => {
        const error = response === undefined ? getError(url, awaitingHeadersTimeout) : readingBodyTimeout;
        finish({ kind: "failed", error });
      },
      Math.max(0, deadline - performance.now()),
    );
    const { host, port } = request;
    const outgoing =
      request.scheme === "http"
        ? httpRequest({ ...options, host, port })
        : httpsRequest({
            ...options,
            host,
            port,
            rejectUnauthorized: false,
            servername: isIP(host) === 0 ? host : "",
            ...tunnelled((peeked = new PeekedSocket(connect({ host, port })))),
          });
    outgoing.on("error", (error) => {
      if (peeked?.firstBytes === "HTTP/") {
        finish({ kind: "plainHttpOnTls", error: getError(url, plainHttpOnTls) });
        return;
      }
      const text = goHttpError(error, host, port, local);
      finish({ kind: "failed", error: response === undefined ? getError(url, text) : text });
    });
    outgoing.on("socket", (socket) => {
      // Asked when the connection is there, because a closed one has forgotten.
      socket.on("connect", () => {
        local = joinHostPort(socket.localAddress ?? "", socket.localPort ?? 0);
      });
    });
    outgoing.on("response", (incoming) => {
      response = incoming;
      readBody(incoming, request.bodyLimit, (body) => {
        finish({ kind: "response", status: incoming.statusCode ?? 0, body, location: incoming.headers.location });
      });
    });
    outgoing.end();
  });
}

/** The path with what may not stand in a request's first line written in percent signs, as Go does. */
const escaped = (path: string): string => path.replace(/[^\x21-\x7e]+/gu, (text) => encodeURIComponent(text));

/** Has TLS spoken over a stream of ours. */
const tunnelled = (socket: Duplex): { readonly socket: Duplex } => ({ socket });

/** The lines of the request's head, in order and with repetitions. */
function headerLines(request: HttpProbeRequest): string[] {
  const named = request.headers.findLast(([name]) => name.toLowerCase() === "host");
  const others = request.headers.filter(([name]) => !["host", "connection"].includes(name.toLowerCase()));
  return ["Host", named?.[1] ?? joinHostPort(request.host, request.port), ...others.flat(), "Connection", "close"];
}

function readBody(incoming: IncomingMessage, limit: number, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (): void => done(Buffer.concat(chunks).subarray(0, limit).toString("utf8"));
  incoming.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) finish();
  });
  incoming.on("end", finish);
}
