// A WebSocket as a plain stream of bytes: the messages are slices of it, cut anywhere (api-machinery 8.3, kubectl's port-forward).

import { Duplex } from "node:stream";
import { WebSocketConnection } from "./websocket-connection.ts";
import { closeCodes } from "./websocket-frames.ts";

export class WebSocketDuplex extends Duplex {
  readonly #connection: WebSocketConnection;

  /** Begins to read. @param head what came with the request */
  constructor(socket: Duplex, head: Buffer) {
    super({ allowHalfOpen: true });
    this.#connection = new WebSocketConnection(socket, {
      message: (data) => {
        if (data.length > 0 && !this.push(data)) this.#connection.pause();
      },
      gone: () => {
        this.push(null);
        this.destroy();
      },
    });
    this.#connection.start(head);
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#connection.send("binary", chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#connection.close(closeCodes.normal);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error === null) this.#connection.close(closeCodes.normal);
    else this.#connection.destroy();
    done(error);
  }
}
