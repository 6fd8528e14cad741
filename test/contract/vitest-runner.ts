import { describe, it, type TestContext } from "vitest";
import type { ContractRunner } from "../../src/runtimes/contract.ts";

const declare: (name: string, body: (context: TestContext) => Promise<void> | void) => void = it;

/** The contract suites under vitest. A skipped check shows its name, which ends with the reason. */
export const vitestRunner: ContractRunner = {
  describe,
  test: (name, body) => declare(name, () => body()),
  skip: (name) => declare(name, (context) => context.skip()),
};
