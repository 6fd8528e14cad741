// Joins the streams of a container's own process: its output from now on as the log has it, its input through the container's named pipe.

import { constants, openSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import type { Clock } from "../../base/time.ts";
import { millis } from "../../base/time.ts";
import { type ByteSink, type ByteSource, whenAborted } from "../../base/byte-stream.ts";
import type { StreamCall } from "../runtime-service.ts";
import { feed } from "./exec-stream.ts";
import type { ProcessLog } from "./process-log.ts";
import { type ProcessIdentity, signalProcess } from "./process-table.ts";
import { inputFile } from "./supervisor-script.ts";

const chunkBytes = 64 * 1024;

export interface AttachedContainer {
  readonly clock: Clock;
  readonly folder: string;
  readonly log: ProcessLog;
  /** Whether it was made with an input, and whether that ends with its first client. */
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** Who holds the input open while no client does; `undefined` if it has not noted itself yet. */
  keeper(): ProcessIdentity | undefined;
}

/** @throws Error if the log is gone */
export async function attachStream(container: AttachedContainer): Promise<StreamCall> {
  const { log } = container;
  const { size: from } = await stat(log.path);
  return async (streams) => {
    streams.signal.throwIfAborted();
    const gone = whenAborted(streams.signal);
    const { stdin } = streams;
    const input = stdin !== undefined && container.stdin ? passInput(container, stdin) : undefined;
    try {
      // Both outputs of the process are one in its log.
      await Promise.race([passOutput(log, from, streams.stdout, streams.signal), gone.promise]);
      return 0;
    } finally {
      gone.forget();
      input?.stop();
    }
  };
}

/** Resolves when the container has ended and all that it wrote is passed on. */
async function passOutput(
  log: ProcessLog,
  from: number,
  sink: ByteSink | undefined,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(log.path, "r");
  try {
    for (let offset = from; !signal.aborted; ) {
      // Asked before reading: what is written between the two is read in the next turn.
      const over = log.isOver;
      const buffer = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset);
      offset += bytesRead;
      if (bytesRead > 0) await sink?.write(buffer.subarray(0, bytesRead));
      else if (over) return;
      else await log.changed(signal);
    }
  } finally {
    await file.close();
  }
}

/** Passes the input on until it ends, or until it is stopped. */
function passInput(container: AttachedContainer, stdin: ByteSource): { stop(): void } {
  let pipe: Socket | undefined;
  let stopped = false;
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    pipe?.destroy();
    if (container.stdinOnce) void endInput(container);
  };
  const pass = async (): Promise<void> => {
    pipe = openInput(container.folder);
    await feed(pipe, stdin);
    await finished(pipe);
  };
  // A process that reads no more has lost nothing; the client sees from its output how it goes on.
  void pass().then(stop, stop);
  return { stop };
}

const finished = (pipe: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (pipe.closed) resolve();
    else pipe.once("close", () => resolve());
  });

/** Fails at once if nobody reads. The stream takes the descriptor over. */
const openInput = (folder: string): Socket =>
  new Socket({
    fd: openSync(join(folder, inputFile), constants.O_WRONLY | constants.O_NONBLOCK),
    readable: false,
    writable: true,
  });

/** The process reads the end of its input once nobody holds it open any more. */
async function endInput(container: AttachedContainer): Promise<void> {
  for (let look = 0; look < 50; look++) {
    const process = container.keeper();
    if (process !== undefined) {
      signalProcess(process, "SIGKILL");
      return;
    }
    await container.clock.sleep(millis(20));
  }
}
