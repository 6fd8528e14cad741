// Keeps Pods in the zones of their bound volumes, for volumes that say so by labels (pod-lifecycle 11.3).

import { claimsOfPod } from "../../../api/core/v1/pod-claims.ts";
import type { FilterPlugin } from "../../plugin.ts";

const name = "VolumeZone";
const reason = "node(s) had no available volume zone";

const topologyLabels = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"] as const;
/** A volume in several zones names them all in one label. */
const separator = "__";

export const volumeZone: FilterPlugin = {
  name,
  prepare(pod, { volumes }) {
    if (volumes === undefined) return { kind: "skip" };
    const wanted = claimsOfPod(pod).flatMap(({ claimName }) => {
      const claim = volumes.claim(pod.metadata.namespace ?? "", claimName);
      const labels = volumes.volume(claim?.spec.volumeName ?? "")?.metadata.labels ?? {};
      return topologyLabels.flatMap((label) => {
        const value = labels[label];
        return value === undefined ? [] : [{ label, values: value.split(separator) }];
      });
    });
    if (wanted.length === 0) return { kind: "skip" };
    return {
      kind: "filter",
      test({ node }) {
        const { labels = {} } = node.metadata;
        // A node that knows nothing of zones is in all of them.
        if (topologyLabels.every((label) => labels[label] === undefined)) return undefined;
        const isInside = wanted.every(({ label, values }) => values.includes(labels[label] ?? ""));
        return isInside ? undefined : { plugin: name, reasons: [reason], unresolvable: true };
      },
    };
  },
  wakesOn(event) {
    switch (event.kind) {
      case "volumesChanged":
      case "nodeAdded":
        return true;
      case "nodeUpdated":
        return event.changes.has("labels");
      case "nodeDeleted":
      case "assignedPodAdded":
      case "assignedPodRelabeled":
      case "assignedPodDeleted":
      case "assignedPodScaledDown":
        return false;
    }
  },
  wakesOnPodChange: () => false,
};
