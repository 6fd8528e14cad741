// One forwarded connection: the client's two streams on one side, a port of the Pod on the other.

import type { PortSession } from "../../api/wire/stream-session.ts";
import { type ByteSink, type ByteSource, copy } from "../../base/byte-stream.ts";

export interface ForwardedStreams {
  readonly source: ByteSource;
  readonly sink: ByteSink;
  /** Where the client reads what went wrong. */
  readonly errors: ByteSink;
}

/** Resolves when both directions have ended, or when something went wrong and the client has been told. */
export async function forwardPort(session: PortSession, port: number, client: ForwardedStreams): Promise<void> {
  try {
    const pod = await session.connect(port);
    try {
      await Promise.all([
        copy(client.source, pod.sink).then(
          () => pod.sink.end(),
          // A port that reads no more may still have something to say.
          () => undefined,
        ),
        copy(pod.source, client.sink).then(() => client.sink.end()),
      ]);
    } finally {
      pod.destroy();
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // A client that is gone wants to know nothing.
    await client.errors.write(new TextEncoder().encode(text)).catch(() => undefined);
  } finally {
    client.sink.end();
    client.errors.end();
  }
}
