// The words in which Go's clients report what went wrong; they end up in events and people search for them (pod-lifecycle 6.4, 6.6, 6.7).

import type { Millis } from "../base/time.ts";
import type { HttpProbeRequest } from "./pod-network.ts";

/** `10.0.0.5:8080`, `[fd00::1]:8080`. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The request's URL as Go prints it. */
export function probeUrl(request: Pick<HttpProbeRequest, "scheme" | "host" | "port" | "path">): string {
  return `${request.scheme}://${joinHostPort(request.host, request.port)}${request.path}`;
}

/** `Get "http://10.0.0.5:8080/": …` */
export function getError(url: string, error: string): string {
  return `Get "${url}": ${error}`;
}

export const awaitingHeadersTimeout = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
export const readingBodyTimeout =
  "context deadline exceeded (Client.Timeout or context cancellation while reading body)";
export const plainHttpOnTls = "http: server gave HTTP response to HTTPS client";
export const tooManyRedirects = "stopped after 10 redirects";
/** A request may be sent this often in one chain of redirects. */
export const redirectLimit = 10;

/** `dial tcp 10.0.0.5:8080: connect: connection refused`. */
export function dialError(host: string, port: number, error: string): string {
  return `dial tcp ${joinHostPort(host, port)}: ${error}`;
}

export const connectionRefused = "connect: connection refused";
export const noRoute = "connect: no route to host";
export const dialTimeout = "i/o timeout";

/** Connecting goes on until the time is up, also when it is refused: the client is told to block. */
export function grpcConnectTimeout(address: string, timeout: Millis): string {
  return `timeout: failed to connect service "${address}" within ${formatGoDuration(timeout)}: context deadline exceeded`;
}

export function grpcRpcTimeout(timeout: Millis): string {
  return `timeout: health rpc did not complete within ${formatGoDuration(timeout)}`;
}

export function grpcUnimplemented(message: string): string {
  return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`;
}

export function grpcFailed(code: string, message: string): string {
  return `error: health rpc probe failed: rpc error: code = ${code} desc = ${message}`;
}

/** A length of time as Go prints it: `500ms`, `1s`, `1.5s`, `1m30s`, `2h0m0s`. */
export function formatGoDuration(wait: Millis): string {
  if (wait === 0) return "0s";
  if (wait < 0) return `-${formatGoDuration(Math.abs(wait) as Millis)}`;
  if (wait < 1000) return wait >= 1 ? `${trimmed(wait)}ms` : `${trimmed(wait * 1000)}µs`;
  const hours = Math.floor(wait / 3_600_000);
  const minutes = Math.floor((wait % 3_600_000) / 60_000);
  const rest = `${trimmed((wait % 60_000) / 1000)}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

const trimmed = (value: number): string => String(Number(value.toFixed(6)));

const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];

/** Where a redirect leads, relative to the URL it came from; `undefined` if the answer is none or names no place. */
export function redirectTarget(
  from: Pick<HttpProbeRequest, "scheme" | "host" | "port" | "path">,
  status: number,
  location: string | undefined,
): Pick<HttpProbeRequest, "scheme" | "host" | "port" | "path"> | undefined {
  if (!redirectStatuses.includes(status) || location === undefined || location === "") return undefined;
  const place = location.replace(/#.*$/, "");
  const absolute = /^(?:(https?):)?\/\/(\[[^\]]+\]|[^/:?]+)(?::(\d+))?([/?].*)?$/i.exec(place);
  if (absolute !== null) {
    const scheme = absolute[1] === undefined ? from.scheme : (absolute[1].toLowerCase() as "http" | "https");
    const port = absolute[3] === undefined ? (scheme === "https" ? 443 : 80) : Number(absolute[3]);
    const rest = absolute[4] ?? "/";
    const host = (absolute[2] as string).replace(/^\[|\]$/g, "");
    return { scheme, host, port, path: rest.startsWith("?") ? `/${rest}` : rest };
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(place)) return undefined;
  const here = from.path.replace(/\?.*$/, "");
  if (place.startsWith("/")) return { ...from, path: place };
  if (place.startsWith("?")) return { ...from, path: here + place };
  return { ...from, path: withoutDots(here.slice(0, here.lastIndexOf("/") + 1) + place) };
}

function withoutDots(path: string): string {
  const [before, query] = splitOnce(path, "?");
  const kept: string[] = [];
  for (const segment of before.split("/").slice(1)) {
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}${query === undefined ? "" : `?${query}`}`;
}

function splitOnce(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
