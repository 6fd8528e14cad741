// A client of the runtime's own streaming server, which speaks SPDY/3.1: that protocol, and not the older WebSocket ones, can tell that an input has ended.

import { type ClientRequest, type IncomingMessage, type RequestOptions, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { type ByteDuplex, type ByteSource, copy, type ProcessStreams } from "../../base/byte-stream.ts";
import { SpdyConnection, type SpdyStream } from "../../host/streaming/spdy-connection.ts";
import type { PortForwarding, StreamRequest } from "../runtime-service.ts";

/**
 * Carries out what a URL of the streaming server stands for (exec, attach).
 * @returns the exit code
 * @throws Error with the runtime's reason, or if the client went away
 */
export async function streamProcess(url: string, request: StreamRequest, streams: ProcessStreams): Promise<number> {
  streams.signal.throwIfAborted();
  const connection = await connect(url, "v4.channel.k8s.io");
  const abort = (): void => connection.destroy();
  streams.signal.addEventListener("abort", abort, { once: true });
  try {
    const open = (purpose: string): Promise<SpdyStream> => connection.open(new Map([["streamtype", purpose]]));
    // Always in this order, and only what was asked for.
    const errors = await open("error");
    const stdin = request.stdin ? await open("stdin") : undefined;
    const stdout = request.stdout ? await open("stdout") : undefined;
    const stderr = request.stderr ? await open("stderr") : undefined;
    const resize = request.tty ? await open("resize") : undefined;
    if (stdin !== undefined && streams.stdin !== undefined) void feed(streams.stdin, stdin);
    if (resize !== undefined && streams.resize !== undefined) void tellSizes(streams.resize, resize);
    const [outcome] = await Promise.all([
      textOf(errors.source),
      stdout !== undefined && streams.stdout !== undefined ? copy(stdout.source, streams.stdout) : undefined,
      stderr !== undefined && streams.stderr !== undefined ? copy(stderr.source, streams.stderr) : undefined,
    ]);
    streams.signal.throwIfAborted();
    return exitCodeIn(outcome);
  } finally {
    streams.signal.removeEventListener("abort", abort);
    connection.close();
  }
}

/** @param getUrl asks the runtime for a URL, which is good for one connection; several ports share it */
export function forwardPorts(getUrl: () => Promise<string>): PortForwarding {
  let connecting: Promise<SpdyConnection> | undefined;
  let requests = 0;
  const connected = (): Promise<SpdyConnection> => {
    if (connecting === undefined) {
      const forget = (): void => {
        connecting = undefined;
      };
      connecting = getUrl().then((url) => connect(url, "portforward.k8s.io", forget));
      connecting.catch(forget);
    }
    return connecting;
  };
  return {
    async connect(port) {
      const connection = await connected();
      const common = [
        ["port", String(port)],
        ["requestid", String(requests++)],
      ] as const;
      const errors = await connection.open(new Map([["streamtype", "error"], ...common]));
      errors.end();
      return forwarded(await connection.open(new Map([["streamtype", "data"], ...common])), errors);
    },
    close() {
      connecting?.then(
        (connection) => connection.close(),
        // There is none to close.
        () => undefined,
      );
    },
  };
}

function forwarded(data: SpdyStream, errors: SpdyStream): ByteDuplex {
  const failure = textOf(errors.source);
  return {
    source: untilFailure(data.source, failure),
    sink: data,
    destroy() {
      data.reset();
      errors.reset();
    },
  };
}

/** @throws Error with the failure, if there was one */
async function* untilFailure(source: ByteSource, failure: Promise<string>): AsyncGenerator<Uint8Array> {
  yield* source;
  const reason = await failure;
  if (reason !== "") throw new Error(reason);
}

async function feed(source: ByteSource, stdin: SpdyStream): Promise<void> {
  // A process that reads no more is no failure; how it ended is told on the error stream.
  await copy(source, stdin).catch(() => undefined);
  stdin.end();
}

async function tellSizes(sizes: NonNullable<ProcessStreams["resize"]>, resize: SpdyStream): Promise<void> {
  for await (const { columns, rows } of sizes) {
    const line = `${JSON.stringify({ Width: columns, Height: rows })}\n`;
    const told = await resize.write(Buffer.from(line)).then(
      () => true,
      () => false,
    );
    if (!told) return;
  }
}

async function textOf(source: ByteSource): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** What the streaming server puts before its reasons; whoever passes them on puts it there again. */
const reasonPrefix = "error executing command in container: ";

/** The exit code in a Status (api-machinery 8.2). @throws Error with the reason for any other failure */
function exitCodeIn(json: string): number {
  if (json === "") throw new Error("the runtime closed the connection without a word on how it ended");
  const status = JSON.parse(json) as {
    readonly status?: string;
    readonly message?: string;
    readonly reason?: string;
    readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
  };
  if (status.status === "Success") return 0;
  const [cause] = status.details?.causes ?? [];
  if (status.reason === "NonZeroExitCode" && cause?.reason === "ExitCode") return Number(cause.message);
  const reason = cause?.message ?? status.message ?? json;
  throw new Error(reason.startsWith(reasonPrefix) ? reason.slice(reasonPrefix.length) : reason);
}

/** @throws Error if the server does not answer or does not agree */
function connect(url: string, protocol: string, whenGone: () => void = () => undefined): Promise<SpdyConnection> {
  const options: RequestOptions = {
    method: "POST",
    headers: { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": protocol, "content-length": 0 },
  };
  return new Promise((resolve, reject) => {
    // On its own machine the runtime may show a certificate of its own making.
    const asked: ClientRequest = url.startsWith("https:")
      ? httpsRequest(url, { ...options, rejectUnauthorized: false })
      : httpRequest(url, options);
    asked.on("upgrade", (_response: IncomingMessage, socket: Duplex, head: Buffer) => {
      const connection = new SpdyConnection(socket, "client", { stream: (stream) => stream.reset(), gone: whenGone });
      connection.start(head);
      resolve(connection);
    });
    asked.on("response", (response: IncomingMessage) => {
      text(response).then(
        (answer) => reject(new Error(answer.trim() || `the runtime answered ${response.statusCode}`)),
        reject,
      );
    });
    asked.on("error", (error) =>
      reject(new Error(`cannot reach the streaming server of the runtime: ${error.message}`)),
    );
    asked.end();
  });
}
