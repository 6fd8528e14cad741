// Node's network errors in the words of Go's.

import { connectionRefused, dialError, dialTimeout, joinHostPort, noRoute } from "../probe-errors.ts";

/** What went wrong while connecting. */
export function goDialError(error: Error, host: string, port: number): string {
  const { code, syscall } = firstOf(error);
  if (syscall === "getaddrinfo")
    return `dial tcp: lookup ${host}: ${code === "EAI_AGAIN" ? "server misbehaving" : "no such host"}`;
  return dialError(host, port, connectErrors[code ?? ""] ?? `connect: ${error.message}`);
}

/**
 * What went wrong with an HTTP exchange, before or after the connection was there.
 * @param local our end of the connection; empty if there was none
 */
export function goHttpError(error: Error, host: string, port: number, local: string): string {
  const { code, syscall } = firstOf(error);
  if (syscall === "connect" || syscall === "getaddrinfo") return goDialError(error, host, port);
  if (code === "ECONNRESET") {
    // Node says "socket hang up" where the other side closed in good order before it answered.
    return syscall === "read"
      ? `read tcp ${local}->${joinHostPort(host, port)}: read: connection reset by peer`
      : "EOF";
  }
  if (code === "EPIPE") return `write tcp ${local}->${joinHostPort(host, port)}: write: broken pipe`;
  if (code?.startsWith("HPE_") === true)
    return "net/http: HTTP/1.x transport connection broken: malformed HTTP response";
  if (code?.startsWith("ERR_SSL_") === true || code === "EPROTO") return `remote error: tls: ${error.message}`;
  return error.message;
}

const connectErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: connectionRefused,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: "connect: network is unreachable",
  EINVAL: "connect: invalid argument",
  EADDRNOTAVAIL: "connect: cannot assign requested address",
  EACCES: "connect: permission denied",
  ETIMEDOUT: dialTimeout,
};

/** A name with several addresses fails with one error for each of them. */
function firstOf(error: Error): NodeJS.ErrnoException {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
}
