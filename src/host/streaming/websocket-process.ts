// exec and attach over a WebSocket.

import type { Duplex } from "node:stream";
import type { ProcessSession } from "../../api/wire/stream-session.ts";
import { type ByteSink, type ProcessStreams, StreamQueue, type TerminalSize } from "../../base/byte-stream.ts";
import { channelMessage, type ChannelProtocol, sendOnChannel } from "./channel-protocol.ts";
import { processOutcome, terminalSizeIn } from "./process-outcome.ts";
import { WebSocketConnection } from "./websocket-connection.ts";
import { closeCodes } from "./websocket-frames.ts";

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** So much input waits for a process that does not read. */
const inputLimitBytes = 256 * 1024;
/** Further changes of the window while one is being carried out are not worth keeping. */
const resizeLimit = 64;

/** Serves the session over a connection that has been upgraded. Resolves when the client has been told how it ended. */
export async function serveProcessOverWebSocket(
  session: ProcessSession,
  protocol: ChannelProtocol,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const stdin = new StreamQueue<Uint8Array>({ limit: inputLimitBytes, sizeOf: (chunk) => chunk.length });
  const resize = new StreamQueue<TerminalSize>({ limit: resizeLimit, sizeOf: () => 1 });
  const gone = new AbortController();
  const take = (channel: number, data: Buffer): void => {
    if (channel === channels.stdin && session.stdin) {
      // An empty message is no end: only the close signal is.
      if (data.length === 0 || stdin.push(data)) return;
      connection.pause();
      void stdin.drained().then(() => connection.resume());
    } else if (channel === channels.resize) {
      const size = terminalSizeIn(data.toString());
      if (size !== undefined && session.tty) resize.push(size);
    } else if (channel === channels.close && protocol.closeSignal && data[0] === channels.stdin) {
      stdin.close();
    }
  };
  const connection = new WebSocketConnection(socket, {
    message(message) {
      const parsed = channelMessage(protocol, message);
      if (parsed !== undefined) take(parsed.channel, parsed.data);
    },
    gone() {
      gone.abort(new Error("the client is gone"));
      stdin.close();
      resize.close();
    },
  });
  connection.start(head);
  const sink = (channel: number): ByteSink => ({
    write: (chunk) => sendOnChannel(connection, protocol, channel, chunk),
    end: () => undefined,
  });
  const first = session.stdout ? channels.stdout : session.stderr ? channels.stderr : channels.error;
  const told = (channel: number, data: Uint8Array): Promise<void> =>
    // That the client is gone has been told to the process already.
    sendOnChannel(connection, protocol, channel, data).catch(() => undefined);
  await told(first, Buffer.alloc(0));
  const streams: ProcessStreams = {
    ...(session.stdin ? { stdin } : {}),
    ...(session.stdout ? { stdout: sink(channels.stdout) } : {}),
    ...(session.stderr ? { stderr: sink(channels.stderr) } : {}),
    ...(session.tty ? { resize } : {}),
    signal: gone.signal,
  };
  const outcome = await processOutcome(session, streams);
  stdin.discard();
  resize.discard();
  if (protocol.status) await told(channels.error, Buffer.from(outcome.status));
  else if (outcome.text !== "") await told(channels.error, Buffer.from(outcome.text));
  connection.close(closeCodes.normal);
}
