import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";
import { keepRules } from "./rules/rule-keeper.ts";

/**
 * Ends the test run with what was skipped, by name and with its reason, what passed only when tried again, which rules of
 * docs/lifecycle-rules.md lost their check (which fails the run), and one plain line of counts.
 */
export default class ClosingLines implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const skipped: string[] = [];
    const unsteady: string[] = [];
    let brokenModules = 0;
    for (const module of modules) {
      if (module.errors().length > 0) brokenModules++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state]++;
        if (state === "skipped") skipped.push(`skipped: ${test.fullName}${reasonOf(test)}`);
        if (test.diagnostic()?.flaky === true) unsteady.push(`unsteady: ${test.fullName} passed only when tried again`);
      }
    }
    for (const line of [...skipped, ...unsteady]) console.log(line);
    // With -t most tests of a file are skipped on purpose.
    if (this.#vitest?.getGlobalTestNamePattern() === undefined) {
      const { lines, lost } = await keepRules(modules);
      for (const line of lines) console.log(line);
      if (lost) process.exitCode = 1;
    }
    console.log(`\n${counts.passed} passed, ${counts.failed + brokenModules} failed, ${counts.skipped} skipped`);
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return result.state === "skipped" && result.note !== undefined ? ` (${result.note})` : "";
}
