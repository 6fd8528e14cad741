// Writing to a socket with backpressure: whoever writes waits until the other end has taken enough.

import type { Duplex } from "node:stream";

export class SocketWriter {
  readonly #socket: Duplex;
  #drained: Promise<void> | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Writes the pieces one behind the other. Resolves when more may be written. @throws if the connection is gone */
  write(...pieces: readonly Uint8Array[]): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable) return Promise.reject(connectionGone());
    socket.cork();
    let enough = false;
    for (const piece of pieces) if (piece.length > 0) enough = !socket.write(piece);
    socket.uncork();
    if (!enough && !socket.writableNeedDrain) return Promise.resolve();
    this.#drained ??= this.#untilDrained();
    return this.#drained;
  }

  #untilDrained(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        socket.removeListener("drain", settle);
        socket.removeListener("close", settle);
        this.#drained = undefined;
        if (socket.destroyed) reject(connectionGone());
        else resolve();
      };
      socket.once("drain", settle);
      socket.once("close", settle);
    });
  }
}

const connectionGone = (): Error => new Error("the connection is closed");
