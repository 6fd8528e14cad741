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
}

/** Standard output. Colours only for a terminal, and not where NO_COLOR asks for none. */
export function standardOutput(): Terminal {
  const { stdout } = process;
  const interactive = stdout.isTTY === true && process.env.TERM !== "dumb" && process.env.CI === undefined;
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
    write: (text) => void stdout.write(text),
  };
}
