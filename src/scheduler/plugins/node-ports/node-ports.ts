// Two Pods cannot claim the same port of one node.

import { conflicts, hostPortsOf } from "../../host-ports.ts";
import type { FilterPlugin } from "../../plugin.ts";

const name = "NodePorts";
const reason = "node(s) didn't have free ports for the requested pod ports";

export const nodePorts: FilterPlugin = {
  name,
  prepare(pod) {
    const wanted = hostPortsOf(pod);
    if (wanted.length === 0) return { kind: "skip" };
    return {
      kind: "filter",
      test: (node) =>
        node.hasPortConflict(wanted) ? { plugin: name, reasons: [reason], unresolvable: false } : undefined,
    };
  },
  wakesOn(event, pod) {
    switch (event.kind) {
      case "nodeAdded":
        return true;
      case "assignedPodDeleted":
        return conflicts(hostPortsOf(pod), hostPortsOf(event.pod));
      case "nodeUpdated":
      case "assignedPodScaledDown":
      case "nodeDeleted":
      case "assignedPodAdded":
      case "volumesChanged":
      case "assignedPodRelabeled":
        return false;
    }
  },
  wakesOnPodChange: () => false,
};
