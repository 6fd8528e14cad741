// Keeps Pods off nodes with taints that they do not tolerate, and prefers nodes with fewer taints that ask to be avoided (pod-lifecycle 11.4).

import type { Node, Pod } from "../../../api/index.ts";
import { toleratesTaint, untoleratedTaint } from "../../../api/core/v1/taints.ts";
import { type FilterPlugin, type ScorePlugin, normalizeScores } from "../../plugin.ts";

const name = "TaintToleration";
const reason = "node(s) had untolerated taint(s)";

export const taintToleration: FilterPlugin & ScorePlugin = {
  name,
  prepare: (pod) => ({
    kind: "filter",
    test: ({ node }) => (admits(node, pod) ? undefined : { plugin: name, reasons: [reason], unresolvable: true }),
  }),
  wakesOn(event, pod) {
    switch (event.kind) {
      case "nodeAdded":
        return admits(event.node, pod);
      case "nodeUpdated":
        return event.changes.has("taints") && !admits(event.previous, pod) && admits(event.node, pod);
      case "assignedPodDeleted":
      case "assignedPodScaledDown":
      case "nodeDeleted":
      case "assignedPodAdded":
      case "volumesChanged":
      case "assignedPodRelabeled":
        return false;
    }
  },
  wakesOnPodChange: (changes) => changes.has("tolerations"),
  prepareScore(pod) {
    const tolerations = (pod.spec.tolerations ?? []).filter(
      ({ effect }) => effect === undefined || (effect as string) === "" || effect === "PreferNoSchedule",
    );
    return {
      score: ({ node }) =>
        (node.spec.taints ?? []).filter(
          (taint) => taint.effect === "PreferNoSchedule" && !toleratesTaint(tolerations, taint),
        ).length,
      normalize: (scores) => normalizeScores(scores, { reverse: true }),
    };
  },
};

const admits = (node: Node, pod: Pod): boolean => {
  const { taints } = node.spec;
  return taints === undefined || untoleratedTaint(pod, taints, ["NoSchedule", "NoExecute"]) === undefined;
};
