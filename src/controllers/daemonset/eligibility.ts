// Which nodes run a DaemonSet's Pod (pod-lifecycle 13.7.1).

import { matchesRequiredNodeAffinity } from "../../api/core/v1/node-affinity.ts";
import { toleratesTaint } from "../../api/core/v1/taints.ts";
import type { DaemonSet, Node, TaintEffect } from "../../api/index.ts";
import { daemonTolerations } from "./daemon-pod.ts";

export interface Eligibility {
  /** A Pod should be there. */
  readonly shouldRun: boolean;
  /** A Pod that is there may stay. */
  readonly mayStay: boolean;
}

/** A taint that is not tolerated keeps new Pods away; only one that evicts drives out those that are there. */
export function eligibilityOf({ spec }: Pick<DaemonSet, "spec">, node: Node): Eligibility {
  const pod = spec.template;
  const { nodeName = "" } = pod.spec;
  const isMeant = nodeName === "" || nodeName === node.metadata.name;
  if (!isMeant || !matchesRequiredNodeAffinity(pod, node)) return { shouldRun: false, mayStay: false };
  const tolerations = daemonTolerations(pod.spec);
  const { taints = [] } = node.spec;
  const isKeptOut = (...effects: readonly TaintEffect[]): boolean =>
    taints.some((taint) => effects.includes(taint.effect) && !toleratesTaint(tolerations, taint));
  return { shouldRun: !isKeptOut("NoSchedule", "NoExecute"), mayStay: !isKeptOut("NoExecute") };
}
