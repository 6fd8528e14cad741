// One WebSocket, seen from the server: messages in with backpressure, messages out with backpressure, pings answered, and an orderly end.

import type { Duplex } from "node:stream";
import { SocketWriter } from "./socket-writer.ts";
import {
  closeCodes,
  type FrameKind,
  frameHeader,
  WebSocketDecoder,
  WebSocketError,
  type WebSocketMessage,
} from "./websocket-frames.ts";

export interface WebSocketReceiver {
  /** A whole text or binary message. */
  message(data: Buffer, kind: "text" | "binary"): void;
  /** The client is gone, orderly or not. Called once. */
  gone(): void;
}

/** While nothing is read, a client's pings are not seen; unasked pongs this often keep it from giving up (kubectl waits 61 s). */
const pongPeriodMillis = 5000;
/** How long the client may take to close after it was told to. */
const closePatienceMillis = 5000;

export class WebSocketConnection {
  readonly #socket: Duplex & { setTimeout?(millis: number, fired: () => void): void };
  readonly #receiver: WebSocketReceiver;
  readonly #decoder = new WebSocketDecoder("client");
  readonly #writer: SocketWriter;
  #paused = false;
  #closing = false;
  #gone = false;
  #pongTimer: NodeJS.Timeout | undefined;

  constructor(socket: Duplex, receiver: WebSocketReceiver) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#writer = new SocketWriter(socket);
  }

  /** Begins to read. @param head what came with the request */
  start(head: Buffer): void {
    const socket = this.#socket;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => this.#nowGone());
    socket.on("close", () => this.#nowGone());
    // The end follows as `close`.
    socket.on("error", () => socket.destroy());
    if (head.length > 0) this.#received(head);
  }

  /** Resolves when more may be sent. The pieces make one message. @throws if the client is gone */
  send(kind: "text" | "binary", ...pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#closing) return Promise.reject(new Error("the WebSocket is closed"));
    return this.#write(kind, pieces);
  }

  /** No more messages are wanted for now. */
  pause(): void {
    if (this.#paused || this.#closing) return;
    this.#paused = true;
    this.#socket.pause();
    this.#pongTimer ??= setInterval(() => this.#quietly("pong", Buffer.alloc(0)), pongPeriodMillis);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    clearInterval(this.#pongTimer);
    this.#pongTimer = undefined;
    this.#deliver();
    if (!this.#paused) this.#socket.resume();
  }

  /** Says goodbye. What the client still sends is read and dropped, so that it gets to see what was sent to it. */
  close(code: number, reason = ""): void {
    if (this.#closing) return;
    const data = Buffer.alloc(2);
    data.writeUInt16BE(code);
    this.#quietly("close", Buffer.concat([data, Buffer.from(reason.slice(0, 120))]));
    this.#closing = true;
    this.resume();
    this.#socket.end();
    const late = setTimeout(() => this.#socket.destroy(), closePatienceMillis);
    this.#socket.once("close", () => clearTimeout(late));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    if (this.#closing) return;
    this.#decoder.push(chunk);
    this.#deliver();
  }

  #deliver(): void {
    try {
      while (!this.#paused && !this.#closing) {
        const message = this.#decoder.next();
        if (message === undefined) return;
        this.#take(message);
      }
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      this.close(error.code, error.message);
      this.#nowGone();
    }
  }

  #take({ kind, data }: WebSocketMessage): void {
    switch (kind) {
      case "text":
      case "binary":
        this.#receiver.message(data, kind);
        return;
      case "ping":
        this.#quietly("pong", data);
        return;
      case "pong":
        return;
      case "close":
        this.close(data.length >= 2 ? data.readUInt16BE(0) : closeCodes.normal);
        this.#nowGone();
        return;
    }
  }

  #write(kind: FrameKind, pieces: readonly Uint8Array[]): Promise<void> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    return this.#writer.write(frameHeader(kind, length), ...pieces);
  }

  /** For what nobody waits for; that the client is gone is told elsewhere. */
  #quietly(kind: FrameKind, data: Buffer): void {
    this.#write(kind, [data]).catch(() => undefined);
  }

  #nowGone(): void {
    if (this.#gone) return;
    this.#gone = true;
    clearInterval(this.#pongTimer);
    this.#receiver.gone();
    // A client that has closed its side wants nothing more.
    if (!this.#closing) this.#socket.end();
  }
}
