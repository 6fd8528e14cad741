// portforward over a WebSocket: two channels for each port of the query, one connection each (api-machinery 8.3).

import type { Duplex } from "node:stream";
import type { PortSession } from "../../api/wire/stream-session.ts";
import { StreamQueue } from "../../base/byte-stream.ts";
import { channelMessage, type ChannelProtocol, sendOnChannel } from "./channel-protocol.ts";
import { forwardPort } from "./port-connection.ts";
import { WebSocketConnection } from "./websocket-connection.ts";
import { closeCodes } from "./websocket-frames.ts";

/** So much waits for a port that does not read. */
const inputLimitBytes = 256 * 1024;

/** Serves the session over a connection that has been upgraded. Resolves when all its connections are over. */
export async function servePortsOverWebSocket(
  session: PortSession,
  protocol: ChannelProtocol,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const inputs = session.ports.map(
    () => new StreamQueue<Uint8Array>({ limit: inputLimitBytes, sizeOf: (chunk) => chunk.length }),
  );
  const connection = new WebSocketConnection(socket, {
    message(message) {
      const parsed = channelMessage(protocol, message);
      // The odd channels are for what goes wrong, which the client is told and does not tell.
      if (parsed === undefined || parsed.channel % 2 === 1 || parsed.data.length === 0) return;
      const input = inputs[parsed.channel / 2];
      if (input === undefined || input.push(parsed.data)) return;
      connection.pause();
      void input.drained().then(() => connection.resume());
    },
    gone() {
      for (const input of inputs) input.close();
      session.close();
    },
  });
  connection.start(head);
  const send = (channel: number, data: Uint8Array): Promise<void> => sendOnChannel(connection, protocol, channel, data);
  for (const [index, port] of session.ports.entries()) {
    const name = Buffer.alloc(2);
    name.writeUInt16LE(port);
    // That the client is gone is seen by the connections.
    await send(2 * index, name).catch(() => undefined);
    await send(2 * index + 1, name).catch(() => undefined);
  }
  const sink = (channel: number) => ({ write: (data: Uint8Array) => send(channel, data), end: () => undefined });
  const connections = session.ports.map(async (port, index) => {
    const source = inputs[index] as StreamQueue<Uint8Array>;
    await forwardPort(session, port, { source, sink: sink(2 * index), errors: sink(2 * index + 1) });
    source.discard();
  });
  await Promise.all(connections);
  session.close();
  connection.close(closeCodes.normal);
}
