// What went wrong outside is told in one line; a mistake in lifepod itself keeps its stack, for a report.

import { lifepodVersion } from "../standalone/version.ts";

/** The exit status after a mistake of lifepod's own, so that nobody takes it for a Pod that failed (sysexits: EX_SOFTWARE). */
export const mistakeStatus = 70;

/** Whether an error that nobody expected can only come from wrong code. */
export function isMistake(error: unknown): boolean {
  return (
    !(error instanceof Error) ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  );
}

/** The text for standard error. */
export function mistakeReport(error: unknown): string {
  const what = error instanceof Error ? (error.stack ?? String(error)) : `thrown: ${String(error)}`;
  return [
    `lifepod: a mistake in lifepod itself has ended it. Please report it with these lines:`,
    `lifepod ${lifepodVersion}, node ${process.version}, ${process.platform} ${process.arch}`,
    what,
    "",
  ].join("\n");
}

/**
 * Ends the process with a report when an error reaches nobody, be it thrown in a callback or in a promise that nobody waits for: what state the parts
 * are in is not known then, and everything that was acknowledged is on the disk.
 */
export function endOnMistake(): void {
  process.on("uncaughtException", (error) => {
    process.stderr.write(mistakeReport(error), () => process.exit(mistakeStatus));
  });
}
