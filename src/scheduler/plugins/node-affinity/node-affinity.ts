// Keeps Pods to the nodes that their nodeSelector and required affinity ask for, and prefers those of their preferred terms (pod-lifecycle 11.4).

import {
  matchesRequiredNodeAffinity,
  preferredNodeAffinityWeight,
  requiredNodeNames,
} from "../../../api/core/v1/node-affinity.ts";
import { type FilterPlugin, type ScorePlugin, normalizeScores } from "../../plugin.ts";

const name = "NodeAffinity";
const reason = "node(s) didn't match Pod's node affinity/selector";

export const nodeAffinity: FilterPlugin & ScorePlugin = {
  name,
  prepare(pod) {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required === undefined && Object.keys(pod.spec.nodeSelector ?? {}).length === 0) return { kind: "skip" };
    const nodeNames = requiredNodeNames(pod);
    if (nodeNames?.size === 0) {
      return { kind: "rejected", message: "pod affinity terms conflict", unresolvable: true };
    }
    return {
      kind: "filter",
      ...(nodeNames === undefined ? {} : { nodeNames }),
      test: ({ node }) =>
        matchesRequiredNodeAffinity(pod, node) ? undefined : { plugin: name, reasons: [reason], unresolvable: true },
    };
  },
  wakesOn(event, pod) {
    switch (event.kind) {
      case "nodeAdded":
        return matchesRequiredNodeAffinity(pod, event.node);
      case "nodeUpdated":
        return (
          event.changes.has("labels") &&
          !matchesRequiredNodeAffinity(pod, event.previous) &&
          matchesRequiredNodeAffinity(pod, event.node)
        );
      case "assignedPodDeleted":
      case "assignedPodScaledDown":
      case "nodeDeleted":
      case "assignedPodAdded":
      case "volumesChanged":
      case "assignedPodRelabeled":
        return false;
    }
  },
  wakesOnPodChange: () => false,
  prepareScore(pod) {
    const affinity = pod.spec.affinity?.nodeAffinity;
    if ((affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).length === 0) return undefined;
    return {
      score: ({ node }) => preferredNodeAffinityWeight(affinity, node),
      normalize: (scores) => normalizeScores(scores, { reverse: false }),
    };
  },
};
