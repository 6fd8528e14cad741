// portforward over SPDY: two streams for each connection, paired by their request id (api-machinery 8.3).

import type { Duplex } from "node:stream";
import type { PortSession } from "../../api/wire/stream-session.ts";
import { forwardPort } from "./port-connection.ts";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";

export const spdyPortProtocol = "portforward.k8s.io";

/** Serves the session over a connection that has been upgraded. Resolves when the client is gone. */
export function servePortsOverSpdy(session: PortSession, socket: Duplex, head: Buffer): Promise<void> {
  return new Promise((resolve) => {
    /** Streams that wait for their other half. */
    const halves = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
    const connection = new SpdyConnection(socket, "server", {
      stream(stream) {
        const type = stream.headers.get("streamtype");
        if ((type !== "error" && type !== "data") || portOf(stream) === undefined) {
          stream.reset();
          return;
        }
        const id = requestIdOf(stream, type);
        const pair = { ...halves.get(id), [type]: stream };
        halves.set(id, pair);
        if (pair.error === undefined || pair.data === undefined) return;
        halves.delete(id);
        void serve(session, pair.error, pair.data);
      },
      gone() {
        session.close();
        resolve();
      },
    });
    connection.start(head);
  });
}

async function serve(session: PortSession, error: SpdyStream, data: SpdyStream): Promise<void> {
  const port = portOf(data) as number;
  await forwardPort(session, port, { source: data.source, sink: data, errors: error });
  // A client that has more to say to a connection that is over is told so.
  data.reset();
}

/** Clients from before there were request ids opened the error stream right before the data stream. */
const requestIdOf = (stream: SpdyStream, type: "error" | "data"): string =>
  stream.headers.get("requestid") ?? `stream ${type === "error" ? stream.id : stream.id - 2}`;

function portOf(stream: SpdyStream): number | undefined {
  const text = stream.headers.get("port") ?? "";
  const port = Number(text);
  return /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? port : undefined;
}
