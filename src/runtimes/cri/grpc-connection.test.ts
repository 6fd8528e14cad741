import { mkdtempSync, rmSync } from "node:fs";
import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { millis } from "../../base/time.ts";
import { WallClock } from "../../host/wall-clock.ts";
import { type Envelope, EnvelopeSchema, Events } from "./gen/containerd-events.ts";
import { RuntimeService, VersionRequestSchema, VersionResponseSchema } from "./gen/cri.ts";
import { GrpcConnection } from "./grpc-connection.ts";
import { GrpcError } from "./grpc-error.ts";
import { FrameReader, frameMessage } from "./grpc-frames.ts";

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer) => void;

/** A server of one's own making, so that it can misbehave. */
class Server {
  readonly sessions = new Set<ServerHttp2Session>();
  readonly requests: IncomingHttpHeaders[] = [];
  answer: Answer = succeed("1.6");
  readonly #server: Http2Server = createServer();

  constructor() {
    this.#server.on("session", (session) => {
      this.sessions.add(session);
      session.on("close", () => this.sessions.delete(session));
      session.on("error", () => session.destroy());
    });
    this.#server.on("stream", (stream, headers) => {
      this.requests.push(headers);
      const chunks: Buffer[] = [];
      stream.on("error", () => stream.destroy());
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => this.answer(stream, headers, Buffer.concat(chunks)));
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

const clock = new WallClock();
const headers = { ":status": 200, "content-type": "application/grpc" };
const version = RuntimeService.method.version;

function succeed(runtimeVersion: string): Answer {
  return (stream) => {
    stream.respond(headers, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(frameMessage(toBinary(VersionResponseSchema, create(VersionResponseSchema, { runtimeVersion }))));
  };
}

/** Sends raw bytes, then the trailers. */
function send(bytes: Buffer | undefined, trailers: Record<string, string>): Answer {
  return (stream) => {
    stream.respond(headers, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(bytes);
  };
}

describe("a gRPC connection", () => {
  let folder: string;
  let path: string;
  let server: Server;
  let connection: GrpcConnection;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "lifepod-grpc-"));
    path = join(folder, "grpc.sock");
    server = new Server();
    await server.listen(path);
    connection = new GrpcConnection(path, clock);
  });

  afterEach(async () => {
    connection.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const call = (options?: Parameters<typeof connection.unary>[2]) =>
    connection.unary(version, { version: "v1" }, options);
  const failure = async (promise: Promise<unknown>): Promise<GrpcError> => {
    const error = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof GrpcError)) throw new Error(`expected a GrpcError, not ${String(error)}`);
    return error;
  };

  it("sends the request and gives back the answer", async () => {
    let seen: string | undefined;
    server.answer = (stream, received, body) => {
      seen = fromBinary(VersionRequestSchema, new FrameReader(1000).push(body)[0] as Uint8Array).version;
      succeed("1.7")(stream, received, body);
    };
    expect((await call()).runtimeVersion).toBe("1.7");
    expect(seen).toBe("v1");
    expect(server.requests[0]).toMatchObject({
      ":method": "POST",
      ":path": "/runtime.v1.RuntimeService/Version",
      te: "trailers",
      "content-type": "application/grpc",
      "grpc-timeout": "120000m",
    });
  });

  it("uses one connection for many calls at once", async () => {
    await Promise.all(Array.from({ length: 50 }, () => call()));
    expect(server.requests).toHaveLength(50);
    expect(server.sessions.size).toBe(1);
  });

  it("takes long answers, several at once", async () => {
    const long = "x".repeat(15 * 1024 * 1024);
    server.answer = succeed(long);
    const answers = await Promise.all([call(), call(), call()]);
    expect(answers.map(({ runtimeVersion }) => runtimeVersion === long)).toEqual([true, true, true]);
  });

  it("tells the failure that the trailers name, with its text decoded", async () => {
    server.answer = send(undefined, { "grpc-status": "5", "grpc-message": "container %22web%22 not found: %E4%B8%96" });
    const error = await failure(call());
    expect(error).toMatchObject({ code: "NotFound", message: 'container "web" not found: 世' });
    expect(error.rpcText).toBe('rpc error: code = NotFound desc = container "web" not found: 世');
  });

  it("takes a status that comes with the headers alone", async () => {
    server.answer = (stream) => {
      stream.respond(
        { ...headers, "grpc-status": "12", "grpc-message": "unknown method Version" },
        { endStream: true },
      );
    };
    expect(await failure(call())).toMatchObject({ code: "Unimplemented", message: "unknown method Version" });
  });

  it("keeps what is not a valid escape in a message, and names codes that it does not know Unknown", async () => {
    server.answer = send(undefined, { "grpc-status": "77", "grpc-message": "100% %zz" });
    expect(await failure(call())).toMatchObject({ code: "Unknown", message: "100% %zz" });
  });

  it.each<[string, Answer, string, RegExp]>([
    ["success without a message", send(undefined, { "grpc-status": "0" }), "Internal", /without an answer/],
    [
      "bytes that are no answer",
      send(Buffer.from([0, 0, 0, 0, 2, 0x0a, 9]), { "grpc-status": "0" }),
      "Internal",
      /is no runtime\.v1\.VersionResponse/,
    ],
    ["half a message", send(Buffer.from([0, 0, 0, 0, 9, 1]), { "grpc-status": "0" }), "Internal", /in the middle/],
    ["a compressed message", send(Buffer.from([1, 0, 0, 0, 0]), { "grpc-status": "0" }), "Internal", /compression/],
    [
      "more than the limit",
      send(Buffer.from([0, 1, 0, 0, 1]), { "grpc-status": "0" }),
      "ResourceExhausted",
      /16777217 bytes/,
    ],
    [
      "another protocol",
      (stream) => {
        stream.respond({ ":status": 200, "content-type": "text/html" });
        stream.end("<html>a long page about nothing</html>");
      },
      "Unknown",
      /does not speak gRPC/,
    ],
    [
      "an HTTP error",
      (stream) => {
        stream.respond({ ":status": 503, "content-type": "text/plain" });
        stream.end("busy");
      },
      "Unavailable",
      /HTTP status 503/,
    ],
    [
      "a stream that is cut short",
      (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      "Unavailable",
      /cannot be reached/,
    ],
    ["a connection that is cut", (stream) => stream.session?.destroy(), "Unavailable", /cannot be reached/],
  ])("fails clearly on %s", async (_what, answer, code, text) => {
    server.answer = answer;
    const error = await failure(call());
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });

  it("gives up after the time-out and tells the server so", async () => {
    const reset = new Promise<number | undefined>((resolve) => {
      server.answer = (stream) => stream.on("close", () => resolve(stream.rstCode));
    });
    const error = await failure(call({ timeout: millis(50) }));
    expect(error).toMatchObject({ code: "DeadlineExceeded", message: "Version was not answered within 0.05s" });
    expect(await reset).toBe(constants.NGHTTP2_CANCEL);
    expect(server.requests[0]?.["grpc-timeout"]).toBe("50m");
  });

  it("ends a call with the reason of its signal", async () => {
    const arrived = new Promise<void>((resolve) => {
      server.answer = () => resolve();
    });
    const abort = new AbortController();
    const waiting = call({ timeout: "none", signal: abort.signal });
    await arrived;
    abort.abort(new Error("no longer wanted"));
    await expect(waiting).rejects.toThrow("no longer wanted");
    expect(server.requests[0]).not.toHaveProperty("grpc-timeout");
    await expect(call({ signal: AbortSignal.abort(new Error("too late")) })).rejects.toThrow("too late");
  });

  it("sends a call again that the server refused to look at", async () => {
    let refusals = 0;
    server.answer = (stream, received, body) => {
      if (refusals++ === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else succeed("second")(stream, received, body);
    };
    expect((await call()).runtimeVersion).toBe("second");
  });

  it("gives up on a server that always refuses", async () => {
    server.answer = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
    expect((await failure(call())).code).toBe("Unavailable");
    expect(server.requests).toHaveLength(3);
  });

  it("lets calls finish on a connection that goes away, and makes new ones on another", async () => {
    let finish = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      server.answer = (stream, received, body) => {
        finish = () => succeed("old")(stream, received, body);
        resolve();
      };
    });
    const old = call();
    await arrived;
    const [session] = server.sessions;
    session?.goaway(constants.NGHTTP2_NO_ERROR);
    await expect.poll(() => connection.connected).toBe(false);
    server.answer = succeed("new");
    expect((await call()).runtimeVersion).toBe("new");
    finish();
    expect((await old).runtimeVersion).toBe("old");
  });

  it("reaches a server that was started again at the same place", async () => {
    await call();
    await server.close();
    expect(await failure(call())).toMatchObject({ code: "Unavailable" });
    server = new Server();
    server.answer = succeed("again");
    await server.listen(path);
    expect((await call()).runtimeVersion).toBe("again");
  });

  it("says what keeps it from connecting", async () => {
    const nowhere = new GrpcConnection(join(folder, "nobody.sock"), clock);
    const error = await failure(nowhere.unary(version, {}));
    expect(error).toMatchObject({ code: "Unavailable", message: expect.stringContaining("ENOENT") });
    nowhere.close();
  });

  it("fails what waits when it is closed, and what comes after", async () => {
    const arrived = new Promise<void>((resolve) => {
      server.answer = () => resolve();
    });
    const waiting = failure(call());
    await arrived;
    connection.close();
    expect(await waiting).toMatchObject({ code: "Canceled", message: expect.stringContaining("was closed") });
    expect(await failure(call())).toMatchObject({ code: "Canceled" });
  });

  describe("streams of answers", () => {
    const envelope = (topic: string): Buffer =>
      frameMessage(toBinary(EnvelopeSchema, create(EnvelopeSchema, { topic })));

    function subscribe() {
      const topics: string[] = [];
      const endings: (GrpcError | undefined)[] = [];
      const stream = connection.serverStream(
        Events.method.subscribe,
        { filters: ["x"] },
        { message: (message: Envelope) => topics.push(message.topic), ended: (reason) => endings.push(reason) },
      );
      return { topics, endings, stream };
    }

    it("gives messages as they come, however they are cut into pieces, and the end once", async () => {
      server.answer = (stream) => {
        stream.respond(headers, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        const bytes = Buffer.concat([envelope("/a"), envelope("/b"), envelope("/c")]);
        for (const byte of bytes.subarray(0, 12)) stream.write(Buffer.from([byte]));
        stream.end(bytes.subarray(12));
      };
      const { topics, endings } = subscribe();
      await expect.poll(() => endings).toEqual([undefined]);
      expect(topics).toEqual(["/a", "/b", "/c"]);
      expect(server.requests[0]).not.toHaveProperty("grpc-timeout");
    });

    it("ends at a message that cannot be read", async () => {
      server.answer = (stream) => {
        stream.respond(headers);
        stream.write(Buffer.concat([envelope("/a"), frameMessage(Buffer.from([0x1a, 9])), envelope("/b")]));
      };
      const { topics, endings } = subscribe();
      await expect.poll(() => endings).toEqual([expect.objectContaining({ code: "Internal" })]);
      expect(topics).toEqual(["/a"]);
    });

    it("reports the loss of the connection", async () => {
      server.answer = (stream) => {
        stream.respond(headers);
        stream.write(envelope("/a"), () => stream.session?.destroy());
      };
      const { endings } = subscribe();
      await expect.poll(() => endings).toEqual([expect.objectContaining({ code: "Unavailable" })]);
    });

    it("reports nothing more once cancelled, nor when the connection is closed", async () => {
      const closings: unknown[] = [];
      server.answer = (stream) => {
        stream.respond(headers);
        stream.write(envelope("/a"));
        stream.on("close", () => closings.push(stream.rstCode));
      };
      const cancelled = subscribe();
      const closed = subscribe();
      await expect.poll(() => [cancelled.topics, closed.topics]).toEqual([["/a"], ["/a"]]);
      cancelled.stream.cancel();
      await expect.poll(() => closings).toEqual([constants.NGHTTP2_CANCEL]);
      connection.close();
      await expect.poll(() => closings).toHaveLength(2);
      expect([cancelled.endings, closed.endings]).toEqual([[], []]);
    });
  });
});
