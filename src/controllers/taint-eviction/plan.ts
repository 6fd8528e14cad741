// How long a Pod may stay on a node that drives Pods off (pod-lifecycle 12.3).

import type { Pod, Taint } from "../../api/index.ts";
import { tolerates } from "../../api/core/v1/taints.ts";
import { type Millis, seconds } from "../../base/time.ts";

export type Stay =
  /** For as long as it likes. */
  | { readonly kind: "unlimited" }
  /** For so long after the taint was first seen; zero: not at all. */
  | { readonly kind: "limited"; readonly stay: Millis };

export function planStay(pod: Pod, taints: readonly Taint[]): Stay {
  const noExecute = taints.filter(({ effect }) => effect === "NoExecute");
  if (noExecute.length === 0) return { kind: "unlimited" };
  const tolerations = pod.spec.tolerations ?? [];
  const used = new Set<(typeof tolerations)[number]>();
  for (const taint of noExecute) {
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return { kind: "limited", stay: seconds(0) };
    for (const toleration of matching) used.add(toleration);
  }
  const limits = [...used].flatMap(({ tolerationSeconds }) =>
    tolerationSeconds === undefined ? [] : [Math.max(0, tolerationSeconds)],
  );
  return limits.length === 0 ? { kind: "unlimited" } : { kind: "limited", stay: seconds(Math.min(...limits)) };
}
