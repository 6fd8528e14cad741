// The selector by which a workload finds what belongs to it: it must be there and must select something in particular.

import type { LabelSelector } from "../../generated/meta-v1.ts";
import { type FieldError, invalid, required } from "../../meta/field-errors.ts";
import { type LabelRequirement, requirementsOf, validateLabelSelector } from "../../meta/label-selector.ts";

export interface CheckedSelector {
  readonly errors: readonly FieldError[];
  /** What it selects, unless it cannot be understood; without requirements it selects nothing. */
  readonly usable?: { readonly requirements: readonly LabelRequirement[] | undefined };
}

/** @param kind as the message about an empty selector names it; upstream says `deployment` of ReplicaSets, too */
export function validateWorkloadSelector(
  selector: LabelSelector | undefined,
  path: string,
  kind: "daemonset" | "deployment" | "statefulset" = "deployment",
): CheckedSelector {
  if (selector === undefined) return { errors: [required(path)], usable: { requirements: undefined } };
  const errors = validateLabelSelector(selector, path);
  if (errors.length > 0) return { errors: [...errors, invalid(path, selector, "invalid label selector")] };
  const requirements = requirementsOf(selector) ?? [];
  if (requirements.length > 0) return { errors, usable: { requirements } };
  return {
    errors: [invalid(path, selector, `empty selector is invalid for ${kind}`)],
    usable: { requirements },
  };
}
