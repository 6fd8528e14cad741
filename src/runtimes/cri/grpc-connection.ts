// A gRPC client over a unix socket, straight on node:http2: unary calls and server streams, which is all that CRI uses. It is three times
// as fast as the general clients and loads in a few milliseconds (decision in README.md). The connection is made at the first call and again
// after it was lost; calls meanwhile fail with `Unavailable`.

import { connect as connectHttp2, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { connect as connectSocket } from "node:net";
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Clock, type Millis, minutes, type Timer } from "../../base/time.ts";
import { codeOfHttpStatus, GrpcError, grpcFailure } from "./grpc-error.ts";
import { FrameError, FrameReader, frameMessage } from "./grpc-frames.ts";

export interface UnaryOptions {
  /** How long the call may take; `"none"` waits for ever. Two minutes if absent. */
  readonly timeout?: Millis | "none";
  readonly signal?: AbortSignal;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface StreamListener<T> {
  message(message: T): void;
  /** Called once, after the last message, unless the stream was cancelled or the connection closed by its user. */
  ended(reason: GrpcError | undefined): void;
}

/** What the kubelet allows a runtime for a call that has no longer limit of its own. */
export const defaultTimeout: Millis = minutes(2);

/** The longest message taken, as upstream's client has it. */
export const messageLimitBytes = 16 * 1024 * 1024;

/** Without a larger window a list of many containers waits for window updates. */
const receiveWindowBytes = 1024 * 1024;

/** Several of the longest messages at once; Node refuses new calls beyond. */
const sessionMemoryMegabytes = 128;

/** A call that the server surely did not see is sent again on a new connection, this often in all. */
const attemptLimit = 3;

/** One reply as it comes in: the messages, then how it ended. */
interface ReplyListener {
  message(bytes: Uint8Array): void;
  /** Exactly once. */
  done(failure: GrpcError | undefined): void;
  /** The server did not look at the request: it is safe to send it again. */
  refused(failure: GrpcError): void;
}

export class GrpcConnection {
  readonly #socketPath: string;
  readonly #clock: Clock;
  readonly #calls = new Set<Call>();
  #session: ClientHttp2Session | undefined;
  #closed = false;

  constructor(socketPath: string, clock: Clock) {
    this.#socketPath = socketPath;
    this.#clock = clock;
  }

  /** Is there a connection that takes calls? The next call makes one if not. */
  get connected(): boolean {
    return this.#session !== undefined && !this.#session.closed && !this.#session.destroyed;
  }

  /** @throws GrpcError; what the signal was aborted with */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: UnaryOptions = {},
  ): Promise<MessageShape<O>> {
    const path = `/${method.parent.typeName}/${method.name}`;
    const frame = frameMessage(toBinary(method.input, create(method.input, request)));
    const timeout = options.timeout ?? defaultTimeout;
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      let timer: Timer | undefined;
      let call: Call | undefined;
      const settle = (finish: () => void): void => {
        timer?.cancel();
        signal?.removeEventListener("abort", onAbort);
        finish();
      };
      const onAbort = (): void => {
        call?.cancel();
        settle(() => reject(signal?.reason as Error));
      };
      if (timeout !== "none") {
        timer = this.#clock.setTimer(
          timeout,
          () => {
            call?.cancel();
            const text = `${method.name} was not answered within ${timeout / 1000}s`;
            settle(() => reject(new GrpcError("DeadlineExceeded", text, path)));
          },
          `cri: ${method.name}`,
        );
      }
      signal?.addEventListener("abort", onAbort, { once: true });

      let answer: Uint8Array | undefined;
      const headers = requestHeaders(path, timeout, options.metadata);
      const send = (attempt: number): void => {
        call = this.#call(path, headers, frame, {
          message(bytes) {
            answer ??= bytes;
          },
          done: (failure) => {
            if (failure === undefined && answer === undefined) {
              failure = new GrpcError("Internal", `${method.name} succeeded without an answer`, path);
            }
            settle(() => {
              if (failure !== undefined) {
                reject(failure);
                return;
              }
              const decoded = decode(method.output, answer as Uint8Array, path);
              if (decoded instanceof GrpcError) reject(decoded);
              else resolve(decoded);
            });
          },
          refused: (failure) => {
            if (attempt < attemptLimit && !this.#closed) send(attempt + 1);
            else settle(() => reject(failure));
          },
        });
      };
      send(1);
    });
  }

  /** Opens a stream of answers to one request. It has no time limit. */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    listener: StreamListener<MessageShape<O>>,
    metadata?: Readonly<Record<string, string>>,
  ): { cancel(): void } {
    const path = `/${method.parent.typeName}/${method.name}`;
    const frame = frameMessage(toBinary(method.input, create(method.input, request)));
    const ended = (failure: GrpcError | undefined): void => {
      // Who closes the connection ends its streams as well.
      if (!this.#closed) listener.ended(failure);
    };
    const call = this.#call(path, requestHeaders(path, "none", metadata), frame, {
      message(bytes) {
        const decoded = decode(method.output, bytes, path);
        if (decoded instanceof GrpcError) call.fail(decoded);
        else listener.message(decoded);
      },
      done: ended,
      refused: ended,
    });
    return call;
  }

  /** Ends the connection; calls that wait for an answer fail. */
  close(): void {
    this.#closed = true;
    const session = this.#session;
    this.#session = undefined;
    for (const call of this.#calls) {
      call.fail(new GrpcError("Canceled", `the connection to ${this.#socketPath} was closed`, call.path));
    }
    session?.destroy();
  }

  #call(path: string, headers: Record<string, string>, frame: Buffer, listener: ReplyListener): Call {
    const call = new Call(path, this.#socketPath, listener, () => this.#calls.delete(call));
    this.#calls.add(call);
    if (this.#closed) {
      queueMicrotask(() => {
        call.fail(new GrpcError("Canceled", `the connection to ${this.#socketPath} is closed`, path));
      });
      return call;
    }
    call.begin(this.#connect(), headers, frame);
    return call;
  }

  #connect(): Connected {
    if (this.#session !== undefined && this.connected) return sessions.get(this.#session) as Connected;
    const session = connectHttp2("http://localhost", {
      createConnection: () => connectSocket(this.#socketPath),
      settings: { enablePush: false, initialWindowSize: receiveWindowBytes },
      maxSessionMemory: sessionMemoryMegabytes,
    });
    const connected: Connected = { session, trouble: undefined };
    sessions.set(session, connected);
    session.on("connect", () => session.setLocalWindowSize(receiveWindowBytes * 4));
    // The streams fail with the error as well and report it; here it is only kept for those whose own error says less.
    session.on("error", (error) => {
      connected.trouble = error;
    });
    // The server takes no further calls here, but finishes those that it has.
    session.on("goaway", () => this.#forget(session));
    session.on("close", () => this.#forget(session));
    this.#session = session;
    return connected;
  }

  #forget(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined;
  }
}

interface Connected {
  readonly session: ClientHttp2Session;
  /** What broke the connection. */
  trouble: Error | undefined;
}

const sessions = new WeakMap<ClientHttp2Session, Connected>();

/** One request and its reply. */
class Call {
  readonly path: string;
  readonly #socketPath: string;
  readonly #listener: ReplyListener;
  readonly #forget: () => void;
  readonly #reader = new FrameReader(messageLimitBytes);
  #stream: ClientHttp2Stream | undefined;
  #connected: Connected | undefined;
  #headers: Readonly<Record<string, unknown>> | undefined;
  #trailers: Readonly<Record<string, unknown>> | undefined;
  #finished = false;

  constructor(path: string, socketPath: string, listener: ReplyListener, forget: () => void) {
    this.path = path;
    this.#socketPath = socketPath;
    this.#listener = listener;
    this.#forget = forget;
  }

  begin(connected: Connected, headers: Record<string, string>, frame: Buffer): void {
    this.#connected = connected;
    let stream: ClientHttp2Stream;
    try {
      stream = connected.session.request(headers, { endStream: false });
    } catch (error) {
      // The session ended between two turns; nothing was sent.
      queueMicrotask(() => this.#refused(error as Error));
      return;
    }
    this.#stream = stream;
    stream.on("response", (received) => {
      this.#headers = received;
    });
    stream.on("trailers", (received) => {
      this.#trailers = received;
    });
    stream.on("data", (chunk: Buffer) => this.#data(chunk));
    stream.on("end", () => this.#ended());
    stream.on("error", (error) => this.#broken(error));
    stream.on("close", () => this.#broken(undefined));
    stream.end(frame);
  }

  /** Nobody waits any more: tells the server to stop, and reports nothing. */
  cancel(): void {
    this.#finish(() => {}, true);
  }

  fail(failure: GrpcError): void {
    this.#finish(() => this.#listener.done(failure), true);
  }

  #data(chunk: Buffer): void {
    if (this.#finished) return;
    let messages: Uint8Array[];
    try {
      messages = this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // Text instead of gRPC: the HTTP status says more than the framing.
      if (this.#protocolFailure() === undefined) {
        this.fail(
          new GrpcError(error.kind === "tooLarge" ? "ResourceExhausted" : "Internal", error.message, this.path),
        );
      }
      return;
    }
    if (this.#protocolFailure() !== undefined) return;
    for (const message of messages) {
      if (this.#finished) return;
      this.#listener.message(message);
    }
  }

  /** The reply is complete. A server that fails at once sends its status in the headers and no trailers. */
  #ended(): void {
    const protocolFailure = this.#protocolFailure();
    if (protocolFailure !== undefined) {
      this.fail(protocolFailure);
      return;
    }
    const verdict = this.#trailers ?? this.#headers;
    const status = verdict?.["grpc-status"];
    if (typeof status !== "string") return; // 'close' follows and says that the stream was cut short
    const message = verdict?.["grpc-message"];
    const failure = grpcFailure(status, typeof message === "string" ? message : undefined, this.path);
    if (failure === undefined && this.#reader.incomplete) {
      this.fail(new GrpcError("Internal", "the answer ended in the middle of a message", this.path));
      return;
    }
    this.#finish(() => this.#listener.done(failure), false);
  }

  #protocolFailure(): GrpcError | undefined {
    const status = this.#headers?.[":status"];
    const contentType = this.#headers?.["content-type"];
    if (this.#headers === undefined) return undefined;
    if (status !== 200) {
      const text = `${this.#socketPath} answered with HTTP status ${String(status)}`;
      return new GrpcError(codeOfHttpStatus(Number(status)), text, this.path);
    }
    if (typeof contentType !== "string" || !contentType.startsWith("application/grpc")) {
      return new GrpcError("Unknown", `${this.#socketPath} does not speak gRPC`, this.path);
    }
    return undefined;
  }

  #broken(error: Error | undefined): void {
    if (this.#finished) return;
    if (this.#stream?.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
      this.#refused(error ?? new Error("the request was refused"));
      return;
    }
    this.fail(this.#unavailable(this.#connected?.trouble ?? error));
  }

  #refused(error: Error): void {
    this.#finish(() => this.#listener.refused(this.#unavailable(error)), true);
  }

  #unavailable(error: Error | undefined): GrpcError {
    // Of a request that waited for the connection, Node says that it was cancelled; why is its cause.
    const root = error?.cause instanceof Error ? error.cause : error;
    const why = root === undefined ? "the connection was lost" : root.message;
    return new GrpcError(
      "Unavailable",
      `the container runtime at ${this.#socketPath} cannot be reached: ${why}`,
      this.path,
    );
  }

  #finish(report: () => void, reset: boolean): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#forget();
    if (reset && this.#stream !== undefined && !this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
    report();
  }
}

/** An answer that is no protobuf of this type is the server's failure, not ours. */
function decode<O extends DescMessage>(output: O, bytes: Uint8Array, path: string): MessageShape<O> | GrpcError {
  try {
    return fromBinary(output, bytes);
  } catch (error) {
    return new GrpcError("Internal", `the answer is no ${output.typeName}: ${(error as Error).message}`, path);
  }
}

function requestHeaders(
  path: string,
  timeout: Millis | "none",
  metadata: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const headers: Record<string, string> = {
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "lifepod",
    ...metadata,
  };
  if (timeout !== "none") headers["grpc-timeout"] = grpcTimeout(timeout);
  return headers;
}

/** At most eight digits and a unit. */
function grpcTimeout(timeout: Millis): string {
  const inMillis = Math.ceil(timeout);
  return inMillis <= 99_999_999 ? `${inMillis}m` : `${Math.min(99_999_999, Math.ceil(timeout / 1000))}S`;
}
