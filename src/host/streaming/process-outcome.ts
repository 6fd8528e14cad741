// How the end of a process is told to a client: as a Status, or in the oldest protocols as a text (api-machinery 8.2).

import type { ProcessSession } from "../../api/wire/stream-session.ts";
import { internalError } from "../../api/wire/status-error.ts";
import type { ProcessStreams } from "../../base/byte-stream.ts";

export interface ProcessOutcome {
  /** JSON of the Status. */
  readonly status: string;
  /** For protocols without a Status; empty for success. */
  readonly text: string;
}

/** Runs the process with the client's streams to its end, however that is. */
export async function processOutcome(session: ProcessSession, streams: ProcessStreams): Promise<ProcessOutcome> {
  try {
    return exited(await session.run(streams));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const text = `error executing command in container: ${reason}`;
    return { status: JSON.stringify(internalError(text).status), text };
  }
}

function exited(exitCode: number): ProcessOutcome {
  if (exitCode === 0) return { status: JSON.stringify({ metadata: {}, status: "Success" }), text: "" };
  const text = `command terminated with exit code ${exitCode}`;
  const status = {
    metadata: {},
    status: "Failure",
    message: text,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
  return { status: JSON.stringify(status), text };
}

/** Sizes as a client writes them, `{"Width":100,"Height":30}`; `undefined` for anything else. */
export function terminalSizeIn(json: string): { readonly columns: number; readonly rows: number } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { Width: columns, Height: rows } = (parsed ?? {}) as { readonly Width?: unknown; readonly Height?: unknown };
  return isSize(columns) && isSize(rows) ? { columns, rows } : undefined;
}

const isSize = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535;
