import type { Container, Pod } from "../../../api/index.ts";
import type { Finding, Invariant, MachineSighting } from "../inhabitant.ts";
import type { WorldView } from "../world-view.ts";
import { containerSighting } from "./container-history.ts";

/**
 * In each sandbox init containers run one after the other, each once until it has succeeded; sidecars have started before what follows them; regular
 * containers run when all that is done (pod-lifecycle 3).
 */
export function containersHaveTheirTurn(): Invariant {
  /** Names of containers that have started, and of those that have succeeded, by sandbox. */
  const started = new Map<string, Set<string>>();
  const done = new Map<string, Set<string>>();
  return {
    name: "containers run when the init containers are done",
    *onMachine(event: MachineSighting, view: WorldView): Iterable<Finding> {
      const seen = containerSighting(event, view);
      if (seen?.pod === undefined) return;
      const { pod, name, subject, container } = seen;
      const startedHere = started.get(container.sandboxId) ?? new Set();
      const doneHere = done.get(container.sandboxId) ?? new Set();
      started.set(container.sandboxId, startedHere);
      done.set(container.sandboxId, doneHere);
      if (seen.kind === "exited") {
        if (container.state.kind === "exited" && container.state.exitCode === 0) doneHere.add(name);
        return;
      }
      startedHere.add(name);
      const before = initContainersBefore(pod, name);
      for (const each of before) {
        if (isSidecar(each) ? startedHere.has(each.name) : doneHere.has(each.name)) continue;
        yield {
          subject,
          text: `started before ${isSidecar(each) ? "sidecar" : "init container"} ${each.name} had its turn`,
        };
      }
      const own = pod.spec.initContainers?.find((each) => each.name === name);
      if (own !== undefined && !isSidecar(own) && doneHere.has(name)) {
        yield { subject, text: "runs again in the sandbox in which it has succeeded" };
      }
    },
  };
}

function initContainersBefore({ spec }: Pod, name: string): readonly Container[] {
  const all = spec.initContainers ?? [];
  const index = all.findIndex((each) => each.name === name);
  return index === -1 ? all : all.slice(0, index);
}

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === "Always";
