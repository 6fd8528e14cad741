import type { Pod, ReplicaSet } from "../../../api/index.ts";
import { elapsed } from "../../../base/time.ts";
import type { Finding, Invariant } from "../inhabitant.ts";
import { changeOf, nameOf, type ObjectChange, type WorldView } from "../world-view.ts";
import { longestBlindness, RecentValues } from "./recent-values.ts";

/**
 * A ReplicaSet never makes a Pod when it has as many as it wants; in the end it has exactly those (pod-lifecycle 13). Two things it cannot know: how many
 * are wanted since its last news, and whether a Pod was made whose creation got no answer.
 */
export function replicasAreKept(): Invariant {
  const wanted = new Map<string, RecentValues<number>>();
  return {
    name: "never more Pods than replicas",
    *onChange(change: ObjectChange, view: WorldView): Iterable<Finding> {
      const set = changeOf<ReplicaSet>(change, "apps/replicasets")?.after;
      if (set !== undefined) {
        const values = wanted.get(set.metadata.uid) ?? new RecentValues<number>();
        wanted.set(set.metadata.uid, values);
        values.set(set.spec.replicas, change.at);
      }
      const pod = changeOf<Pod>(change, "core/pods");
      if (pod?.before !== undefined || pod?.after === undefined) return;
      const owner = pod.after.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? "";
      const limits = wanted.get(owner)?.recent(change.at);
      if (limits === undefined) return;
      const unanswered = view.lostAnswers.filter(({ at }) => elapsed(at, change.at) <= longestBlindness).length;
      const most = Math.max(...limits) + unanswered;
      const staying = activePodsOf(owner, view);
      if (staying.length > most) {
        const text = `is one of ${staying.length} Pods of a ReplicaSet that wants ${most}`;
        yield { subject: nameOf(pod.after), text };
      }
    },
    *atRest(view: WorldView): Iterable<Finding> {
      for (const set of view.all<ReplicaSet>("apps/replicasets")) {
        if (set.metadata.deletionTimestamp !== undefined) continue;
        const count = activePodsOf(set.metadata.uid, view).length;
        const subject = nameOf(set);
        if (count !== set.spec.replicas) yield { subject, text: `has ${count} Pods and wants ${set.spec.replicas}` };
        if (set.status.replicas !== count) yield { subject, text: `has ${count} Pods and says ${set.status.replicas}` };
        if (set.status.observedGeneration !== set.metadata.generation) {
          yield { subject, text: `has seen generation ${set.status.observedGeneration} of ${set.metadata.generation}` };
        }
      }
    },
  };
}

/** The Pods of an owner that count: not on their way out, not ended. */
export function activePodsOf(uid: string, view: WorldView): readonly Pod[] {
  return view
    .ownedBy<Pod>(uid, "core/pods")
    .filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined && status.phase !== "Succeeded" && status.phase !== "Failed",
    );
}
