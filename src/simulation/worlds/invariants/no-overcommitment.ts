import { podRequests } from "../../../api/core/v1/pod-requests.ts";
import type { Node, Pod } from "../../../api/index.ts";
import { parseQuantity } from "../../../api/meta/quantity.ts";
import type { Finding, Invariant, MachineSighting } from "../inhabitant.ts";
import type { WorldView } from "../world-view.ts";

/**
 * The Pods that run on a node ask for no more than it has (pod-lifecycle 4.2.2, 11). Pods whose object is gone already do not count: a kubelet does
 * not count them either.
 */
export function noOvercommitment(): Invariant {
  const nodes = new Map<string, Node>();
  return {
    name: "no node is overcommitted",
    *onMachine({ kind, node: name }: MachineSighting, view: WorldView): Iterable<Finding> {
      if (kind !== "containerStarted") return;
      const node = view.node(name) ?? nodes.get(name);
      if (node === undefined) return;
      nodes.set(name, node);
      const running =
        view.machines
          .get(name)
          ?.contents()
          .containers.filter(({ state }) => state.kind === "running") ?? [];
      const uids = new Set(running.map(({ labels }) => labels["io.kubernetes.pod.uid"] ?? ""));
      const pods = [...uids].flatMap((uid) => view.object<Pod>(uid) ?? []);
      const requests = pods.map((pod) => podRequests(pod));
      for (const resource of ["cpu", "memory"]) {
        const sum = requests.reduce((total, each) => total + (each[resource]?.nanos ?? 0n), 0n);
        const capacity = node.status.allocatable?.[resource];
        const has = capacity === undefined ? undefined : parseQuantity(capacity);
        if (has === undefined || sum <= has.nanos) continue;
        const names = pods.map(({ metadata }) => metadata.name).join(", ");
        yield { subject: `node ${name}`, text: `${names} ask for more ${resource} than ${capacity}` };
      }
    },
  };
}
