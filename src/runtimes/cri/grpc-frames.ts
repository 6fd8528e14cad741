// gRPC's framing inside an HTTP/2 stream: each message is one byte of flags, four bytes of length, then the message.

const headerLength = 5;

/** One message with its header, ready to send. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerLength + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, headerLength);
  return frame;
}

/** What arrived is not gRPC, is compressed (we never ask for that), or is longer than the limit. */
export class FrameError extends Error {
  readonly kind: "malformed" | "tooLarge";

  constructor(kind: "malformed" | "tooLarge", message: string) {
    super(message);
    this.name = "FrameError";
    this.kind = kind;
  }
}

/** Cuts a byte stream into messages, however it was cut into chunks on its way. */
export class FrameReader {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #length = 0;

  /** @param limit the longest message taken, in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True if a message has begun that is not complete. */
  get incomplete(): boolean {
    return this.#length > 0;
  }

  /** Takes the next chunk and returns the messages that it completes. @throws FrameError */
  push(chunk: Buffer): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const messages: Uint8Array[] = [];
    for (;;) {
      const size = this.#messageSize();
      if (size === undefined || this.#length < headerLength + size) return messages;
      const frame = this.#take(headerLength + size);
      messages.push(frame.subarray(headerLength));
    }
  }

  /** The length that the header in front announces; `undefined` until the header is complete. */
  #messageSize(): number | undefined {
    if (this.#length < headerLength) return undefined;
    let first = this.#chunks[0] as Buffer;
    if (first.length < headerLength) {
      first = Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    if (first[0] !== 0) {
      throw new FrameError("malformed", `received a message with flags ${first[0]}, though no compression was offered`);
    }
    const size = first.readUInt32BE(1);
    if (size > this.#limit) {
      throw new FrameError("tooLarge", `received a message of ${size} bytes, more than the limit of ${this.#limit}`);
    }
    return size;
  }

  #take(count: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#length -= count;
    this.#chunks = this.#length > 0 ? [all.subarray(count)] : [];
    return all.subarray(0, count);
  }
}
