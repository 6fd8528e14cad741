// One request and the way back to its client: the same for HTTP/1.1 and HTTP/2.

import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { IncomingHttpHeaders as Http2Headers, ServerHttp2Stream } from "node:http2";
import type { Readable, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";

export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: TLSSocket;
  /** The body of the request. */
  readonly body: Readable;
  /** Where the body of the answer goes, after its head. Closed early when the client hangs up. */
  readonly out: Writable;
  isHeadSent(): boolean;
  /** The head of the answer. */
  head(status: number, headers: OutgoingHttpHeaders): void;
  /** Sends the head before there is a body: clients of a quiet stream want to know that it is there. */
  flush(): void;
  /** Ends the request with its answer, although the client may go on sending. To be called before the head. */
  hangUpAfterwards(): void;
}

export function http1Exchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return {
    method: request.method ?? "",
    url: request.url ?? "",
    headers: request.headers,
    socket: request.socket as TLSSocket,
    body: request,
    out: response,
    isHeadSent: () => response.headersSent,
    head: (status, headers) => void response.writeHead(status, headers),
    flush: () => response.flushHeaders(),
    hangUpAfterwards: () => {
      response.shouldKeepAlive = false;
    },
  };
}

/** Node's own streams, without the objects that look like those of HTTP/1.1: making them takes longer than most answers. */
export function http2Exchange(stream: ServerHttp2Stream, headers: Http2Headers, socket: TLSSocket): Exchange {
  return {
    method: headers[":method"] ?? "",
    url: headers[":path"] ?? "",
    headers,
    socket,
    body: stream,
    out: stream,
    isHeadSent: () => stream.headersSent,
    head: (status, answered) => stream.respond({ ":status": status, ...answered }),
    flush: () => undefined,
    hangUpAfterwards: () => void stream.once("finish", () => stream.close()),
  };
}

/**
 * Whether the client still waits for its answer. The signal that says so is made when somebody asks for it: most requests are over before anyone
 * could want it.
 */
export class Presence {
  #reason: string | undefined;
  #gone: AbortController | undefined;

  /** `close` of a request fires as soon as its body was read; only the answer's tells that the client hung up. */
  constructor(out: Writable) {
    out.on("close", () => this.#end("the client hung up"));
    out.on("error", () => this.#end("the connection broke"));
  }

  get isGone(): boolean {
    return this.#reason !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      if (this.#reason !== undefined) this.#gone.abort(new Error(this.#reason));
    }
    return this.#gone.signal;
  }

  #end(reason: string): void {
    this.#reason ??= reason;
    this.#gone?.abort(new Error(reason));
  }
}
