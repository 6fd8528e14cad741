// A gRPC server for tests that plays a container runtime: each method is answered by a function, streams stay open until told otherwise.

import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
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
import { grpcCodes, type GrpcCode } from "../../src/runtimes/cri/grpc-error.ts";
import { FrameReader, frameMessage } from "../../src/runtimes/cri/grpc-frames.ts";

/** Thrown by a handler: the answer is this failure. */
export class Refusal extends Error {
  readonly code: GrpcCode;

  constructor(code: GrpcCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface OpenStream<T> {
  send(message: T): void;
  end(refusal?: Refusal): void;
}

const headers = { ":status": 200, "content-type": "application/grpc" };

export class FakeCriServer {
  /** Names of the called methods, in order. */
  readonly calls: string[] = [];
  readonly #handlers = new Map<string, (stream: ServerHttp2Stream, request: Uint8Array) => void>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #server: Http2Server = createServer();

  constructor() {
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("error", () => session.destroy());
    });
    this.#server.on("stream", (stream, received) => {
      const path = received[":path"] ?? "";
      const chunks: Buffer[] = [];
      stream.on("error", () => stream.destroy());
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        this.calls.push(path.slice(path.lastIndexOf("/") + 1));
        const [request] = new FrameReader(1 << 24).push(Buffer.concat(chunks));
        const handler = this.#handlers.get(path);
        if (handler === undefined || request === undefined)
          refuse(stream, new Refusal("Unimplemented", `unknown ${path}`));
        else handler(stream, request);
      });
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** How often a method was called. */
  count(method: string): number {
    return this.calls.filter((call) => call === method).length;
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    answer: (request: MessageShape<I>) => MessageInitShape<O> | Promise<MessageInitShape<O>>,
  ): void {
    this.#handlers.set(pathOf(method), (stream, bytes) => {
      void (async () => {
        try {
          const message = create(method.output, await answer(fromBinary(method.input, bytes)));
          stream.respond(headers, { waitForTrailers: true });
          stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
          stream.end(frameMessage(toBinary(method.output, message)));
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          refuse(stream, error);
        }
      })();
    });
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    opened: (request: MessageShape<I>, stream: OpenStream<MessageInitShape<O>>) => void,
  ): void {
    this.#handlers.set(pathOf(method), (stream, bytes) => {
      let ending: Refusal | undefined;
      let responded = false;
      const respond = (): void => {
        if (responded) return;
        responded = true;
        stream.respond(headers, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers(trailersOf(ending)));
      };
      opened(fromBinary(method.input, bytes), {
        send(message) {
          respond();
          stream.write(frameMessage(toBinary(method.output, create(method.output, message))));
        },
        end(refusal) {
          ending = refusal;
          respond();
          stream.end();
        },
      });
    });
  }
}

const pathOf = (method: { readonly parent: { readonly typeName: string }; readonly name: string }): string =>
  `/${method.parent.typeName}/${method.name}`;

function refuse(stream: ServerHttp2Stream, refusal: Refusal): void {
  stream.respond({ ...headers, ...trailersOf(refusal) }, { endStream: true });
}

function trailersOf(refusal: Refusal | undefined): Record<string, string> {
  if (refusal === undefined) return { "grpc-status": "0" };
  return {
    "grpc-status": String(grpcCodes.indexOf(refusal.code)),
    "grpc-message": encodeURIComponent(refusal.message),
  };
}
