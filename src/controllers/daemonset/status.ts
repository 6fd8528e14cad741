// What a DaemonSet reports, in nodes and not in Pods: of several Pods on a node the oldest counts. Upstream gives it no conditions.

import type { DaemonSet, DaemonSetStatus } from "../../api/index.ts";
import type { Instant } from "../../base/time.ts";
import { isReady, untilAvailable } from "../pod-state.ts";
import { isUpdated } from "./daemon-pod.ts";
import type { NodeView } from "./plan.ts";

export interface StatusFacts {
  readonly daemonSet: DaemonSet;
  readonly hash: string;
  readonly collisionCount: number;
  readonly view: readonly NodeView[];
  /** Whether the turn has acted on the spec; without it the generation counts as not yet observed. */
  readonly hasActed: boolean;
  readonly now: Instant;
}

export function computeStatus({ daemonSet, hash, collisionCount, view, hasActed, now }: StatusFacts): DaemonSetStatus {
  const { metadata, spec, status } = daemonSet;
  const nodes = view.filter(({ eligibility }) => eligibility !== undefined);
  const meant = nodes.filter(({ eligibility }) => eligibility?.shouldRun === true);
  const firsts = meant.flatMap(({ pods }) => pods.slice(0, 1));
  const numberAvailable = firsts.filter((pod) => untilAvailable(pod, spec.minReadySeconds ?? 0, now) === 0).length;
  const { conditions, observedGeneration } = status;
  const generation = hasActed ? metadata.generation : observedGeneration;
  return {
    currentNumberScheduled: firsts.length,
    numberMisscheduled: nodes.filter(({ eligibility, pods }) => eligibility?.shouldRun === false && pods.length > 0)
      .length,
    desiredNumberScheduled: meant.length,
    numberReady: firsts.filter(isReady).length,
    ...positive({
      observedGeneration: generation ?? 0,
      updatedNumberScheduled: firsts.filter((pod) => isUpdated(pod, daemonSet, hash)).length,
      numberAvailable,
      numberUnavailable: meant.length - numberAvailable,
      collisionCount,
    }),
    ...(conditions && { conditions }),
  };
}

/** Counts of zero are left out, as upstream does. */
function positive(counts: Readonly<Record<string, number>>): Partial<DaemonSetStatus> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
