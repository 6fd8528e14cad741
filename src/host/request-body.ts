// The bodies of requests, from clients that may send too much, too slowly or only a part.

import type { Readable } from "node:stream";
import { bodyLimitBytes } from "../apiserver/codec/decode-body.ts";

/** Of a body beyond the limit, this much is read and dropped, so that an honest client gets the answer and not a broken pipe. */
const droppedBytesLimit = 64 * bodyLimitBytes;

/** How long a body may take to arrive, in milliseconds: upstream's time for a whole request (api-machinery 12.3). */
export const usualBodyTimeLimit = 60_000;

export interface RequestBody {
  /** Of a body beyond the limit, enough for the API server to refuse it; `undefined` if there is none. */
  readonly bytes: Uint8Array | undefined;
  /** Where reading stopped: at its end, because it has none, because its time was over, or because the client hung up. */
  readonly end: "complete" | "endless" | "late" | "broken";
}

/** Never rejects. @param timeLimit milliseconds */
export function readBody(body: Readable, timeLimit: number): Promise<RequestBody> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const finish = (end: RequestBody["end"]): void => {
      clearTimeout(timer);
      body.off("data", onData);
      resolve({ bytes: size === 0 ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks), end });
    };
    const onData = (chunk: Uint8Array): void => {
      if (size <= bodyLimitBytes) chunks.push(chunk);
      size += chunk.length;
      if (size > droppedBytesLimit) finish("endless");
    };
    const timer = setTimeout(() => finish("late"), timeLimit);
    body.on("data", onData);
    body.on("end", () => finish("complete"));
    body.on("error", () => finish("broken"));
    // After the end this changes nothing.
    body.on("close", () => finish("broken"));
  });
}
