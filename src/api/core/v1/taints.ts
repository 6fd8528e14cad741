// Taints keep Pods off a node, tolerations let them pass (pod-lifecycle 11.4).

import type { Pod, Taint, TaintEffect, Toleration } from "../../index.ts";

/** Whether the toleration lets its Pod pass the taint. An empty key with `Exists` passes every taint, an empty effect every effect. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = "", effect = "", operator = "Equal", value = "" } = toleration;
  if ((effect as string) !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  switch (operator) {
    case "Exists":
      return true;
    case "Equal":
      return key === taint.key && value === (taint.value ?? "");
  }
}

export function toleratesTaint(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint));
}

/** The first taint with one of the effects that the Pod does not tolerate. */
export function untoleratedTaint(
  pod: Pod,
  taints: readonly Taint[],
  effects: readonly TaintEffect[],
): Taint | undefined {
  const tolerations = pod.spec.tolerations ?? [];
  return taints.find((taint) => effects.includes(taint.effect) && !toleratesTaint(tolerations, taint));
}
