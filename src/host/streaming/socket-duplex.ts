// A socket as a pair of byte streams.

import type { Duplex } from "node:stream";
import type { ByteDuplex } from "../../base/byte-stream.ts";
import { SocketWriter } from "./socket-writer.ts";

export function duplexOf(socket: Duplex): ByteDuplex {
  const writer = new SocketWriter(socket);
  // Whoever reads or writes hears of it there.
  socket.on("error", () => socket.destroy());
  return {
    source: socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
    sink: {
      write: (chunk) => writer.write(chunk),
      end() {
        socket.end();
      },
    },
    destroy() {
      socket.destroy();
    },
  };
}
