// A claim that is for one Pod only is used by one Pod only (ReadWriteOncePod, pod-lifecycle 14.7).

import { claimsOfPod } from "../../../api/core/v1/pod-claims.ts";
import type { Pod } from "../../../api/index.ts";
import type { ClusterView, FilterPlugin } from "../../plugin.ts";

const name = "VolumeRestrictions";
const reason =
  "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";

export const volumeRestrictions: FilterPlugin = {
  name,
  prepare(pod, cluster) {
    const exclusive = exclusiveClaims(pod, cluster);
    if (exclusive.size === 0) return { kind: "skip" };
    const rejection = { plugin: name, reasons: [reason], unresolvable: false };
    // Wherever the other Pod is: the claim is in use on all nodes.
    const users = new Map(cluster.nodes.map((node) => [node.name, usersOn(node.pods(), pod, exclusive)]));
    return {
      kind: "filter",
      test(node) {
        // The node may be asked again as if some of its Pods were gone.
        const elsewhere = [...users].some(([other, count]) => other !== node.name && count > 0);
        return elsewhere || usersOn(node.pods(), pod, exclusive) > 0 ? rejection : undefined;
      },
    };
  },
  wakesOn(event, pod) {
    switch (event.kind) {
      case "assignedPodDeleted": {
        const names = new Set(claimsOfPod(pod).map(({ claimName }) => claimName));
        return usersOn([event], pod, names) > 0;
      }
      case "volumesChanged":
        return event.claim !== undefined && event.claim.metadata.namespace === pod.metadata.namespace;
      case "nodeAdded":
      case "nodeUpdated":
      case "nodeDeleted":
      case "assignedPodAdded":
      case "assignedPodRelabeled":
      case "assignedPodScaledDown":
        return false;
    }
  },
  wakesOnPodChange: () => false,
};

function exclusiveClaims(pod: Pod, { volumes }: ClusterView): ReadonlySet<string> {
  if (volumes === undefined) return new Set();
  return new Set(
    claimsOfPod(pod)
      .map(({ claimName }) => claimName)
      .filter((claimName) =>
        volumes.claim(pod.metadata.namespace ?? "", claimName)?.spec.accessModes?.includes("ReadWriteOncePod"),
      ),
  );
}

function usersOn(others: Iterable<{ readonly pod: Pod }>, { metadata }: Pod, claimNames: ReadonlySet<string>): number {
  let count = 0;
  for (const { pod } of others) {
    if (pod.metadata.namespace !== metadata.namespace || pod.metadata.uid === metadata.uid) continue;
    if (claimsOfPod(pod).some(({ claimName }) => claimNames.has(claimName))) count++;
  }
  return count;
}
