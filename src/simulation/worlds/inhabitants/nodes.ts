// What people do to nodes: cordon, taint, drain nobody warned of, delete.

import type { Node, Pod, Taint } from "../../../api/index.ts";
import type { Hand, Inhabitant } from "../inhabitant.ts";
import { noOvercommitment } from "../invariants/no-overcommitment.ts";
import { nodesComeBack } from "../invariants/nodes-come-back.ts";

const taint: Taint = { key: "world", value: "flat", effect: "NoSchedule" };

export const nodes: Inhabitant = {
  name: "nodes",
  meanSecondsBetweenMoves: 70,
  moves: [
    {
      name: "cordon or uncordon",
      weight: 4,
      async act({ client, random, view, nodes: names }) {
        const name = random.pick(names);
        const unschedulable = view.node(name)?.spec?.unschedulable === true ? null : true;
        await client.nodes.patch(name, undefined, "merge", { spec: { unschedulable } });
        return `${unschedulable === null ? "uncordon" : "cordon"} ${name}`;
      },
    },
    {
      name: "taint or untaint",
      weight: 4,
      async act({ client, random, view, nodes: names }) {
        const name = random.pick(names);
        const node = view.node(name);
        if (node === undefined) return undefined;
        const others = (node.spec?.taints ?? []).filter(({ key }) => key !== taint.key);
        const isTainted = others.length < (node.spec?.taints ?? []).length;
        const effect = random.pick(["NoSchedule", "NoExecute", "PreferNoSchedule"] as const);
        const taints = isTainted ? others : [...others, { ...taint, effect }];
        // With the resourceVersion of nobody: whoever changes taints at the same time is overwritten, as by kubectl.
        await client.nodes.patch(name, undefined, "merge", { spec: { taints } });
        return isTainted ? `untaint ${name}` : `taint ${name} ${effect}`;
      },
    },
    { name: "evict", weight: 3, act: evict },
    {
      name: "delete the object",
      weight: 1,
      async act({ client, random, view, nodes: names }) {
        const name = random.pick(names);
        for (const { metadata } of podsOn(view.pods(), name)) view.deletedByHand.add(metadata.uid);
        await client.nodes.delete(name);
        return `delete node ${name}`;
      },
    },
  ],
  invariants: () => [noOvercommitment(), nodesComeBack()],
  clearedAway: [],
};

async function evict({ client, random, view }: Hand): Promise<string | undefined> {
  const running = view.pods().filter(({ status }) => status.phase === "Running");
  if (running.length === 0) return undefined;
  const { metadata } = random.pick(running);
  view.deletedByHand.add(metadata.uid);
  await client.pods.createSubresource(metadata.name, metadata.namespace, "eviction", {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name: metadata.name, namespace: metadata.namespace },
  });
  return `evict pod ${metadata.name}`;
}

const podsOn = (pods: readonly Pod[], node: Node["metadata"]["name"]): readonly Pod[] =>
  pods.filter(({ spec }) => spec.nodeName === node);
