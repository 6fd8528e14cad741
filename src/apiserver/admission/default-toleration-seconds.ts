// DefaultTolerationSeconds: a Pod outlives a silent node by five minutes, unless it says otherwise (api-machinery 9.5).

import { textAt } from "../../api/meta/json-object.ts";
import { listAt, objectAt, withField } from "../registry/api-object.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isPodRequest } from "./admission-refusal.ts";

const taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const tolerationSeconds = 300;

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  mutate(request, pod) {
    if (!isPodRequest(request) || (request.operation !== "CREATE" && request.operation !== "UPDATE")) return pod;
    const spec = objectAt(pod, "spec");
    const tolerations = listAt(spec, "tolerations");
    const missing = taints.filter((taint) => !tolerations.some((toleration) => concerns(toleration, taint)));
    if (missing.length === 0) return pod;
    const added = missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds }));
    return withField(pod, "spec", { ...spec, tolerations: [...tolerations, ...added] });
  },
};

/** Whether a toleration already speaks of this taint, with whatever time. */
function concerns(toleration: unknown, taint: string): boolean {
  const key = textAt(toleration, "key");
  const effect = textAt(toleration, "effect");
  return (key === taint || key === "") && (effect === "NoExecute" || effect === "");
}
