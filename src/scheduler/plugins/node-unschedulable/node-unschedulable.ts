// Keeps Pods off cordoned nodes, unless they tolerate it.

import type { Node, Pod, Taint } from "../../../api/index.ts";
import { toleratesTaint } from "../../../api/core/v1/taints.ts";
import type { FilterPlugin } from "../../plugin.ts";

const name = "NodeUnschedulable";
const reason = "node(s) were unschedulable";

/** What `spec.unschedulable` amounts to. */
const unschedulableTaint: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

export const nodeUnschedulable: FilterPlugin = {
  name,
  prepare: (pod) =>
    toleratesCordon(pod)
      ? { kind: "skip" }
      : {
          kind: "filter",
          test: ({ node }) => (isCordoned(node) ? { plugin: name, reasons: [reason], unresolvable: true } : undefined),
        },
  wakesOn(event) {
    switch (event.kind) {
      case "nodeAdded":
        return !isCordoned(event.node);
      case "nodeUpdated":
        return event.changes.has("taints") && isCordoned(event.previous) && !isCordoned(event.node);
      case "assignedPodDeleted":
      case "assignedPodScaledDown":
      case "nodeDeleted":
      case "assignedPodAdded":
      case "volumesChanged":
      case "assignedPodRelabeled":
        return false;
    }
  },
  wakesOnPodChange: (changes, pod) => changes.has("tolerations") && toleratesCordon(pod),
};

const isCordoned = (node: Node): boolean => node.spec.unschedulable ?? false;

const toleratesCordon = (pod: Pod): boolean => toleratesTaint(pod.spec.tolerations ?? [], unschedulableTaint);
