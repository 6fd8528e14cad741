import { describe, it, type TestContext } from "vitest";
import type { ContractRunner } from "../../src/runtimes/contract.ts";

const declare: (name: string, body: (context: TestContext) => Promise<void> | void) => void = it;

/** The contract suites under vitest. */
export const vitestRunner: ContractRunner = { describe, test: (name, body) => declare(name, () => body()) };

/** The suites where what they need is not on this machine: every check is skipped, and says why. */
export const absentRunner = (reason: string): ContractRunner => ({
  describe,
  test: (name) => declare(name, (context) => context.skip(reason)),
});
