import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Ends the test run with what was skipped, by name and with its reason, what passed only at its second try, and one plain line of counts. */
export default class ClosingLines implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
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
        if (test.diagnostic()?.flaky === true)
          unsteady.push(`unsteady: ${test.fullName} passed only at its second try`);
      }
    }
    for (const line of [...skipped, ...unsteady]) console.log(line);
    console.log(`\n${counts.passed} passed, ${counts.failed + brokenModules} failed, ${counts.skipped} skipped`);
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return result.state === "skipped" && result.note !== undefined ? ` (${result.note})` : "";
}
