import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** How many bytes tell HTTP from TLS. */
const peekedBytes = 5;

/**
 * A socket that remembers the first bytes which came in. TLS runs over it, and when TLS fails because the other side spoke plain HTTP, the
 * bytes show it: nothing else tells the two cases apart.
 */
export class PeekedSocket extends Duplex {
  readonly #socket: Socket;
  #first = "";

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      if (this.#first.length < peekedBytes)
        this.#first = (this.#first + chunk.toString("latin1")).slice(0, peekedBytes);
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  get firstBytes(): string {
    return this.#first;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
