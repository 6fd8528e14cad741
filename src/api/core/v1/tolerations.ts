// Which tolerations put up with which taints (pod-lifecycle 11.4).

import type { Taint, TaintEffect, Toleration } from "../../generated/core-v1.ts";

/**
 * Whether a toleration puts up with a taint: an empty effect fits every effect, an empty key with `Exists` every key, and without an operator the
 * values must be equal.
 */
export function toleratesTaint(toleration: Toleration, taint: Taint): boolean {
  if ((toleration.effect ?? "") !== "" && toleration.effect !== taint.effect) return false;
  if ((toleration.key ?? "") !== "" && toleration.key !== taint.key) return false;
  const operator = toleration.operator ?? "Equal";
  switch (operator) {
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "");
    case "Exists":
      return true;
  }
}

/** Whether any of the tolerations puts up with the taint. */
export function isTolerated(taint: Taint, tolerations: readonly Toleration[] | undefined): boolean {
  return (tolerations ?? []).some((toleration) => toleratesTaint(toleration, taint));
}

/** The first taint with one of these effects that nothing tolerates. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly TaintEffect[],
): Taint | undefined {
  return (taints ?? []).find((taint) => effects.includes(taint.effect) && !isTolerated(taint, tolerations));
}

/** The same taint, for the purpose of adding and removing: key and effect; the value does not count. */
export function isSameTaint(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}
