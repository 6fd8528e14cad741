// WebSocket frames (RFC 6455, section 5): bytes to messages and back. No extensions.

/** Messages beyond this are refused: nobody needs them, and they would have to be held whole. */
export const messageLimitBytes = 4 * 1024 * 1024;

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type FrameKind = Exclude<keyof typeof opcodes, "continuation">;

export interface WebSocketMessage {
  readonly kind: FrameKind;
  readonly data: Buffer;
}

/** Close codes (RFC 6455, 7.4.1). */
export const closeCodes = {
  normal: 1000,
  protocolError: 1002,
  invalidText: 1007,
  tooBig: 1009,
  internal: 1011,
} as const;

/** The peer does not keep to the rules; the connection is to be closed with this code. */
export class WebSocketError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "WebSocketError";
    this.code = code;
  }
}

/** Puts messages together from whatever pieces the network delivers. */
export class WebSocketDecoder {
  readonly #expectMask: boolean;
  #buffer: Buffer = Buffer.alloc(0);
  /** The message whose first fragments are here. */
  #partial: { readonly kind: "text" | "binary"; readonly fragments: Buffer[]; size: number } | undefined;

  /** @param from who is at the other end: clients mask what they send, servers do not */
  constructor(from: "client" | "server") {
    this.#expectMask = from === "client";
  }

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /** The next whole message, if it is here. @throws WebSocketError */
  next(): WebSocketMessage | undefined {
    for (;;) {
      const frame = this.#frame();
      if (frame === undefined) return undefined;
      const message = this.#assemble(frame);
      if (message !== undefined) return message;
    }
  }

  #frame(): Frame | undefined {
    const buffer = this.#buffer;
    if (buffer.length < 2) return undefined;
    const first = buffer.readUInt8(0);
    const second = buffer.readUInt8(1);
    const isFinal = (first & 0x80) !== 0;
    const opcode = first & 0x0f;
    const isControl = opcode >= 8;
    const short = second & 0x7f;
    if ((first & 0x70) !== 0) throw violation("reserved bits are set");
    if (((second & 0x80) !== 0) !== this.#expectMask) throw violation("wrong masking");
    if (isControl && (!isFinal || short > 125)) throw violation("a control frame is fragmented or too long");
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskAt = 2 + lengthBytes;
    const dataAt = maskAt + (this.#expectMask ? 4 : 0);
    if (buffer.length < dataAt) return undefined;
    const length = lengthBytes === 0 ? short : lengthBytes === 2 ? buffer.readUInt16BE(2) : longLength(buffer);
    if (length + (this.#partial?.size ?? 0) > messageLimitBytes) {
      throw new WebSocketError(closeCodes.tooBig, `a message is longer than ${messageLimitBytes} bytes`);
    }
    if (buffer.length < dataAt + length) return undefined;
    const data = buffer.subarray(dataAt, dataAt + length);
    if (this.#expectMask) unmask(data, buffer.subarray(maskAt, dataAt));
    this.#buffer = buffer.subarray(dataAt + length);
    return { isFinal, opcode, data };
  }

  #assemble({ isFinal, opcode, data }: Frame): WebSocketMessage | undefined {
    switch (opcode) {
      case opcodes.close:
        return { kind: "close", data };
      case opcodes.ping:
        return { kind: "ping", data };
      case opcodes.pong:
        return { kind: "pong", data };
      case opcodes.text:
      case opcodes.binary: {
        if (this.#partial !== undefined) throw violation("a message begins inside another");
        const kind = opcode === opcodes.text ? "text" : "binary";
        if (isFinal) return { kind, data };
        this.#partial = { kind, fragments: [data], size: data.length };
        return undefined;
      }
      case opcodes.continuation: {
        const partial = this.#partial;
        if (partial === undefined) throw violation("a fragment belongs to no message");
        partial.fragments.push(data);
        partial.size += data.length;
        // Empty fragments cost memory, too.
        if (partial.fragments.length > 65_536) throw violation("a message has too many fragments");
        if (!isFinal) return undefined;
        this.#partial = undefined;
        return { kind: partial.kind, data: Buffer.concat(partial.fragments, partial.size) };
      }
      default:
        throw violation(`unknown opcode ${opcode}`);
    }
  }
}

interface Frame {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly data: Buffer;
}

const violation = (message: string): WebSocketError => new WebSocketError(closeCodes.protocolError, message);

function longLength(buffer: Buffer): number {
  const length = buffer.readBigUInt64BE(2);
  return length > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(length);
}

function unmask(data: Buffer, mask: Buffer): void {
  for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) ^ (mask[at & 3] as number);
}

/** What stands in front of a whole, unmasked message of so many bytes. */
export function frameHeader(kind: FrameKind, length: number): Buffer {
  const first = 0x80 | opcodes[kind];
  if (length < 126) return Buffer.from([first, length]);
  if (length < 65_536) {
    const header = Buffer.from([first, 126, 0, 0]);
    header.writeUInt16BE(length, 2);
    return header;
  }
  const header = Buffer.alloc(10);
  header[0] = first;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/** One frame as a client sends it. `more` makes it a fragment; `continues` one that is not the first. */
export function maskedFrame(
  kind: FrameKind,
  data: Uint8Array,
  mask: Uint8Array,
  fragment: { readonly more?: boolean; readonly continues?: boolean } = {},
): Buffer {
  const header = frameHeader(kind, data.length);
  const opcode = fragment.continues === true ? opcodes.continuation : opcodes[kind];
  header[0] = (fragment.more === true ? 0 : 0x80) | opcode;
  header[1] = (header[1] as number) | 0x80;
  const masked = Buffer.from(data);
  unmask(masked, Buffer.from(mask));
  return Buffer.concat([header, mask, masked]);
}
