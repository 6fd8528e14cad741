import picocolors from "picocolors";
import { type Paint, plainPaint } from "./paint.ts";

/** Where a command's own output goes, and what it can show there. */
export interface Terminal {
  /** A person is looking: colours and redrawing are welcome. */
  readonly interactive: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  readonly write: (text: string) => void;
  /** Resolves when nobody reads any more: the pipe was closed, the terminal is gone. What is written after that goes nowhere. */
  readonly closed: Promise<void>;
}

/** Standard output. Colours only for a terminal, and not where NO_COLOR asks for none. */
export function standardOutput(): Terminal {
  const { stdout } = process;
  const interactive = stdout.isTTY === true && process.env.TERM !== "dumb" && process.env.CI === undefined;
  let open = true;
  const closed = new Promise<void>((resolve) => {
    // Whatever keeps the output from being written must not end lifepod before its Pods.
    stdout.on("error", () => {
      open = false;
      resolve();
    });
  });
  return {
    interactive,
    // A terminal that does not know its size says 0.
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    paint: interactive && picocolors.isColorSupported ? picocolors : plainPaint,
    write: (text) => {
      if (open) stdout.write(text);
    },
    closed,
  };
}
