// PodDisruptionBudgets: validation, and what their condition says (pod-lifecycle 12.5).

import { formatTime, type Instant } from "../../../base/time.ts";
import type { Condition, LabelSelector } from "../../generated/meta-v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from "../../generated/policy-v1.ts";
import { type Amount, checkAtMostAll, validateAmount } from "../../meta/amounts.ts";
import { checkNotNegative, checkOneOf } from "../../meta/field-checks.ts";
import { child, type FieldError, invalid } from "../../meta/field-errors.ts";
import { validateLabelSelector } from "../../meta/label-selector.ts";

export function validatePodDisruptionBudget({ spec }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
  const path = "spec";
  const bothSet =
    minAvailable === undefined || maxUnavailable === undefined
      ? []
      : [invalid(path, shownSpec(spec), "minAvailable and maxUnavailable cannot be both set")];
  return [
    ...bothSet,
    ...checkAmount(minAvailable, child(path, "minAvailable")),
    ...checkAmount(maxUnavailable, child(path, "maxUnavailable")),
    ...validateLabelSelector(selector, child(path, "selector")),
    ...checkOneOf(child(path, "unhealthyPodEvictionPolicy"), unhealthyPodEvictionPolicy, [
      "AlwaysAllow",
      "IfHealthyBudget",
    ]),
  ];
}

export function validatePodDisruptionBudgetStatus({ status }: PodDisruptionBudget): FieldError[] {
  return (["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const).flatMap((field) =>
    checkNotNegative(child("status", field), status[field]),
  );
}

/** What the condition `DisruptionAllowed` of a budget is to say. */
export interface DisruptionVerdict {
  readonly status: "True" | "False";
  readonly reason: "SufficientPods" | "InsufficientPods" | "SyncFailed";
  readonly message: string;
}

export function verdictOn(disruptionsAllowed: number): DisruptionVerdict {
  return disruptionsAllowed > 0
    ? { status: "True", reason: "SufficientPods", message: "" }
    : { status: "False", reason: "InsufficientPods", message: "" };
}

/** The conditions with the verdict among them; its time moves only when the answer changes. */
export function withDisruptionVerdict(
  conditions: readonly Condition[],
  verdict: DisruptionVerdict,
  { observedGeneration, now }: { readonly observedGeneration: number; readonly now: Instant },
): readonly Condition[] {
  const before = conditions.find(({ type }) => type === "DisruptionAllowed");
  const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : formatTime(now);
  const condition: Condition = { type: "DisruptionAllowed", ...verdict, observedGeneration, lastTransitionTime };
  return before === undefined
    ? [...conditions, condition]
    : conditions.map((each) => (each === before ? condition : each));
}

function checkAmount(amount: Amount | undefined, path: string): FieldError[] {
  return amount === undefined ? [] : [...validateAmount(amount, path), ...checkAtMostAll(amount, path)];
}

/** Upstream shows its internal form. */
function shownSpec(spec: PodDisruptionBudgetSpec): object {
  return {
    MinAvailable: spec.minAvailable ?? null,
    Selector: (spec.selector as LabelSelector | undefined) ?? null,
    MaxUnavailable: spec.maxUnavailable ?? null,
    UnhealthyPodEvictionPolicy: spec.unhealthyPodEvictionPolicy ?? null,
  };
}
