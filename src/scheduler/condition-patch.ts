// How the scheduler writes a Pod's condition.

import type { Pod, PodCondition } from "../api/index.ts";
import { formatTime, type Instant } from "../base/time.ts";

/** The patch that gives the Pod the condition; `undefined` if it says so already. The time moves only when the status does. */
export function conditionPatch(pod: Pod, wanted: PodCondition, now: Instant): ConditionPatch | undefined {
  const known = pod.status.conditions?.find(({ type }) => type === wanted.type);
  if (
    known?.status === wanted.status &&
    known.reason === wanted.reason &&
    (known.message ?? "") === (wanted.message ?? "")
  ) {
    return undefined;
  }
  const { generation } = pod.metadata;
  const condition: PodCondition = {
    ...wanted,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(known?.status === wanted.status ? {} : { lastTransitionTime: formatTime(now) }),
  };
  return { status: { conditions: [condition] } };
}

export interface ConditionPatch {
  readonly status: { readonly conditions: readonly PodCondition[] };
}
