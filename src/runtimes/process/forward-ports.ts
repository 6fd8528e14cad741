// Connections to the ports of a Pod: its processes listen on the Pod's address or on the machine's own loopback.

import { connect, type Socket } from "node:net";
import { duplexOf } from "../../host/streaming/socket-duplex.ts";
import type { PortForwarding, SandboxId } from "../runtime-service.ts";

/** Tried in this order, as container runtimes do. */
const localhost = ["127.0.0.1", "::1"] as const;

/** @param podAddress tried first: only there two Pods with one port can be told apart */
export function forwardPorts(id: SandboxId, podAddress?: string): PortForwarding {
  const addresses = podAddress === undefined ? localhost : [podAddress, ...localhost];
  const sockets = new Set<Socket>();
  return {
    async connect(port) {
      const socket = await firstConnected(addresses, port).catch((error: Error) => {
        throw new Error(
          `error forwarding port ${port} to pod ${id}, uid : failed to connect to localhost:${port}: ${error.message}`,
        );
      });
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      return duplexOf(socket);
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** @throws Error with why the first of the addresses refused */
async function firstConnected(addresses: readonly string[], port: number): Promise<Socket> {
  let failure: Error | undefined;
  for (const address of addresses) {
    try {
      return await connected(address, port);
    } catch (error) {
      failure ??= error as Error;
    }
  }
  throw failure ?? new Error("no address to connect to");
}

function connected(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(new Error(`dial tcp ${address}:${port}: connect: ${wordsFor(error)}`));
    socket.once("error", failed);
    socket.once("connect", () => {
      socket.removeListener("error", failed);
      resolve(socket);
    });
  });
}

const wordsFor = ({ code, message }: NodeJS.ErrnoException): string =>
  code === "ECONNREFUSED" ? "connection refused" : message;
