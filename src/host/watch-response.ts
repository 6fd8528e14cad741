import type { WatchEvent, WatchStream } from "../api/wire/request.ts";
import type { Exchange, Presence } from "./exchange.ts";

/**
 * A client that lets this much pile up is cut off: it resumes from its last resourceVersion, and the rest of the house is not held up by it. What a
 * watch begins with comes at once and does not count, however much it is.
 */
export const slowWatcherLimitBytes = 16 * 1024 * 1024;

/** All watchers of one event send the same bytes; they are made once. */
const encodedLines = new WeakMap<WatchEvent, Buffer>();

/** Sends a watch's events as they come, one JSON document a line, until either side ends it. */
export function sendWatch(watch: WatchStream, exchange: Exchange, presence: Presence): void {
  const { out } = exchange;
  exchange.flush();
  let over = false;
  let limit = Number.POSITIVE_INFINITY;
  const stop = (): void => {
    over = true;
    watch.stop();
  };
  if (presence.isGone) {
    stop();
    return;
  }
  presence.signal.addEventListener("abort", stop, { once: true });
  watch.start({
    event(event) {
      if (over) return;
      out.write(lineOf(event));
      if (out.writableLength > limit) {
        stop();
        out.destroy();
      }
    },
    ended() {
      if (over) return;
      over = true;
      out.end();
    },
  });
  limit = out.writableLength + slowWatcherLimitBytes;
}

function lineOf(event: WatchEvent): Buffer {
  let line = encodedLines.get(event);
  if (line === undefined) {
    line = Buffer.from(event.line());
    encodedLines.set(event, line);
  }
  return line;
}
