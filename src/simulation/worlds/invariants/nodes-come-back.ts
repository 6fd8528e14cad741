import type { Node } from "../../../api/index.ts";
import type { Finding, Invariant } from "../inhabitant.ts";
import { nameOf, type WorldView } from "../world-view.ts";

/** A node that works is Ready in the end, and carries no taint that says otherwise (pod-lifecycle 12). */
export function nodesComeBack(): Invariant {
  return {
    name: "nodes come back",
    *atRest(view: WorldView): Iterable<Finding> {
      for (const name of view.machines.keys()) {
        const node = view.node(name);
        if (node === undefined) {
          yield { subject: `node ${name}`, text: "has no object" };
          continue;
        }
        const ready = node.status.conditions?.find(({ type }) => type === "Ready");
        if (ready?.status !== "True")
          yield { subject: nameOf(node), text: `Ready is ${ready?.status}: ${ready?.message}` };
        const wrong = lifecycleTaints(node);
        if (wrong.length > 0) yield { subject: nameOf(node), text: `is tainted ${wrong.join(", ")}` };
      }
    },
  };
}

/** Taints that tell of a trouble which is over. */
function lifecycleTaints({ spec }: Node): readonly string[] {
  const isDue = (key: string): boolean => key === "node.kubernetes.io/unschedulable" && spec?.unschedulable === true;
  return (spec?.taints ?? [])
    .map(({ key }) => key)
    .filter((key) => key.startsWith("node.kubernetes.io/") && !isDue(key));
}
