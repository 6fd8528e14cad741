// What a world's process tells of one seed, and how a failure reads.

import { createHash } from "node:crypto";
import { formatMicroTime } from "../../src/base/time.ts";
import type { WorldReport } from "../../src/simulation/worlds/world.ts";

export interface WorldResult {
  readonly seed: number | string;
  /** A hash of everything that was ever stored. */
  readonly hash: string;
  readonly counts: Readonly<Record<string, number>>;
  /** What did not hold, with the last lines of the timeline; `undefined` if all did. */
  readonly failure: string | undefined;
  /** The invariant that did not hold. */
  readonly invariant: string | undefined;
}

/** How many lines of the timeline a failure shows. */
const linesShown = 60;

export function resultOf(report: WorldReport, faultsOutside: readonly string[] = []): WorldResult {
  const { seed, counts, transcript, violation } = report;
  const hash = createHash("sha256").update(transcript).digest("hex").slice(0, 16);
  const outside = faultsOutside[0];
  const invariant = violation?.invariant ?? (outside === undefined ? undefined : "nothing goes wrong outside");
  return { seed, hash, counts, invariant, failure: failureText(report, outside) };
}

function failureText({ seed, violation, timeline }: WorldReport, outside: string | undefined): string | undefined {
  if (violation === undefined && outside === undefined) return undefined;
  const what =
    violation === undefined
      ? [String(outside)]
      : [
          `seed ${seed}: "${violation.invariant}" does not hold at ${formatMicroTime(violation.at)}`,
          `  ${violation.subject}: ${violation.text}`,
        ];
  return [
    ...what,
    ...timeline.slice(-linesShown).map((line) => `  | ${line}`),
    `replay: npm run worlds -- --seed ${seed}`,
  ].join("\n");
}
