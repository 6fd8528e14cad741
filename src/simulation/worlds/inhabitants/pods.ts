// Pods that nobody owns, of every sort, and what must be true of every Pod's life.

import type { Pod } from "../../../api/index.ts";
import type { Hand, Inhabitant } from "../inhabitant.ts";
import { backOffIsWaited } from "../invariants/back-off-is-waited.ts";
import { containersHaveTheirTurn } from "../invariants/containers-have-their-turn.ts";
import { deletedPodsEnd, noContainerWithoutPod } from "../invariants/deleted-pods-end.ts";
import { nothingIsLeft } from "../invariants/nothing-is-left.ts";
import { oneSandbox } from "../invariants/one-sandbox.ts";
import {
  endedPodsStayEnded,
  podsAreBoundOnce,
  readyIsRunning,
  restartCountsGrow,
} from "../invariants/pod-status-is-consistent.ts";
import { restartPolicyIsKept } from "../invariants/restart-policy-is-kept.ts";
import { statusIsTrue } from "../invariants/status-is-true.ts";
import { randomPodSpec } from "../random-pod.ts";

/** How many Pods of its own a world has at most. */
const most = 14;

export const pods: Inhabitant = {
  name: "pods",
  meanSecondsBetweenMoves: 11,
  moves: [
    { name: "create", weight: 10, act: create },
    { name: "delete", weight: 6, act: remove },
    {
      name: "delete again, sooner",
      weight: 1,
      async act({ client, random, view }) {
        const ending = view.pods().filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        if (ending.length === 0) return undefined;
        const { metadata } = random.pick(ending);
        const gracePeriodSeconds = random.integer(0, 3);
        await client.pods.delete(metadata.name, metadata.namespace, { gracePeriodSeconds });
        return `delete pod ${metadata.name} again with ${gracePeriodSeconds} s of grace`;
      },
    },
    {
      name: "change an image",
      weight: 2,
      async act({ client, random, view }) {
        const own = single(view.pods());
        if (own.length === 0) return undefined;
        const { metadata, spec } = random.pick(own);
        const { name } = random.pick(spec.containers);
        const image = random.pick(["server:1", "server:2", "fails:1"]);
        const patch = { spec: { containers: [{ name, image }] } };
        await client.pods.patch(metadata.name, metadata.namespace, "strategic", patch);
        return `${metadata.name}: container ${name} gets image ${image}`;
      },
    },
    {
      name: "set a deadline",
      weight: 1,
      async act({ client, random, view }) {
        const own = single(view.pods()).filter(({ spec }) => spec.activeDeadlineSeconds === undefined);
        if (own.length === 0) return undefined;
        const { metadata } = random.pick(own);
        const activeDeadlineSeconds = random.integer(1, 300);
        const patch = { spec: { activeDeadlineSeconds } };
        await client.pods.patch(metadata.name, metadata.namespace, "merge", patch);
        return `${metadata.name} has ${activeDeadlineSeconds} s to live`;
      },
    },
  ],
  invariants: () => [
    oneSandbox(),
    endedPodsStayEnded(),
    restartCountsGrow(),
    readyIsRunning(),
    podsAreBoundOnce(),
    restartPolicyIsKept(),
    backOffIsWaited(),
    containersHaveTheirTurn(),
    deletedPodsEnd(),
    noContainerWithoutPod(),
    statusIsTrue(),
    nothingIsLeft(),
  ],
  clearedAway: [{ group: "", version: "v1", resource: "pods", kind: "Pod", namespaced: true }],
};

async function create(hand: Hand): Promise<string | undefined> {
  const { client, random, view, nodes } = hand;
  if (single(view.pods()).length >= most) return remove(hand);
  const name = hand.newName("pod");
  const spec = randomPodSpec(hand);
  const byHand = hand.chance(0.1) ? { nodeName: random.pick(nodes) } : {};
  await client.pods.create({ metadata: { name }, spec: { ...spec, ...byHand } }, "default");
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map(({ image }) => image);
  return `create pod ${name} of ${containers.join(", ")}, restart ${spec.restartPolicy}`;
}

async function remove({ client, random, view, chance }: Hand): Promise<string | undefined> {
  const all = single(view.pods());
  if (all.length === 0) return undefined;
  const { metadata } = random.pick(all);
  view.deletedByHand.add(metadata.uid);
  const options = chance(0.3) ? { gracePeriodSeconds: random.pick([0, 0, 1, 10, 60]) } : {};
  await client.pods.delete(metadata.name, metadata.namespace, options);
  return `delete pod ${metadata.name} ${JSON.stringify(options)}`;
}

const single = (all: readonly Pod[]): readonly Pod[] =>
  all.filter(({ metadata }) => metadata.ownerReferences === undefined);
