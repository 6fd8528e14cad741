import type { Finding, Invariant, MachineSighting } from "../inhabitant.ts";
import { nameOf, type WorldObject, type WorldView } from "../world-view.ts";

/** A Pod never has two sandboxes that are alive, on whatever machines (pod-lifecycle 4.3). */
export function oneSandbox(): Invariant {
  return {
    name: "one sandbox a Pod",
    *onMachine({ kind, node, sandboxId }: MachineSighting, view: WorldView): Iterable<Finding> {
      if (kind !== "sandboxStarted" || sandboxId === undefined) return;
      const uid = view.machines.get(node)?.sandboxUid(sandboxId);
      if (uid === undefined) return;
      const alive = [...view.machines].flatMap(([name, machine]) =>
        machine
          .contents()
          .sandboxes.filter(({ metadata, state }) => metadata.uid === uid && state === "ready")
          .map(({ metadata }) => `${name}#${metadata.attempt}`),
      );
      if (alive.length < 2) return;
      const pod = view.lastSeen<WorldObject>(uid);
      yield {
        subject: pod === undefined ? uid : nameOf(pod),
        text: `has ${alive.length} living sandboxes: ${alive.join(", ")}`,
      };
    },
  };
}
