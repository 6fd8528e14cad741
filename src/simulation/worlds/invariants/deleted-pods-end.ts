import type { Pod } from "../../../api/index.ts";
import { elapsed, minutes, parseTime } from "../../../base/time.ts";
import type { Finding, Invariant } from "../inhabitant.ts";
import { nameOf, type WorldView } from "../world-view.ts";

/** How long after the end of its grace a Pod may still be there, on a node that works. */
const patience = minutes(2);

/** A Pod that was deleted goes, when its node is there to end it (pod-lifecycle 8). */
export function deletedPodsEnd(): Invariant {
  return {
    name: "a deleted Pod ends",
    *atRest(view: WorldView): Iterable<Finding> {
      for (const pod of view.pods()) {
        const due = parseTime(pod.metadata.deletionTimestamp ?? "");
        if (due === undefined || (pod.metadata.finalizers ?? []).length > 0) continue;
        const late = elapsed(due, view.now());
        if (late > patience) yield { subject: nameOf(pod), text: `should have been gone ${late / 1000} s ago` };
      }
    },
  };
}

/** No container runs on when its Pod is gone. */
export function noContainerWithoutPod(): Invariant {
  return {
    name: "no container outlives its Pod",
    *atRest(view: WorldView): Iterable<Finding> {
      for (const [node, machine] of view.machines) {
        for (const { labels, state, metadata } of machine.contents().containers) {
          const uid = labels["io.kubernetes.pod.uid"] ?? "";
          if (state.kind !== "running" || view.object(uid) !== undefined) continue;
          const pod = view.lastSeen<Pod>(uid);
          const subject = `${pod === undefined ? uid : nameOf(pod)} [${metadata.name}]`;
          yield { subject, text: `runs on ${node}, and its Pod is gone` };
        }
      }
    },
  };
}
