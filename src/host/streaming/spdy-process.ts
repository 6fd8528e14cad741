// exec and attach over SPDY: one stream for each purpose, opened by the client (api-machinery 8.2).

import type { Duplex } from "node:stream";
import type { ProcessSession } from "../../api/wire/stream-session.ts";
import type { ByteSource, ProcessStreams, TerminalSize } from "../../base/byte-stream.ts";
import { processOutcome, terminalSizeIn } from "./process-outcome.ts";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";

/** Versions of the protocol over SPDY, oldest last. */
export const spdyProcessProtocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
] as const;
export type SpdyProcessProtocol = (typeof spdyProcessProtocols)[number];

/** How long the client may take to open its streams, in milliseconds; as upstream. */
const streamPatience = 30_000;

type Purpose = "error" | "stdin" | "stdout" | "stderr" | "resize";

/** Serves the session over a connection that has been upgraded. Resolves when the client has been told how it ended. */
export async function serveProcessOverSpdy(
  session: ProcessSession,
  protocol: SpdyProcessProtocol,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const hasStatus = protocol === "v5.channel.k8s.io" || protocol === "v4.channel.k8s.io";
  const expected = new Set<Purpose>(["error"]);
  for (const purpose of ["stdin", "stdout", "stderr"] as const) if (session[purpose]) expected.add(purpose);
  if (session.tty && (hasStatus || protocol === "v3.channel.k8s.io")) expected.add("resize");

  const streams = new Map<Purpose, SpdyStream>();
  const gone = new AbortController();
  let complete = (): void => undefined;
  const completed = new Promise<void>((resolve) => {
    complete = resolve;
  });
  const connection = new SpdyConnection(socket, "server", {
    stream(stream) {
      const purpose = stream.headers.get("streamtype") as Purpose;
      if (!expected.has(purpose) || streams.has(purpose)) {
        stream.reset();
        return;
      }
      streams.set(purpose, stream);
      if (streams.size === expected.size) complete();
    },
    gone: (reason) => gone.abort(reason ?? new Error("the client is gone")),
  });
  const late = setTimeout(() => connection.destroy(), streamPatience);
  gone.signal.addEventListener("abort", () => complete(), { once: true });
  connection.start(head);
  await completed;
  clearTimeout(late);
  if (gone.signal.aborted) return;

  const outcome = await processOutcome(session, clientStreams(streams, gone.signal));
  const error = streams.get("error");
  const text = hasStatus ? outcome.status : outcome.text;
  // That the client is gone has been told to the process already.
  await error?.write(Buffer.from(text)).catch(() => undefined);
  for (const stream of streams.values()) stream.end();
  connection.close();
}

function clientStreams(streams: ReadonlyMap<Purpose, SpdyStream>, signal: AbortSignal): ProcessStreams {
  const stdin = streams.get("stdin");
  const stdout = streams.get("stdout");
  const stderr = streams.get("stderr");
  const resize = streams.get("resize");
  return {
    ...(stdin === undefined ? {} : { stdin: stdin.source }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(resize === undefined ? {} : { resize: sizesIn(resize.source) }),
    signal,
  };
}

/** Sizes are JSON documents, one behind the other, cut anywhere. */
async function* sizesIn(source: ByteSource): AsyncGenerator<TerminalSize> {
  let text = "";
  for await (const chunk of source) {
    text += Buffer.from(chunk).toString("latin1");
    for (let end = text.indexOf("}"); end !== -1; end = text.indexOf("}")) {
      const size = terminalSizeIn(text.slice(0, end + 1));
      text = text.slice(end + 1);
      if (size !== undefined) yield size;
    }
    if (text.length > 1024) text = "";
  }
}
