// The door for streams: a request that wants its connection upgraded, and a session that it leads to. Chooses the protocol, answers 101, and hands the
// connection over to whoever speaks it (api-machinery 8.2, 8.3).

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { StreamSession } from "../../api/wire/stream-session.ts";
import { badRequest, type StatusError } from "../../api/wire/status-error.ts";
import { choosePortProtocol, chooseProcessProtocol } from "./channel-protocol.ts";
import { servePortsOverSpdy, spdyPortProtocol } from "./spdy-ports.ts";
import { serveProcessOverSpdy, spdyProcessProtocols } from "./spdy-process.ts";
import { WebSocketDuplex } from "./websocket-duplex.ts";
import { servePortsOverWebSocket } from "./websocket-ports.ts";
import { serveProcessOverWebSocket } from "./websocket-process.ts";

/** SPDY inside a WebSocket, as kubectl forwards ports since 1.31. */
const tunnelProtocol = "SPDY/3.1+portforward.k8s.io";

/** A way to serve the session, ready to begin. */
export interface Upgrade {
  /** Answers 101 and serves the session. Resolves when all is told; the connection may still be closing. */
  begin(socket: Duplex, head: Buffer): Promise<void>;
}

/** @returns the refusal, to be answered as any failed request is, if the client speaks nothing that is spoken here */
export function chooseUpgrade(request: IncomingMessage, session: StreamSession): Upgrade | StatusError {
  const protocol = request.headers.upgrade?.toLowerCase();
  if (protocol === "websocket") return webSocketUpgrade(request, session);
  if (protocol === "spdy/3.1") return spdyUpgrade(request, session);
  return badRequest("Upgrade request required");
}

function webSocketUpgrade(request: IncomingMessage, session: StreamSession): Upgrade | StatusError {
  const key = request.headers["sec-websocket-key"];
  if (request.method !== "GET" || request.headers["sec-websocket-version"] !== "13" || key === undefined) {
    return badRequest("a WebSocket begins with GET, Sec-WebSocket-Version: 13 and Sec-WebSocket-Key");
  }
  const offered = listIn(request.headers["sec-websocket-protocol"]);
  const accept = (protocol: string): string =>
    switchingProtocols({
      upgrade: "websocket",
      "sec-websocket-accept": acceptKey(key),
      ...(protocol === "" ? {} : { "sec-websocket-protocol": protocol }),
    });
  switch (session.kind) {
    case "process": {
      const protocol = chooseProcessProtocol(offered);
      if (protocol === undefined) return notSpoken(offered);
      return {
        begin(socket, head) {
          socket.write(accept(protocol.name));
          return serveProcessOverWebSocket(session, protocol, socket, head);
        },
      };
    }
    case "ports": {
      if (offered.includes(tunnelProtocol)) {
        return {
          begin(socket, head) {
            socket.write(accept(tunnelProtocol));
            return servePortsOverSpdy(session, new WebSocketDuplex(socket, head), Buffer.alloc(0));
          },
        };
      }
      const protocol = choosePortProtocol(offered);
      if (protocol === undefined) return notSpoken(offered);
      if (session.ports.length === 0) return badRequest('query parameter "port" is required');
      return {
        begin(socket, head) {
          socket.write(accept(protocol.name));
          return servePortsOverWebSocket(session, protocol, socket, head);
        },
      };
    }
  }
}

/** A client without a word on protocols is from before there were several. */
function spdyUpgrade(request: IncomingMessage, session: StreamSession): Upgrade | StatusError {
  const offered = listIn(request.headers["x-stream-protocol-version"]?.toString());
  const accept = (protocol: string): string =>
    switchingProtocols({ upgrade: "SPDY/3.1", "x-stream-protocol-version": protocol });
  switch (session.kind) {
    case "process": {
      const protocol = firstSpoken(spdyProcessProtocols, offered.length === 0 ? ["channel.k8s.io"] : offered);
      if (protocol === undefined) return notSpoken(offered);
      return {
        begin(socket, head) {
          socket.write(accept(protocol));
          return serveProcessOverSpdy(session, protocol, socket, head);
        },
      };
    }
    case "ports": {
      const protocol = firstSpoken([spdyPortProtocol], offered.length === 0 ? [spdyPortProtocol] : offered);
      if (protocol === undefined) return notSpoken(offered);
      return {
        begin(socket, head) {
          socket.write(accept(protocol));
          return servePortsOverSpdy(session, socket, head);
        },
      };
    }
  }
}

function firstSpoken<T extends string>(spoken: readonly T[], offered: readonly string[]): T | undefined {
  return offered.map((offer) => spoken.find((each) => each === offer)).find((each) => each !== undefined);
}

const notSpoken = (offered: readonly string[]): StatusError =>
  badRequest(`none of the offered protocols is spoken here: ${offered.join(", ")}`);

const listIn = (header: string | undefined): readonly string[] =>
  (header ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");

/** RFC 6455, 4.2.2. */
const acceptKey = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

function switchingProtocols(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ connection: "Upgrade", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`;
}
