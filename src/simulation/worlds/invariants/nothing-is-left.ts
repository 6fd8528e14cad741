import type { Finding, Invariant } from "../inhabitant.ts";
import { nameOf, type WorldView } from "../world-view.ts";

/** When everything was deleted, nothing is left of it: not in the API, and on no machine a sandbox, a container or a log. */
export function nothingIsLeft(): Invariant {
  return {
    name: "nothing is left behind",
    *atEnd(view: WorldView): Iterable<Finding> {
      for (const pod of view.pods()) yield { subject: nameOf(pod), text: "is still there" };
      for (const [node, machine] of view.machines) {
        const { sandboxes, containers, logPaths } = machine.contents();
        const subject = `node ${node}`;
        for (const { metadata, state } of sandboxes) {
          yield { subject, text: `has a sandbox (${state}) of ${metadata.name}, ${metadata.uid}` };
        }
        for (const { metadata, labels } of containers) {
          yield { subject, text: `has container ${metadata.name} of ${labels["io.kubernetes.pod.name"]}` };
        }
        for (const path of logPaths) yield { subject, text: `has the log ${path}` };
      }
    },
  };
}
