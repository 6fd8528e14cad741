// The suite that every runtime passes: what a kubelet may rely on. The test runner is passed in, so that a runtime made elsewhere can be
// checked with any runner; what a runtime cannot do is named, with the reason.
//
//   runtimeContract({ describe, test }, "mine", makeMyRuntime, {
//     cannot: { "gives every sandbox an address of its own": "my containers share the machine's network" },
//   });

import { capabilityChecks } from "./contract/capability-checks.ts";
import type { RuntimeCheck } from "./contract/contract-bench.ts";
import { ContractBench } from "./contract/contract-bench.ts";
import type { RuntimeUnderTest } from "./contract/runtime-under-test.ts";
import { endingChecks } from "./contract/ending-checks.ts";
import { lifecycleChecks } from "./contract/lifecycle-checks.ts";
import { logChecks } from "./contract/log-checks.ts";
import { streamChecks } from "./contract/stream-checks.ts";

export type { ContractProgram, ContractStep, RuntimeUnderTest } from "./contract/runtime-under-test.ts";
export { shellScriptOf } from "./contract/shell-script.ts";

/** The two things that are needed of a test runner (vitest, jest, mocha, node:test). */
export interface ContractRunner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

export interface ContractOptions {
  /**
   * Names of checks that cannot pass, with the reason. They are run all the same, and must fail: a gap that has closed, like a name that does not
   * exist, fails the suite.
   */
  readonly cannot?: Readonly<Record<string, string>>;
}

/**
 * Declares the suite for one runtime.
 * @param make gives a fresh runtime for each check; the check closes it.
 */
export function runtimeContract(
  runner: ContractRunner,
  name: string,
  make: () => Promise<RuntimeUnderTest>,
  options: ContractOptions = {},
): void {
  const cannot = options.cannot ?? {};
  runner.describe(`runtime contract: ${name}`, () => {
    for (const check of runtimeChecks) {
      const reason = cannot[check.name];
      if (reason === undefined) runner.test(check.name, () => carryOut(check, make));
      else runner.test(`cannot, because ${reason}: ${check.name}`, () => expectFailure(check, make));
    }
    runner.test("names only gaps that exist", async () => {
      const known = new Set(runtimeChecks.map((check) => check.name));
      const unknown = Object.keys(cannot).filter((gap) => !known.has(gap));
      if (unknown.length > 0) throw new Error(`no such check: ${unknown.join(", ")}`);
    });
  });
}

/** All checks by name, for those who want to list or run them otherwise. */
export const runtimeChecks: readonly RuntimeCheck[] = [
  ...lifecycleChecks,
  ...endingChecks,
  ...logChecks,
  ...streamChecks,
  ...capabilityChecks,
];

async function carryOut(check: RuntimeCheck, make: () => Promise<RuntimeUnderTest>): Promise<void> {
  const subject = await make();
  const bench = new ContractBench(subject);
  try {
    await subject.play(() => check.body(bench));
  } finally {
    await subject.play(() => bench.cleanUp());
    await subject.close();
  }
}

async function expectFailure(check: RuntimeCheck, make: () => Promise<RuntimeUnderTest>): Promise<void> {
  const failed = await carryOut(check, make).then(
    () => false,
    () => true,
  );
  if (!failed) throw new Error(`"${check.name}" passes: take it out of what this one cannot do`);
}
