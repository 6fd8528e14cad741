// Told by the reporter of the test run (test/closing-lines.ts): a rule of docs/lifecycle-rules.md whose check was renamed, removed, skipped or
// failed fails the run, by name.

import type { TestModule } from "vitest/node";
import { findLostChecks, type Outcome } from "./lost-checks.ts";

/**
 * Judges the rules whose checks are in these files.
 * With ALL_RULES set nothing that they name may be skipped, for want of whatever.
 * @returns lines to print, and whether a rule lost its check
 */
export async function keepRules(
  modules: readonly TestModule[],
): Promise<{ readonly lines: readonly string[]; readonly lost: boolean }> {
  // A file that broke has its own report, and no tests to judge by.
  const whole = modules.filter((module) => module.errors().length === 0);
  const files = new Set(whole.map((module) => module.relativeModuleId));
  // Only now: whoever runs one file does not wait for the rules.
  const { rules } = await import("./chapters.ts");
  const strict = process.env.ALL_RULES !== undefined;
  const { lost, notShownHere } = findLostChecks(rules, whole.flatMap(outcomesOf), files, strict);
  const lines = [...notShownHere].map(
    ([reason, unproven]) =>
      `${unproven.length} rules of docs/lifecycle-rules.md are not shown in full here (${reason})`,
  );
  if (lost.length === 0) return { lines, lost: false };
  // One check often speaks for many rules: it is told once, with all of them.
  const rulesOf = new Map<string, string[]>();
  for (const { rule, check, why } of lost) {
    const told = `  ${check.file}\n    ${check.test}\n    ${why}`;
    rulesOf.set(told, [...(rulesOf.get(told) ?? []), rule.id]);
  }
  const told = [...rulesOf].map(
    ([check, ids]) => `${check}; checks ${ids.length === 1 ? "rule" : "rules"} ${ids.join(", ")}`,
  );
  return {
    lines: [
      ...lines,
      `\n${rulesOf.size} checks of docs/lifecycle-rules.md are lost:`,
      ...told,
      "A rule without a check is not in the table: name in test/rules the check that shows it now, or write one.",
    ],
    lost: true,
  };
}

function outcomesOf(module: TestModule): readonly Outcome[] {
  return [...module.children.allTests()].map((test) => {
    const result = test.result();
    const note = result.state === "skipped" ? result.note : undefined;
    return { file: module.relativeModuleId, test: test.fullName, state: result.state, note };
  });
}
