// Leases: who holds something, and for how long.

import type { Lease } from "../../generated/coordination-v1.ts";
import { checkName } from "../../meta/field-checks.ts";
import { type FieldError, forbidden, invalid, notSupported } from "../../meta/field-errors.ts";
import { qualifiedNameProblems } from "../../meta/names.ts";

export function validateLease({ spec }: Lease): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec ?? {};
  const errors: FieldError[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalid("spec.leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0"));
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    errors.push(invalid("spec.leaseTransitions", leaseTransitions, "must be greater than or equal to 0"));
  }
  if (strategy !== undefined) errors.push(...validateStrategy(strategy));
  if ((preferredHolder ?? "") !== "" && (strategy ?? "") === "") {
    errors.push(forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"));
  }
  return errors;
}

/** Kubernetes' own, or a qualified name. Upstream names the field twice. */
function validateStrategy(strategy: string): FieldError[] {
  const path = "spec.strategy.strategy";
  if (strategy.includes("/")) return checkName(path, strategy, qualifiedNameProblems);
  return strategy === "OldestEmulationVersion" ? [] : [notSupported(path, strategy, ["OldestEmulationVersion"])];
}
