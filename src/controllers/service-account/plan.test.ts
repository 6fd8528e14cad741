import { expect, it } from "vitest";
import type { Namespace } from "../../api/index.ts";
import { missingServiceAccounts } from "./plan.ts";

const namespace = (metadata: object = {}) => ({ metadata: { name: "shop", ...metadata } }) as unknown as Namespace;

it.each<[string, Namespace | undefined, boolean, string[]]>([
  ["a namespace without one", namespace(), false, ["default"]],
  ["a namespace that has it", namespace(), true, []],
  ["a namespace that is going away", namespace({ deletionTimestamp: "2025-01-01T00:00:00Z" }), false, []],
  ["a namespace that is gone", undefined, false, []],
])("%s", (_what, owner, exists, want) => {
  expect(missingServiceAccounts(owner, () => exists)).toEqual(want);
});
