import type { Deployment, ReplicaSet } from "../../../api/index.ts";
import type { Finding, Invariant } from "../inhabitant.ts";
import { nameOf, type WorldView } from "../world-view.ts";
import { activePodsOf } from "./replicas-are-kept.ts";

/** In the end a Deployment tells how many Pods it has, has seen its newest spec, and wants as many as it should (pod-lifecycle 13). */
export function deploymentIsTrue(): Invariant {
  return {
    name: "a Deployment is true in the end",
    *atRest(view: WorldView): Iterable<Finding> {
      for (const deployment of view.all<Deployment>("apps/deployments")) {
        const { metadata, status } = deployment;
        if (metadata.deletionTimestamp !== undefined) continue;
        const subject = nameOf(deployment);
        if (status.observedGeneration !== metadata.generation) {
          yield { subject, text: `has seen generation ${status.observedGeneration} of ${metadata.generation}` };
        }
        const sets = view.ownedBy<ReplicaSet>(metadata.uid, "apps/replicasets");
        const count = sets.reduce((sum, set) => sum + activePodsOf(set.metadata.uid, view).length, 0);
        if ((status.replicas ?? 0) !== count) yield { subject, text: `has ${count} Pods and says ${status.replicas}` };
      }
    },
  };
}
