// Streams into simulated containers: commands answer as declared, and what a container writes is its declared log.

import { type ByteSource, whenAborted } from "../../base/byte-stream.ts";
import type { StreamCall } from "../runtime-service.ts";
import type { SimulatedContainer } from "./simulated-container.ts";

export function execStream(container: SimulatedContainer, command: readonly string[]): StreamCall {
  container.runningSince("failed to exec in container: ");
  return async ({ stdin, stdout, stderr, signal }) => {
    signal.throwIfAborted();
    const gone = whenAborted(signal);
    try {
      const input = async (): Promise<string> => (stdin === undefined ? "" : textOf(stdin));
      const result = await Promise.race([container.exec(command, undefined, input), gone.promise]);
      if (result.stdout.length > 0) await stdout?.write(result.stdout);
      if (result.stderr.length > 0) await stderr?.write(result.stderr);
      return result.exitCode;
    } finally {
      gone.forget();
    }
  };
}

/** What the container writes from now on, until it ends. It reads nothing. */
export function attachStream(container: SimulatedContainer): StreamCall {
  container.runningSince();
  return async ({ stdout, stderr, signal }) => {
    signal.throwIfAborted();
    const encoder = new TextEncoder();
    for await (const line of container.log?.read({ follow: true, tailLines: 0, signal }) ?? []) {
      const sink = line.stream === "stdout" ? stdout : stderr;
      await sink?.write(line.text);
      await sink?.write(encoder.encode("\n"));
    }
    signal.throwIfAborted();
    return 0;
  };
}

async function textOf(source: ByteSource): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of source) text += decoder.decode(chunk, { stream: true });
  return text;
}
