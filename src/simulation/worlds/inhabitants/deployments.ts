// Deployments: rolled out, scaled, paused, taken back, deleted in every way.

import type { Deployment, DeploymentStrategy, Draft, Pod, ReplicaSet } from "../../../api/index.ts";
import type { Hand, Inhabitant } from "../inhabitant.ts";
import { deploymentIsTrue } from "../invariants/deployment-is-true.ts";
import { rolloutKeepsItsLimits } from "../invariants/rollout-keeps-its-limits.ts";
import { randomPodSpec } from "../random-pod.ts";

const most = 2;

export const deployments: Inhabitant = {
  name: "deployments",
  meanSecondsBetweenMoves: 30,
  moves: [
    { name: "create", weight: 4, act: create },
    {
      name: "roll out",
      weight: 5,
      act: (hand) =>
        patchAny(hand, "roll out", () => ({
          spec: { template: { spec: { containers: [{ name: "app-0", image: newImage(hand) }] } } },
        })),
    },
    {
      name: "scale",
      weight: 4,
      act: (hand) => patchAny(hand, "scale", () => ({ spec: { replicas: hand.random.integer(0, 6) } })),
    },
    {
      name: "pause or resume",
      weight: 1,
      act: (hand) => patchAny(hand, "pause or resume", ({ spec }) => ({ spec: { paused: spec.paused !== true } })),
    },
    {
      name: "restart",
      weight: 2,
      act: (hand) =>
        patchAny(hand, "restart", () => ({
          spec: {
            template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": hand.newName("restart") } } },
          },
        })),
    },
    { name: "delete", weight: 1, act: remove },
  ],
  invariants: () => [rolloutKeepsItsLimits(), deploymentIsTrue()],
  clearedAway: [{ group: "apps", version: "v1", resource: "deployments", kind: "Deployment", namespaced: true }],
};

async function create(hand: Hand): Promise<string | undefined> {
  const { client, random, view } = hand;
  if (view.all("apps/deployments").length >= most) return undefined;
  const name = hand.newName("web");
  const labels = { app: name };
  const replicas = random.integer(1, 5);
  const strategy = randomStrategy(hand);
  const spec = {
    replicas,
    selector: { matchLabels: labels },
    strategy,
    ...(hand.chance(0.2) && { minReadySeconds: random.integer(1, 15) }),
    ...(hand.chance(0.3) && { revisionHistoryLimit: random.integer(0, 2) }),
    ...(hand.chance(0.3) && { progressDeadlineSeconds: random.integer(20, 100) }),
    template: { metadata: { labels }, spec: randomPodSpec(hand, { restartPolicy: "Always", healthy: true }) },
  };
  await client.deployments.create({ metadata: { name }, spec }, "default");
  return `create deployment ${name} of ${replicas}, ${JSON.stringify(strategy)}`;
}

function randomStrategy({ random, chance }: Hand): Draft<DeploymentStrategy> {
  if (chance(0.15)) return { type: "Recreate" };
  const maxSurge = random.pick([0, 1, 2, "25%", "100%"]);
  const maxUnavailable = maxSurge === 0 ? random.pick([1, 2, "50%"]) : random.pick([0, 0, 1, "25%"]);
  return { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } };
}

function newImage(hand: Hand): string {
  return hand.random.pick(["server:1", "server:2", "slow-start:1", "slow-stop:1", "big:1", "flaky:1", "unpullable:1"]);
}

async function patchAny(
  hand: Hand,
  what: string,
  patchFor: (deployment: Deployment) => object,
): Promise<string | undefined> {
  const all = hand.view.all<Deployment>("apps/deployments");
  if (all.length === 0) return undefined;
  const chosen = hand.random.pick(all);
  const patch = patchFor(chosen);
  await hand.client.deployments.patch(chosen.metadata.name, chosen.metadata.namespace, "strategic", patch);
  return `${what} ${chosen.metadata.name} ${JSON.stringify(patch)}`;
}

async function remove({ client, random, view }: Hand): Promise<string | undefined> {
  const all = view.all<Deployment>("apps/deployments");
  if (all.length === 0) return undefined;
  const { metadata } = random.pick(all);
  for (const set of view.ownedBy<ReplicaSet>(metadata.uid, "apps/replicasets")) {
    for (const pod of view.ownedBy<Pod>(set.metadata.uid, "core/pods")) view.deletedByHand.add(pod.metadata.uid);
  }
  const propagationPolicy = random.pick(["Background", "Background", "Foreground", "Orphan"] as const);
  await client.deployments.delete(metadata.name, metadata.namespace, { propagationPolicy });
  return `delete deployment ${metadata.name} ${propagationPolicy}`;
}
