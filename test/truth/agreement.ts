// The record of what agreed when all stories were told last: test/truth/agreement.json.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeName } from "./machine.ts";
import type { Outcome } from "./tell-all.ts";

/** By runtime and title: `agrees`, `differs: …` or `not told: …`. */
export type Agreement = Readonly<Record<RuntimeName, Readonly<Record<string, string>>>>;

/** From the repository's root, where npm scripts run. */
const path = join(process.cwd(), "test/truth/agreement.json");

export function readAgreement(): Agreement {
  if (!existsSync(path)) return { containerd: {}, process: {} };
  return JSON.parse(readFileSync(path, "utf8")) as Agreement;
}

export function writeAgreement(agreement: Agreement): void {
  writeFileSync(path, `${JSON.stringify(agreement, undefined, 2)}\n`);
}

export function wordsOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case "agrees":
      return "agrees";
    case "differs":
      return `differs: ${outcome.difference}`;
    case "not told":
      return `not told: ${outcome.reason}`;
  }
}
