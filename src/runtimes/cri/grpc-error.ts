// How a gRPC call fails, and what the numbers of its status mean.

/** The status codes of gRPC by their number. */
export const grpcCodes = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
] as const;

export type GrpcCode = (typeof grpcCodes)[number];

/**
 * A call that the server refused, or that never reached it (`Unavailable`), or that took too long (`DeadlineExceeded`).
 * The message is the server's own text, fit for an event; `rpcText` is how upstream's components print the whole error.
 */
export class GrpcError extends Error {
  readonly code: Exclude<GrpcCode, "OK">;
  /** `/runtime.v1.RuntimeService/RunPodSandbox` */
  readonly method: string;

  constructor(code: Exclude<GrpcCode, "OK">, message: string, method: string) {
    super(message);
    this.name = "GrpcError";
    this.code = code;
    this.method = method;
  }

  /** `rpc error: code = Unknown desc = failed to setup network …` */
  get rpcText(): string {
    return `rpc error: code = ${this.code} desc = ${this.message}`;
  }
}

/** The failure that a reply's `grpc-status` and `grpc-message` name, or `undefined` for success. */
export function grpcFailure(status: string, message: string | undefined, method: string): GrpcError | undefined {
  const code = /^\d{1,2}$/.test(status) ? (grpcCodes[Number(status)] ?? "Unknown") : "Unknown";
  if (code === "OK") return undefined;
  const text =
    message === undefined || message === "" ? `the call failed with status ${status}` : percentDecode(message);
  return new GrpcError(code, text, method);
}

/** What an answer of an HTTP status other than 200 means to a gRPC client. */
export function codeOfHttpStatus(status: number): Exclude<GrpcCode, "OK"> {
  switch (status) {
    case 400:
      return "Internal";
    case 401:
      return "Unauthenticated";
    case 403:
      return "PermissionDenied";
    case 404:
      return "Unimplemented";
    case 429:
    case 502:
    case 503:
    case 504:
      return "Unavailable";
    default:
      return "Unknown";
  }
}

/** `grpc-message` carries UTF-8 with all but printable ASCII as %XX; what is not a valid escape stays as it is. */
function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const escape = text[i] === "%" ? /^[0-9A-Fa-f]{2}/.exec(text.slice(i + 1, i + 3)) : null;
    if (escape === null) {
      bytes.push(text.charCodeAt(i) & 0xff);
      continue;
    }
    bytes.push(Number.parseInt(escape[0], 16));
    i += 2;
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
