// ReplicaSets without a Deployment: scaled, deleted in every way, robbed of their Pods.

import type { Pod, ReplicaSet } from "../../../api/index.ts";
import type { Hand, Inhabitant } from "../inhabitant.ts";
import { ownedGoWithTheirOwner } from "../invariants/owned-go-with-their-owner.ts";
import { replicasAreKept } from "../invariants/replicas-are-kept.ts";
import { randomPodSpec } from "../random-pod.ts";

const most = 2;

export const replicaSets: Inhabitant = {
  name: "replicasets",
  meanSecondsBetweenMoves: 45,
  moves: [
    {
      name: "create",
      weight: 4,
      async act(hand) {
        if (own(hand).length >= most) return undefined;
        const name = hand.newName("rs");
        const replicas = hand.random.integer(0, 4);
        const labels = { app: name };
        const spec = {
          replicas,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: randomPodSpec(hand, { restartPolicy: "Always" }) },
        };
        await hand.client.replicaSets.create({ metadata: { name }, spec }, "default");
        return `create replicaset ${name} of ${replicas}`;
      },
    },
    {
      name: "scale",
      weight: 4,
      act: (hand) =>
        onAny(hand, async ({ metadata }) => {
          const replicas = hand.random.integer(0, 5);
          await hand.client.replicaSets.patch(
            metadata.name,
            metadata.namespace,
            "merge",
            { spec: { replicas } },
            "scale",
          );
          return `scale replicaset ${metadata.name} to ${replicas}`;
        }),
    },
    {
      name: "take a Pod away",
      weight: 3,
      async act({ client, random, view, chance }) {
        const owned = view.pods().filter(({ metadata }) => metadata.ownerReferences !== undefined);
        if (owned.length === 0) return undefined;
        const { metadata } = random.pick(owned);
        view.deletedByHand.add(metadata.uid);
        const options = chance(0.3) ? { gracePeriodSeconds: 0 } : {};
        await client.pods.delete(metadata.name, metadata.namespace, options);
        return `delete pod ${metadata.name} ${JSON.stringify(options)}`;
      },
    },
    {
      name: "release a Pod",
      weight: 1,
      async act({ client, random, view }) {
        const owned = view.pods().filter(({ metadata }) => metadata.ownerReferences !== undefined);
        if (owned.length === 0) return undefined;
        const { metadata } = random.pick(owned);
        view.deletedByHand.add(metadata.uid);
        const labels = Object.fromEntries(Object.keys(metadata.labels ?? {}).map((label) => [label, null]));
        await client.pods.patch(metadata.name, metadata.namespace, "merge", { metadata: { labels } });
        return `take all labels from pod ${metadata.name}`;
      },
    },
    {
      name: "delete",
      weight: 2,
      act: (hand) =>
        onAny(hand, async ({ metadata }) => {
          const propagationPolicy = hand.random.pick(["Background", "Background", "Foreground", "Orphan"] as const);
          markPodsOf(hand, metadata.uid);
          await hand.client.replicaSets.delete(metadata.name, metadata.namespace, { propagationPolicy });
          return `delete replicaset ${metadata.name} ${propagationPolicy}`;
        }),
    },
  ],
  invariants: () => [replicasAreKept(), ownedGoWithTheirOwner()],
  clearedAway: [{ group: "apps", version: "v1", resource: "replicasets", kind: "ReplicaSet", namespaced: true }],
};

function own({ view }: Hand): readonly ReplicaSet[] {
  return view.all<ReplicaSet>("apps/replicasets").filter(({ metadata }) => metadata.ownerReferences === undefined);
}

async function onAny(hand: Hand, act: (set: ReplicaSet) => Promise<string>): Promise<string | undefined> {
  const sets = own(hand);
  return sets.length === 0 ? undefined : act(hand.random.pick(sets));
}

function markPodsOf({ view }: Hand, uid: string): void {
  for (const { metadata } of view.ownedBy<Pod>(uid, "core/pods")) view.deletedByHand.add(metadata.uid);
}
