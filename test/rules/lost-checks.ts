// Rules stay in the table only while their checks run and pass. What a test run says is held against the rules here.

import type { Check, Rule } from "./rule.ts";
import { checksOf } from "./verdict.ts";

/** What became of one test. */
export interface Outcome {
  readonly file: string;
  readonly test: string;
  readonly state: "passed" | "failed" | "skipped" | "pending";
  /** Why it was skipped. */
  readonly note?: string | undefined;
}

export interface Lost {
  readonly rule: Rule;
  readonly check: Check;
  readonly why: string;
}

export interface Findings {
  readonly lost: readonly Lost[];
  /** Rules whose check did not run because this machine lacks something, by what it lacks. */
  readonly notShownHere: ReadonlyMap<string, readonly Rule[]>;
}

/**
 * @param files the files that ran as a whole; checks of others are not judged
 * @param strict nothing may be skipped, as on a machine that has everything
 */
export function findLostChecks(
  rules: readonly Rule[],
  outcomes: readonly Outcome[],
  files: ReadonlySet<string>,
  strict: boolean,
): Findings {
  const lost: Lost[] = [];
  const notShownHere = new Map<string, readonly Rule[]>();
  const note = (reason: string, rule: Rule): void => {
    notShownHere.set(reason, [...(notShownHere.get(reason) ?? []).filter((one) => one !== rule), rule]);
  };
  for (const rule of rules) {
    for (const check of distinct(checksOf(rule)).filter(({ file }) => files.has(file))) {
      const tests = outcomes.filter(({ file, test }) => file === check.file && matches(check.test, test));
      const skipped = tests.find(({ state }) => state === "skipped");
      const bad = tests.find(({ state }) => state === "failed" || state === "pending");
      const lacking = tests.length === 0 ? outcomes.flatMap((outcome) => lackedFor(check, outcome) ?? []) : [];
      if (lacking[0] !== undefined && !strict) note(lacking[0], rule);
      else if (tests.length === 0) lost.push({ rule, check, why: "there is no such test: it was renamed or removed" });
      else if (bad !== undefined)
        lost.push({ rule, check, why: `it ${bad.state === "failed" ? "failed" : "did not run"}` });
      else if (skipped !== undefined && (strict || skipped.note === undefined))
        lost.push({ rule, check, why: `it was skipped (${skipped.note ?? "without a reason"})` });
      else if (skipped?.note !== undefined) note(skipped.note, rule);
    }
  }
  return { lost, notShownHere };
}

/** `*` at the beginning or the end of a check's name stands for anything. */
export function matches(pattern: string, test: string): boolean {
  if (pattern.startsWith("* > ")) return test.endsWith(pattern.slice(1));
  return pattern.endsWith("*") ? test.startsWith(pattern.slice(0, -1)) : test === pattern;
}

/** What a machine lacks on which the contract suite names a promise as one that cannot be kept here, though it can elsewhere. */
function lackedFor({ file, test }: Check, outcome: Outcome): string | undefined {
  const at = test.lastIndexOf(" > ");
  const before = `${test.slice(0, at)} > cannot, because `;
  const after = `: ${test.slice(at + 3)}`;
  if (outcome.file !== file || !outcome.test.startsWith(before) || !outcome.test.endsWith(after)) return undefined;
  return outcome.test.slice(before.length, -after.length);
}

function distinct(checks: readonly Check[]): readonly Check[] {
  return [...new Map(checks.map((check) => [`${check.file} ${check.test}`, check])).values()];
}
