import type { Http2ServerResponse } from "node:http2";
import type { WatchEvent, WatchStream } from "../api/wire/request.ts";

/** A client that lets this much pile up is cut off: it resumes from its last resourceVersion, and the rest of the house is not held up by it. */
export const slowWatcherLimitBytes = 16 * 1024 * 1024;

/** All watchers of one event send the same bytes; they are made once. */
const encodedLines = new WeakMap<WatchEvent, Buffer>();

/** Sends a watch's events as they come, one JSON document a line, until either side ends it. */
export function sendWatch(watch: WatchStream, response: Http2ServerResponse, gone: AbortSignal): void {
  if ("flushHeaders" in response && typeof response.flushHeaders === "function") response.flushHeaders();
  let over = false;
  const stop = (): void => {
    over = true;
    watch.stop();
  };
  if (gone.aborted) {
    stop();
    return;
  }
  gone.addEventListener("abort", stop, { once: true });
  watch.start({
    event(event) {
      if (over) return;
      response.write(lineOf(event));
      const waiting =
        response.stream?.writableLength ?? (response as unknown as { writableLength?: number }).writableLength ?? 0;
      if (waiting > slowWatcherLimitBytes) {
        stop();
        if (response.stream !== undefined) response.stream.destroy();
        else (response as unknown as { destroy(): void }).destroy();
      }
    },
    ended() {
      if (over) return;
      over = true;
      response.end();
    },
  });
}

function lineOf(event: WatchEvent): Buffer {
  let line = encodedLines.get(event);
  if (line === undefined) {
    line = Buffer.from(event.line());
    encodedLines.set(event, line);
  }
  return line;
}
