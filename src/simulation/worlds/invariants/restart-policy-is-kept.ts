import type { Finding, Invariant, MachineSighting } from "../inhabitant.ts";
import type { WorldView } from "../world-view.ts";
import { containerSighting } from "./container-history.ts";

/** A container starts again only where the restart policy lets it, and never in a Pod that has ended (pod-lifecycle 5.1). */
export function restartPolicyIsKept(): Invariant {
  /** The last exit code of regular containers that have run, by Pod, name and image (another image is another container); `undefined` while it runs. */
  const past = new Map<string, number | undefined>();
  return {
    name: "the restart policy is kept",
    *onMachine(event: MachineSighting, view: WorldView): Iterable<Finding> {
      const seen = containerSighting(event, view);
      if (seen?.pod === undefined) return;
      const { pod, name, uid, subject, container } = seen;
      if (!pod.spec.containers.some((each) => each.name === name)) return;
      const key = `${uid}/${name}/${container.image}`;
      if (seen.kind === "exited") {
        past.set(key, container.state.kind === "exited" ? container.state.exitCode : undefined);
        return;
      }
      const { restartPolicy } = pod.spec;
      if (past.has(key) && restartPolicy === "Never")
        yield { subject, text: "started again under restartPolicy Never" };
      if (past.get(key) === 0 && restartPolicy === "OnFailure") {
        yield { subject, text: "started again after success under restartPolicy OnFailure" };
      }
      const { phase, conditions = [] } = pod.status;
      // Pods that somebody else than the kubelet has ended (pod garbage collection) are marked as disrupted; the news may not be here yet.
      const isDisrupted = conditions.some(({ type }) => type === "DisruptionTarget");
      if (seen.isInApi && (phase === "Succeeded" || phase === "Failed") && !isDisrupted) {
        yield { subject, text: `started in a Pod that is ${phase}` };
      }
      past.set(key, undefined);
    },
  };
}
