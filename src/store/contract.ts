// The suite that every backing of the store passes: one named check for each promise of store.ts. The test runner is passed in, so that a
// backing made elsewhere can be checked with any runner; what a backing cannot do is named, with the reason.

import { durabilityChecks } from "./contract/durability-checks.ts";
import { expiryChecks } from "./contract/expiry-checks.ts";
import { historyChecks } from "./contract/history-checks.ts";
import { rangeChecks } from "./contract/range-checks.ts";
import type { StoreBacking, StoreCheck } from "./contract/store-bench.ts";
import { StoreBench } from "./contract/store-bench.ts";
import { transactionChecks } from "./contract/transaction-checks.ts";
import { watchChecks } from "./contract/watch-checks.ts";

export type { StoreBacking, StoreCheck, StoreOpenOptions } from "./contract/store-bench.ts";

/** The two things that are needed of a test runner (vitest, jest, mocha, node:test). */
export interface ContractRunner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

export interface StoreContractOptions {
  /**
   * Names of checks that cannot pass, with the reason. They are run all the same, and must fail: a gap that has closed, like a name that does not
   * exist, fails the suite.
   */
  readonly cannot?: Readonly<Record<string, string>>;
}

/**
 * Declares the suite for one backing.
 * @param make gives a fresh place for a store, for each check; the check disposes of it.
 */
export function storeContract(
  runner: ContractRunner,
  name: string,
  make: () => Promise<StoreBacking>,
  options: StoreContractOptions = {},
): void {
  const cannot = options.cannot ?? {};
  runner.describe(`store contract: ${name}`, () => {
    for (const check of storeChecks) {
      const reason = cannot[check.name];
      if (reason === undefined) runner.test(check.name, () => carryOut(check, make));
      else runner.test(`cannot, because ${reason}: ${check.name}`, () => expectFailure(check, make));
    }
    runner.test("names only gaps that exist", async () => {
      const known = new Set(storeChecks.map((check) => check.name));
      const unknown = Object.keys(cannot).filter((gap) => !known.has(gap));
      if (unknown.length > 0) throw new Error(`no such check: ${unknown.join(", ")}`);
    });
  });
}

/** All checks by name, for those who want to list or run them otherwise. */
export const storeChecks: readonly StoreCheck[] = [
  ...transactionChecks,
  ...rangeChecks,
  ...historyChecks,
  ...watchChecks,
  ...expiryChecks,
  ...durabilityChecks,
];

async function carryOut(check: StoreCheck, make: () => Promise<StoreBacking>): Promise<void> {
  const bench = new StoreBench(await make());
  try {
    await bench.open();
    await check.body(bench);
    bench.expectNoReports();
  } finally {
    await bench.dispose();
  }
}

async function expectFailure(check: StoreCheck, make: () => Promise<StoreBacking>): Promise<void> {
  const failed = await carryOut(check, make).then(
    () => false,
    () => true,
  );
  if (!failed) throw new Error(`"${check.name}" passes: take it out of what this one cannot do`);
}
