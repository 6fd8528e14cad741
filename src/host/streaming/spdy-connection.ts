// SPDY/3.1 as far as Kubernetes uses it (api-machinery, appendix B): streams both ways over one connection, either end. There is no flow control of its own: a
// stream whose reader is slow holds up the connection, as it does with the Go implementation.

import type { Duplex } from "node:stream";
import { type ByteSink, type ByteSource, StreamQueue } from "../../base/byte-stream.ts";
import { SocketWriter } from "./socket-writer.ts";
import { HeaderReader, type Headers, HeaderWriter } from "./spdy-headers.ts";

const types = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 };
const finFlag = 1;
const statuses = { protocolError: 1, refusedStream: 3, cancel: 5 } as const;

/** Control frames beyond this are refused; those of Kubernetes have some hundred bytes. Data frames are passed on as they come, however long. */
export const controlFrameLimitBytes = 64 * 1024;
/** So many streams may be open at once. */
export const streamLimit = 1000;
/** So much waits for the reader of a stream before the connection is held up. */
const inputLimitBytes = 1024 * 1024;
const longestDataFrame = 0xffffff;
/** How long the peer may take to close after it was told to, in milliseconds. */
const closePatience = 5000;

export class SpdyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SpdyError";
  }
}

export interface SpdyReceiver {
  /** The peer has opened a stream; it has been told yes. */
  stream(stream: SpdyStream): void;
  /** The peer is gone, orderly or not. Called once. */
  gone(reason?: Error): void;
}

export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #isClient: boolean;
  readonly #receiver: SpdyReceiver;
  readonly #writer: SocketWriter;
  readonly #headerReader = new HeaderReader();
  readonly #headerWriter = new HeaderWriter();
  readonly #streams = new Map<number, SpdyStream>();
  #nextId = 1;
  #lastPeerId = 0;
  #buffer: Buffer = Buffer.alloc(0);
  /** What is still to come of the data frame that is being read. */
  #data: { readonly id: number; readonly isLast: boolean; left: number } | undefined;
  #closing = false;

  /** @param role clients open streams, servers take them */
  constructor(socket: Duplex, role: "client" | "server", receiver: SpdyReceiver) {
    this.#socket = socket;
    this.#isClient = role === "client";
    this.#receiver = receiver;
    this.#writer = new SocketWriter(socket);
  }

  /** Begins to read. @param head what came with the request */
  start(head: Buffer): void {
    const socket = this.#socket;
    // What broke is followed by the end of the reading below.
    socket.on("error", () => socket.destroy());
    if (head.length > 0) socket.unshift(head);
    void this.#read();
  }

  /** Opens a stream. Resolves when the peer has agreed. @throws if it has not, or is gone */
  async open(headers: Headers): Promise<SpdyStream> {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = this.#newStream(id, headers);
    const fixed = Buffer.alloc(10);
    fixed.writeUInt32BE(id);
    await this.#control(types.synStream, 0, fixed, this.#headerWriter.write(headers));
    await stream.agreed;
    return stream;
  }

  /** Says goodbye. What the peer still sends is read and dropped, so that it gets to see what was sent to it. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    const body = Buffer.alloc(8);
    body.writeUInt32BE(this.#lastPeerId);
    this.#quietly(this.#control(types.goAway, 0, body));
    for (const stream of this.#streams.values()) stream.discard();
    this.#socket.end();
    const late = setTimeout(() => this.#socket.destroy(), closePatience);
    this.#socket.once("close", () => clearTimeout(late));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #read(): Promise<void> {
    let reason: Error | undefined;
    try {
      for await (const chunk of this.#socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        await this.#received(chunk);
      }
    } catch (error) {
      reason = error as Error;
      this.#socket.destroy();
    }
    this.#headerReader.close();
    for (const stream of this.#streams.values()) stream.peerGone();
    this.#streams.clear();
    this.#receiver.gone(reason);
  }

  async #received(chunk: Buffer): Promise<void> {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      if (this.#data !== undefined) {
        if (!(await this.#takeData(this.#data))) return;
      } else if (!(await this.#takeFrame())) return;
    }
  }

  /** @returns whether there may be more to take */
  async #takeData(data: { readonly id: number; readonly isLast: boolean; left: number }): Promise<boolean> {
    const piece = this.#buffer.subarray(0, data.left);
    if (piece.length === 0 && data.left > 0) return false;
    this.#buffer = this.#buffer.subarray(piece.length);
    data.left -= piece.length;
    const stream = this.#streams.get(data.id);
    if (piece.length > 0) await stream?.deliver(piece);
    if (data.left > 0) return false;
    this.#data = undefined;
    if (data.isLast) stream?.peerEnded();
    return true;
  }

  /** @returns whether there may be more to take */
  async #takeFrame(): Promise<boolean> {
    const buffer = this.#buffer;
    if (buffer.length < 8) return false;
    const flags = buffer.readUInt8(4);
    const length = buffer.readUIntBE(5, 3);
    if ((buffer.readUInt8(0) & 0x80) === 0) {
      this.#buffer = buffer.subarray(8);
      this.#data = { id: buffer.readUInt32BE(0), isLast: (flags & finFlag) !== 0, left: length };
      return true;
    }
    if ((buffer.readUInt16BE(0) & 0x7fff) !== 3) throw new SpdyError("a frame is not of SPDY/3");
    if (length > controlFrameLimitBytes) throw new SpdyError("a control frame is too long");
    if (buffer.length < 8 + length) return false;
    this.#buffer = buffer.subarray(8 + length);
    await this.#takeControl(buffer.readUInt16BE(2), flags, buffer.subarray(8, 8 + length));
    return true;
  }

  async #takeControl(type: number, flags: number, body: Buffer): Promise<void> {
    switch (type) {
      case types.synStream:
        return this.#synStream(flags, atLeast(10, body));
      case types.synReply: {
        const id = atLeast(4, body).readUInt32BE(0) & 0x7fffffff;
        // Every block goes through the reader, whether it is of interest or not: the next one builds on it.
        await this.#headerReader.read(body.subarray(4));
        this.#streams.get(id)?.peerAgreed();
        if ((flags & finFlag) !== 0) this.#streams.get(id)?.peerEnded();
        return;
      }
      case types.headers:
        await this.#headerReader.read(atLeast(4, body).subarray(4));
        return;
      case types.rstStream:
        this.#streams.get(atLeast(8, body).readUInt32BE(0) & 0x7fffffff)?.peerReset();
        return;
      case types.ping: {
        const isOfPeer = (atLeast(4, body).readUInt32BE(0) % 2 === 1) !== this.#isClient;
        if (isOfPeer) this.#quietly(this.#control(types.ping, 0, Buffer.from(body.subarray(0, 4))));
        return;
      }
      case types.settings:
      case types.goAway:
      case types.windowUpdate:
        return;
      default:
        throw new SpdyError(`unknown control frame ${type}`);
    }
  }

  async #synStream(flags: number, body: Buffer): Promise<void> {
    const id = body.readUInt32BE(0) & 0x7fffffff;
    const headers = await this.#headerReader.read(body.subarray(10));
    if (this.#isClient || id % 2 !== 1 || id <= this.#lastPeerId) throw new SpdyError(`stream ${id} cannot be opened`);
    this.#lastPeerId = id;
    if (this.#closing || this.#streams.size >= streamLimit) {
      this.#reset(id, statuses.refusedStream);
      return;
    }
    const stream = this.#newStream(id, headers);
    this.#quietly(this.#control(types.synReply, 0, idBytes(id), this.#headerWriter.write(new Map())));
    if ((flags & finFlag) !== 0) stream.peerEnded();
    this.#receiver.stream(stream);
  }

  #newStream(id: number, headers: Headers): SpdyStream {
    const stream = new SpdyStream(id, headers, {
      data: (chunk, isLast) => this.#sendData(id, chunk, isLast),
      reset: () => this.#reset(id, statuses.cancel),
      finished: () => this.#streams.delete(id),
    });
    this.#streams.set(id, stream);
    return stream;
  }

  async #sendData(id: number, chunk: Uint8Array, isLast: boolean): Promise<void> {
    for (let at = 0; at === 0 || at < chunk.length; at += longestDataFrame) {
      const piece = chunk.subarray(at, at + longestDataFrame);
      const header = Buffer.alloc(8);
      header.writeUInt32BE(id);
      header.writeUInt8(isLast && at + piece.length === chunk.length ? finFlag : 0, 4);
      header.writeUIntBE(piece.length, 5, 3);
      await this.#writer.write(header, piece);
    }
  }

  #reset(id: number, status: number): void {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(id);
    body.writeUInt32BE(status, 4);
    this.#quietly(this.#control(types.rstStream, 0, body));
  }

  #control(type: number, flags: number, ...pieces: readonly Buffer[]): Promise<void> {
    const header = Buffer.alloc(8);
    header.writeUInt16BE(0x8003);
    header.writeUInt16BE(type, 2);
    header.writeUInt8(flags, 4);
    header.writeUIntBE(
      pieces.reduce((sum, piece) => sum + piece.length, 0),
      5,
      3,
    );
    return this.#writer.write(header, ...pieces);
  }

  /** For what nobody waits for; that the peer is gone is told by the reading side. */
  #quietly(sending: Promise<void>): void {
    sending.catch(() => undefined);
  }
}

function atLeast(length: number, body: Buffer): Buffer {
  if (body.length < length) throw new SpdyError("a control frame is cut short");
  return body;
}

function idBytes(id: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id);
  return bytes;
}

/** What a stream asks of its connection. */
interface StreamParts {
  data(chunk: Uint8Array, isLast: boolean): Promise<void>;
  reset(): void;
  /** Both sides have ended. */
  finished(): void;
}

export class SpdyStream implements ByteSink {
  readonly id: number;
  readonly headers: Headers;
  /** Settles with the peer's answer to a stream that was opened here. */
  readonly agreed: Promise<void>;
  readonly #parts: StreamParts;
  readonly #input = new StreamQueue<Uint8Array>({ limit: inputLimitBytes, sizeOf: (chunk) => chunk.length });
  #agree: (error?: Error) => void = () => undefined;
  #peerEnded = false;
  #ended = false;
  #broken = false;

  constructor(id: number, headers: Headers, parts: StreamParts) {
    this.id = id;
    this.headers = headers;
    this.#parts = parts;
    this.agreed = new Promise((resolve, reject) => {
      this.#agree = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.agreed.catch(() => undefined);
  }

  /** What the peer sends; ends also when the peer is gone. */
  get source(): ByteSource {
    return this.#input;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#broken || this.#ended) throw new Error("the stream is closed");
    if (chunk.length > 0) await this.#parts.data(chunk, false);
  }

  /** Nothing more is sent from here. */
  end(): void {
    if (this.#ended || this.#broken) return;
    this.#ended = true;
    this.#parts.data(new Uint8Array(), true).catch(() => undefined);
    this.#finishIfBoth();
  }

  /** Ends both directions at once. */
  reset(): void {
    if (this.#broken || (this.#ended && this.#peerEnded)) return;
    this.#broken = true;
    this.#parts.reset();
    this.#input.discard();
    this.#parts.finished();
  }

  /** Nobody here reads what comes. */
  discard(): void {
    this.#input.discard();
  }

  async deliver(chunk: Uint8Array): Promise<void> {
    if (this.#peerEnded || this.#input.push(chunk)) return;
    await this.#input.drained();
  }

  peerAgreed(): void {
    this.#agree();
  }

  peerEnded(): void {
    this.#peerEnded = true;
    this.#input.close();
    this.#finishIfBoth();
  }

  peerReset(): void {
    this.#broken = true;
    this.#agree(new Error("the stream was refused"));
    this.#input.close();
    this.#parts.finished();
  }

  peerGone(): void {
    this.#broken = true;
    this.#agree(new Error("the connection is closed"));
    this.#input.close();
  }

  #finishIfBoth(): void {
    if (this.#ended && this.#peerEnded) this.#parts.finished();
  }
}
