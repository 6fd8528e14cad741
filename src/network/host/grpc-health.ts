// grpc.health.v1.Health/Check as the kubelet calls it (pod-lifecycle 6.7): no TLS, one call, and connecting goes on until the time is up.

import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { connect } from "node:http2";
import type { Millis } from "../../base/time.ts";
import type { GrpcHealthAnswer } from "../pod-network.ts";
import { grpcConnectTimeout, grpcFailed, grpcRpcTimeout, grpcUnimplemented, joinHostPort } from "../probe-errors.ts";

const userAgent = "kube-probe/1.34";
/** The pause after a connection that could not be made. */
const connectAgainAfter = 1000;

export async function grpcHealth(
  host: string,
  port: number,
  service: string,
  timeout: Millis,
): Promise<GrpcHealthAnswer> {
  const address = joinHostPort(host, port);
  const deadline = performance.now() + timeout;
  const session = await connectUntil(address, deadline);
  if (session === undefined) return { kind: "failed", error: grpcConnectTimeout(address, timeout) };
  try {
    const reply = await call(session, service, deadline);
    return answerFrom(reply, timeout);
  } finally {
    session.destroy();
  }
}

/** A connection that the other side has greeted on; `undefined` if there was none in time. */
async function connectUntil(address: string, deadline: number): Promise<ClientHttp2Session | undefined> {
  for (;;) {
    const session = await connectOnce(address, deadline);
    if (session !== undefined) return session;
    const left = deadline - performance.now();
    if (left <= 0) return undefined;
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, connectAgainAfter)));
  }
}

function connectOnce(address: string, deadline: number): Promise<ClientHttp2Session | undefined> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const giveUp = (): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(undefined);
    };
    const timer = setTimeout(giveUp, Math.max(0, deadline - performance.now()));
    session.on("error", giveUp);
    session.on("close", giveUp);
    session.once("remoteSettings", () => {
      clearTimeout(timer);
      session.off("close", giveUp);
      resolve(session);
    });
  });
}

type Reply =
  | { readonly kind: "message"; readonly status: GrpcStatusName }
  | { readonly kind: "error"; readonly code: number; readonly message: string };

function call(session: ClientHttp2Session, service: string, deadline: number): Promise<Reply> {
  return new Promise((resolve) => {
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      "user-agent": userAgent,
      "grpc-timeout": `${left}m`,
      te: "trailers",
    });
    const timer = setTimeout(() => finish({ kind: "error", code: codes.DeadlineExceeded, message: "" }), left);
    const finish = (reply: Reply): void => {
      clearTimeout(timer);
      resolve(reply);
      stream.close();
    };
    const unavailable = (error: Error): void => {
      finish({ kind: "error", code: codes.Unavailable, message: `error reading from server: ${error.message}` });
    };
    session.on("error", unavailable);
    stream.on("error", unavailable);
    collectReply(stream, finish);
    stream.end(framed(healthCheckRequest(service)));
  });
}

function collectReply(stream: ClientHttp2Stream, finish: (reply: Reply) => void): void {
  const chunks: Buffer[] = [];
  let head: IncomingHttpHeaders = {};
  let tail: IncomingHttpHeaders = {};
  stream.on("response", (headers) => {
    head = headers;
  });
  stream.on("trailers", (headers) => {
    tail = headers;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    // A call that fails at once has everything in its head.
    const code = tail["grpc-status"] ?? head["grpc-status"];
    if (code === undefined) finish({ kind: "error", ...noGrpcError(head) });
    else if (code !== "0") finish({ kind: "error", code: Number(code), message: messageIn(tail, head) });
    else finish({ kind: "message", status: statusIn(Buffer.concat(chunks)) });
  });
}

function answerFrom(reply: Reply, timeout: Millis): GrpcHealthAnswer {
  if (reply.kind === "message") return { kind: "answered", status: reply.status };
  if (reply.code === codes.Unimplemented) return { kind: "failed", error: grpcUnimplemented(reply.message) };
  if (reply.code === codes.DeadlineExceeded) return { kind: "failed", error: grpcRpcTimeout(timeout) };
  const name = Object.entries(codes).find(([, code]) => code === reply.code)?.[0];
  return { kind: "failed", error: grpcFailed(name ?? `Code(${reply.code})`, reply.message) };
}

/** What a server that speaks HTTP/2 but no gRPC means by its answer. */
function noGrpcError(head: IncomingHttpHeaders): { readonly code: number; readonly message: string } {
  const status = Number(head[":status"] ?? 0);
  const type = head["content-type"] ?? "";
  const code = codeOfHttpStatus[status] ?? codes.Unknown;
  const message = `unexpected HTTP status code received from server: ${status}; transport: received unexpected content-type "${type}"`;
  return { code, message };
}

const messageIn = (...headers: readonly IncomingHttpHeaders[]): string => {
  const text = headers.map((from) => from["grpc-message"]).find((message) => message !== undefined);
  return typeof text === "string" ? percentDecoded(text) : "";
};

function percentDecoded(text: string): string {
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const codes = {
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;

const codeOfHttpStatus: Readonly<Record<number, number>> = {
  400: codes.Internal,
  401: codes.Unauthenticated,
  403: codes.PermissionDenied,
  404: codes.Unimplemented,
  429: codes.Unavailable,
  502: codes.Unavailable,
  503: codes.Unavailable,
  504: codes.Unavailable,
};

type GrpcStatusName = Extract<GrpcHealthAnswer, { kind: "answered" }>["status"];
const statuses: readonly GrpcStatusName[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** HealthCheckRequest: field 1, the service's name. */
function healthCheckRequest(service: string): Buffer {
  const name = Buffer.from(service, "utf8");
  return name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
}

/** A gRPC message is led by a byte that says whether it is compressed, and its length. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** HealthCheckResponse: field 1, the status as a number; absent is UNKNOWN. Other fields are passed over. */
function statusIn(framedMessage: Buffer): GrpcStatusName {
  const message = framedMessage.subarray(5);
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; at < message.length; shift += 7) {
      const byte = message[at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  let status = 0;
  while (at < message.length) {
    const tag = next();
    const type = tag & 7;
    if (tag === 0x08) status = next();
    else if (type === 0) next();
    else if (type === 2) at += next();
    else at += type === 1 ? 8 : type === 5 ? 4 : message.length;
  }
  return statuses[status] ?? "UNKNOWN";
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}
