// Keeps Pods to the nodes from which their volumes can be reached, or on which volumes can be made for them (pod-lifecycle 14.3).

import { claimsOfPod } from "../../../api/core/v1/pod-claims.ts";
import type { Pod } from "../../../api/index.ts";
import type { ClusterEvent } from "../../cluster-event.ts";
import type { FilterPlugin } from "../../plugin.ts";
import { podClaims, volumesOnNode } from "./pod-volumes.ts";

const name = "VolumeBinding";

export const volumeBinding: FilterPlugin = {
  name,
  prepare(pod, { volumes }) {
    if (volumes === undefined || claimsOfPod(pod).length === 0) return { kind: "skip" };
    const claims = podClaims(pod, volumes);
    if (claims.kind === "rejected") return { kind: "rejected", message: claims.message, unresolvable: true };
    return {
      kind: "filter",
      test({ node }) {
        const found = volumesOnNode(claims, node, volumes);
        return found.kind === "fits" ? undefined : { plugin: name, reasons: found.reasons, unresolvable: true };
      },
    };
  },
  wakesOn(event, pod) {
    switch (event.kind) {
      case "volumesChanged":
        return concerns(event, pod);
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

/** Any volume and any class may be the one; of claims only the Pod's own. */
function concerns({ claim }: ClusterEvent & { readonly kind: "volumesChanged" }, pod: Pod): boolean {
  if (claim === undefined) return true;
  const { name: claimName, namespace } = claim.metadata;
  return namespace === pod.metadata.namespace && claimsOfPod(pod).some((used) => used.claimName === claimName);
}
