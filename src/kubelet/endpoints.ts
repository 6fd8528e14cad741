// Where probes and hooks of a container connect to.

import type { Container } from "../api/generated/core-v1.ts";

/** A port by number or by the name that one of the container's ports has. @throws Error if there is none */
export function resolvePort(port: number | string, container: Pick<Container, "ports">): number {
  const number = typeof port === "number" ? port : namedPort(port, container);
  if (number < 1 || number > 65_535) throw new Error(`invalid port number: ${number}`);
  return number;
}

/** The host of a request: the one that is named, else the Pod's address. */
export function probeUrlHost(host: string | undefined, podIp: string): string {
  return host === undefined || host === "" ? podIp : host;
}

function namedPort(name: string, container: Pick<Container, "ports">): number {
  const found = (container.ports ?? []).find((port) => port.name === name);
  if (found !== undefined) return found.containerPort;
  if (/^\d+$/.test(name)) return Number(name);
  throw new Error(`couldn't find port: ${name}`);
}
