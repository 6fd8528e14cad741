// ReplicaSets and Deployments: how Pods are kept, replaced, rolled out and taken back (pod-lifecycle 13.1 to 13.3).

import assert from "node:assert/strict";
import type { Deployment, Pod, ReplicaSet, ReplicationController } from "../../src/api/index.ts";
import {
  deployment,
  type DeploymentOptions,
  exists,
  hasCondition,
  hasReadyReplicas,
  isGone,
  isRolledOut,
  minutes,
  pod,
  type PodOptions,
  replicaSet,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";
import { watchLimits } from "./rollout-limits.ts";

const app = { app: "web" };

/** The template of the stories: ready two seconds after its start, gone two seconds after TERM. */
const template = (image: string, more: Partial<PodOptions> = {}): PodOptions => ({
  image,
  container: { readinessProbe: { exec: { command: ["ready"] }, periodSeconds: 1 } },
  ...more,
});

/** Two nodes, and images that can be rolled out. */
async function twoNodes(t: StoryTeller): Promise<void> {
  await t.nodes("node-a", "node-b");
  for (const image of ["web:1", "web:2", "web:3"]) {
    t.image(image, { present: true, becomesReadyAfter: seconds(2), stopsIn: seconds(2), exitCodeOnTerm: 0 });
  }
}

/** A Deployment `web` of three that is rolled out; the chapter begins then. */
async function webOfThree(t: StoryTeller, options: Partial<DeploymentOptions> = {}): Promise<void> {
  await twoNodes(t);
  await t.apply(deployment("web", { replicas: 3, template: template("web:1"), ...options }));
  await t.until("deployment/web", isRolledOut, { within: minutes(1) });
  t.chapter();
}

const setImage = (t: StoryTeller, image: string): Promise<void> =>
  t.patch("deployment/web", {
    spec: { template: { spec: { containers: [{ name: "web", image, ...template(image).container }] } } },
  });

const staying = async (t: StoryTeller): Promise<readonly Pod[]> =>
  (await t.pods(app)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);

const imagesOf = (pods: readonly Pod[]): readonly string[] =>
  pods.map(({ spec }) => spec.containers[0]?.image ?? "").sort();

/** `revision: replicas` of each ReplicaSet, by revision. */
const revisions = async (t: StoryTeller): Promise<readonly string[]> =>
  (await t.replicaSets())
    .map(({ metadata, spec }) => `${metadata.annotations?.["deployment.kubernetes.io/revision"]}: ${spec.replicas}`)
    .sort();

/** The Deployment's events, with `<1>`, `<2>` for its ReplicaSets in the order in which they are first named. */
function rolloutEvents(t: StoryTeller): readonly string[] {
  const names: string[] = [];
  return t.events("deployment/web").map((line) =>
    line.replace(/web-[a-z0-9]+/g, (name) => {
      if (!names.includes(name)) names.push(name);
      return `<${names.indexOf(name) + 1}>`;
    }),
  );
}

const progress = async (t: StoryTeller): Promise<string> => {
  const { status } = (await t.get<Deployment>("deployment/web")) as Deployment;
  const found = (status.conditions ?? []).find(({ type }) => type === "Progressing");
  return `${found?.status} ${found?.reason}: ${found?.message?.replace(/web-[a-z0-9]+/, "<rs>")}`;
};

const replicaSets: readonly Story[] = [
  story("a ReplicaSet makes its Pods, says so, and reports how many are ready", async (t) => {
    await twoNodes(t);
    await t.apply(replicaSet("web", { replicas: 3, template: template("web:1") }));
    await t.until("replicaset/web", hasReadyReplicas(3), { within: seconds(10) });
    const pods = await staying(t);
    assert.deepEqual(
      pods.map(({ metadata }) => metadata.generateName),
      ["web-", "web-", "web-"],
    );
    const owner = (await t.get<ReplicaSet>("replicaset/web")) as ReplicaSet;
    assert.deepEqual(pods[0]?.metadata.ownerReferences, [
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: "web",
        uid: owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    assert.deepEqual(owner.status, {
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
    const told = pods.map(({ metadata }) => `Normal  SuccessfulCreate  Created pod: ${metadata.name}`);
    assert.deepEqual([...t.events("replicaset/web")].sort(), told);
  }),

  story(
    "a Pod that is deleted, fails or is evicted is replaced at once, and the failed one stays to be looked at",
    async (t) => {
      await twoNodes(t);
      await t.apply(replicaSet("web", { replicas: 2, template: template("web:1") }));
      await t.until("replicaset/web", hasReadyReplicas(2), { within: seconds(10) });
      const [first, second] = await staying(t);
      await t.delete(`pod/${first?.metadata.name}`);
      assert.equal((await staying(t)).length, 2);
      assert.equal((await t.pods(app)).length, 3, "the old one is still ending");
      await t.patch(`pod/${second?.metadata.name}`, { status: { phase: "Failed", reason: "Evicted" } }, "status");
      await t.until("replicaset/web", hasReadyReplicas(2), { within: seconds(10) });
      const pods = await t.pods(app);
      assert.equal(pods.filter(({ status }) => status.phase === "Failed").length, 1);
      assert.equal(pods.filter(({ status }) => status.phase === "Running").length, 2);
    },
  ),

  story("a ReplicaSet that is scaled down deletes Pods that are not ready before those that are", async (t) => {
    await twoNodes(t);
    await t.apply(replicaSet("web", { replicas: 2, template: template("web:1") }));
    await t.until("replicaset/web", hasReadyReplicas(2), { within: seconds(10) });
    const ready = (await staying(t)).map(({ metadata }) => metadata.name);
    await t.scale("replicaset/web", 5);
    await t.scale("replicaset/web", 2);
    assert.deepEqual(
      (await staying(t)).map(({ metadata }) => metadata.name),
      ready,
    );
    await t.scale("replicaset/web", 0);
    assert.deepEqual(await staying(t), []);
    await t.until("replicaset/web", hasReadyReplicas(0), { within: seconds(1) });
  }),

  story("Pods become available only when they have been ready for minReadySeconds", async (t) => {
    await twoNodes(t);
    await t.apply(replicaSet("web", { replicas: 1, minReadySeconds: 10, template: template("web:1") }));
    await t.until("replicaset/web", hasReadyReplicas(1), { within: seconds(10) });
    const available = async (): Promise<number> =>
      (await t.get<ReplicaSet>("replicaset/web"))?.status.availableReplicas ?? 0;
    await t.elapse(seconds(9));
    assert.equal(await available(), 0);
    await t.elapse(seconds(1));
    assert.equal(await available(), 1);
  }),

  story(
    "a Pod whose label is changed is released and replaced; with its label back it is adopted, and one too many goes",
    async (t) => {
      await twoNodes(t);
      await t.apply(replicaSet("web", { replicas: 2, template: template("web:1") }));
      await t.until("replicaset/web", hasReadyReplicas(2), { within: seconds(10) });
      const [one] = await staying(t);
      const name = `pod/${one?.metadata.name}`;
      await t.label(name, { app: "quarantine" });
      assert.equal((await t.get<Pod>(name))?.metadata.ownerReferences, undefined, "released");
      assert.equal((await staying(t)).length, 2);
      await t.until("replicaset/web", hasReadyReplicas(2), { within: seconds(10) });
      await t.label(name, { app: "web" });
      assert.equal((await t.get<Pod>(name))?.metadata.ownerReferences?.[0]?.name, "web", "adopted");
      assert.equal((await staying(t)).length, 2);
    },
  ),

  story(
    "a ReplicaSet takes in Pods that its selector matches and nobody owns, and makes only what is missing",
    async (t) => {
      await twoNodes(t);
      await t.apply(pod("lonely", { ...template("web:1"), labels: app }));
      await t.apply(replicaSet("web", { replicas: 2, template: template("web:1") }));
      const pods = await staying(t);
      assert.equal(pods.length, 2);
      assert.ok(pods.some(({ metadata }) => metadata.name === "lonely"));
      for (const { metadata } of pods) assert.equal(metadata.ownerReferences?.[0]?.kind, "ReplicaSet");
    },
  ),

  story(
    "Pods that cannot be created are a condition and an event, tried again with care, and both end with the trouble",
    async (t) => {
      await twoNodes(t);
      await t.apply(replicaSet("web", { replicas: 8, template: template("web:1", { serviceAccountName: "missing" }) }));
      await t.elapse(seconds(5));
      const { status } = (await t.get<ReplicaSet>("replicaset/web")) as ReplicaSet;
      assert.equal(status.conditions?.[0]?.type, "ReplicaFailure");
      assert.equal(status.conditions?.[0]?.reason, "FailedCreate");
      assert.match(status.conditions?.[0]?.message ?? "", /serviceaccount "missing" not found$/);
      assert.match(
        t.events("replicaset/web")[0] ?? "",
        /^Warning {2}FailedCreate.* {2}Error creating: pods "web-.* is forbidden: /,
      );
      await t.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "missing", namespace: "default" } });
      await t.until("replicaset/web", hasReadyReplicas(8), { within: minutes(1) });
      assert.equal((await t.get<ReplicaSet>("replicaset/web"))?.status.conditions, undefined);
      assert.equal((await staying(t)).length, 8);
    },
  ),

  story("a ReplicationController does the same, and leaves its Pods behind unless it is told otherwise", async (t) => {
    await twoNodes(t);
    const { spec } = replicaSet("web", { replicas: 2, template: template("web:1") }) as unknown as ReplicaSet;
    const { selector: _selector, ...rest } = spec;
    await t.apply({
      apiVersion: "v1",
      kind: "ReplicationController",
      metadata: { name: "web", namespace: "default" },
      spec: rest,
    });
    await t.until("replicationcontroller/web", hasReadyReplicas(2), { within: seconds(10) });
    const found = (await t.get<ReplicationController>("replicationcontroller/web")) as ReplicationController;
    assert.deepEqual(found.spec.selector, app);
    assert.match(t.events("replicationcontroller/web")[0] ?? "", /SuccessfulCreate {2}Created pod: web-/);
    await t.scale("replicationcontroller/web", 1);
    assert.equal((await staying(t)).length, 1);
    await t.delete("replicationcontroller/web");
    await t.until("replicationcontroller/web", isGone, { within: seconds(1) });
    assert.deepEqual(
      (await staying(t)).map(({ metadata }) => metadata.ownerReferences),
      [undefined],
    );
  }),
];

const rollouts: readonly Story[] = [
  story("a Deployment of three becomes available and says how it got there", async (t) => {
    await twoNodes(t);
    await t.apply(deployment("web", { replicas: 3, template: template("web:1") }));
    assert.equal(await progress(t), 'True ReplicaSetUpdated: ReplicaSet "<rs>" is progressing.');
    await t.until("deployment/web", isRolledOut, { within: seconds(10) });
    assert.deepEqual(rolloutEvents(t), ["Normal  ScalingReplicaSet  Scaled up replica set <1> from 0 to 3"]);
    const { status, metadata } = (await t.get<Deployment>("deployment/web")) as Deployment;
    assert.equal(metadata.annotations?.["deployment.kubernetes.io/revision"], "1");
    const { conditions: _conditions, ...counts } = status;
    assert.deepEqual(counts, {
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
    const [only] = await t.replicaSets();
    assert.equal(only?.metadata.name, `web-${only?.metadata.labels?.["pod-template-hash"]}`);
    await t.expectConditions(
      "deployment/web",
      `Available True MinimumReplicasAvailable Deployment has minimum availability.
       Progressing True NewReplicaSetAvailable ReplicaSet "${only?.metadata.name}" has successfully progressed.`,
    );
  }),

  story(
    "a new image is rolled out and taken back, never with more Pods than allowed and never with fewer available",
    async (t) => {
      await webOfThree(t);
      const limits = watchLimits(t, "web", { most: 4, fewestAvailable: 3 });
      await setImage(t, "web:2");
      await t.until("deployment/web", isRolledOut, { within: minutes(1) });
      assert.deepEqual(imagesOf(await staying(t)), ["web:2", "web:2", "web:2"]);
      assert.deepEqual(await revisions(t), ["1: 0", "2: 3"]);
      assert.deepEqual(rolloutEvents(t), [
        "Normal  ScalingReplicaSet  Scaled up replica set <1> from 0 to 3",
        "Normal  ScalingReplicaSet  Scaled up replica set <2> from 0 to 1",
        "Normal  ScalingReplicaSet  Scaled down replica set <1> from 3 to 2",
        "Normal  ScalingReplicaSet  Scaled up replica set <2> from 1 to 2",
        "Normal  ScalingReplicaSet  Scaled down replica set <1> from 2 to 1",
        "Normal  ScalingReplicaSet  Scaled up replica set <2> from 2 to 3",
        "Normal  ScalingReplicaSet  Scaled down replica set <1> from 1 to 0",
      ]);
      await setImage(t, "web:1");
      await t.until("deployment/web", isRolledOut, { within: minutes(1) });
      assert.deepEqual(imagesOf(await staying(t)), ["web:1", "web:1", "web:1"]);
      assert.deepEqual(await revisions(t), ["2: 0", "3: 3"]);
      const again = (await t.replicaSets()).find(({ spec }) => spec.replicas === 3);
      assert.equal(again?.metadata.annotations?.["deployment.kubernetes.io/revision-history"], "1");
      limits.check();
    },
  ),

  ...(
    [
      [10, "25%", "25%", 13, 8],
      [4, 0, 1, 4, 3],
      [4, 2, 0, 6, 4],
      [5, "100%", "0%", 10, 5],
      [3, "0%", "10%", 3, 2],
    ] as const
  ).map(([replicas, maxSurge, maxUnavailable, most, fewestAvailable]) =>
    story(
      `a rollout of ${replicas} with surge ${maxSurge} and unavailable ${maxUnavailable} keeps between ${fewestAvailable} available and ${most} Pods`,
      async (t) => {
        const strategy = { rollingUpdate: { maxSurge, maxUnavailable } };
        await webOfThree(t, { replicas, strategy });
        const limits = watchLimits(t, "web", { most, fewestAvailable });
        await setImage(t, "web:2");
        await t.until("deployment/web", isRolledOut, { within: minutes(5) });
        await setImage(t, "web:1");
        await t.elapse(seconds(3));
        await setImage(t, "web:3");
        await t.until("deployment/web", isRolledOut, { within: minutes(5) });
        assert.deepEqual(new Set(imagesOf(await staying(t))), new Set(["web:3"]));
        limits.check();
      },
    ),
  ),

  story("Recreate ends every old Pod before the first new one begins", async (t) => {
    await webOfThree(t, { strategy: { type: "Recreate" } });
    await setImage(t, "web:2");
    const seen: string[] = [];
    for (let second = 0; second < 10; second++) {
      const images = new Set(imagesOf(await t.pods(app)));
      seen.push([...images].join("+"));
      await t.elapse(seconds(1));
    }
    assert.deepEqual([...new Set(seen)], ["web:1", "web:2"]);
    await t.until("deployment/web", isRolledOut, { within: seconds(10) });
    assert.deepEqual(rolloutEvents(t).slice(1), [
      "Normal  ScalingReplicaSet  Scaled down replica set <1> from 3 to 0",
      "Normal  ScalingReplicaSet  Scaled up replica set <2> from 0 to 3",
    ]);
  }),

  story(
    "an image that cannot be had stops the rollout, keeps the old Pods, and is reported when the deadline has passed",
    async (t) => {
      await webOfThree(t, { progressDeadlineSeconds: 30 });
      const limits = watchLimits(t, "web", { most: 4, fewestAvailable: 3 });
      await setImage(t, "missing:1");
      await t.elapse(seconds(29));
      assert.equal(await progress(t), 'True ReplicaSetUpdated: ReplicaSet "<rs>" is progressing.');
      await t.elapse(seconds(3));
      assert.equal(await progress(t), 'False ProgressDeadlineExceeded: ReplicaSet "<rs>" has timed out progressing.');
      assert.deepEqual(imagesOf(await staying(t)), ["missing:1", "web:1", "web:1", "web:1"]);
      const { status } = (await t.get<Deployment>("deployment/web")) as Deployment;
      assert.equal(status.unavailableReplicas, 1);
      await setImage(t, "web:2");
      await t.until("deployment/web", isRolledOut, { within: minutes(1) });
      assert.equal(await progress(t), 'True NewReplicaSetAvailable: ReplicaSet "<rs>" has successfully progressed.');
      assert.deepEqual(imagesOf(await staying(t)), ["web:2", "web:2", "web:2"]);
      limits.check();
    },
  ),

  story("a Pod that fails long after the rollout was over is no lack of progress, and keeps nobody busy", async (t) => {
    await webOfThree(t, { progressDeadlineSeconds: 10 });
    await t.elapse(minutes(1));
    const [first] = await staying(t);
    const node = [...t.cluster.nodes.values()].find(({ name }) => name === first?.spec.nodeName);
    node?.faults.killContainer(await t.containerId(first?.metadata.name ?? ""));
    await t.elapse(seconds(1));
    assert.equal((await t.get<Deployment>("deployment/web"))?.status.readyReplicas, 2);
    assert.equal(await progress(t), 'True NewReplicaSetAvailable: ReplicaSet "<rs>" has successfully progressed.');
    await t.until("deployment/web", isRolledOut, { within: minutes(1) });
  }),

  story(
    "a paused Deployment takes changes without acting on them, is scaled all the same, and goes on when resumed",
    async (t) => {
      await webOfThree(t);
      await t.patch("deployment/web", { spec: { paused: true } });
      assert.equal(await progress(t), "Unknown DeploymentPaused: Deployment is paused");
      await setImage(t, "web:2");
      await t.scale("deployment/web", 4);
      await t.until("deployment/web", hasReadyReplicas(4), { within: minutes(1) });
      assert.deepEqual(imagesOf(await staying(t)), ["web:1", "web:1", "web:1", "web:1"]);
      await t.patch("deployment/web", { spec: { paused: false } });
      await t.until("deployment/web", isRolledOut, { within: minutes(1) });
      assert.deepEqual(imagesOf(await staying(t)), ["web:2", "web:2", "web:2", "web:2"]);
      assert.deepEqual(await revisions(t), ["1: 0", "2: 4"]);
    },
  ),

  story("a Deployment is scaled up and down; in the middle of a rollout both revisions take their share", async (t) => {
    await webOfThree(t, { replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
    await setImage(t, "missing:1");
    await t.elapse(seconds(5));
    assert.deepEqual(await revisions(t), ["1: 8", "2: 5"]);
    await t.scale("deployment/web", 15);
    await t.elapse(seconds(5));
    assert.deepEqual(await revisions(t), ["1: 11", "2: 7"]);
    await t.scale("deployment/web", 0);
    await t.until("deployment/web", isRolledOut, { within: minutes(1) });
    assert.deepEqual(await staying(t), []);
  }),

  story("old revisions beyond the limit are let go when the rollout is over, the oldest first", async (t) => {
    await webOfThree(t, { revisionHistoryLimit: 1 });
    for (const image of ["web:2", "web:3"]) {
      await setImage(t, image);
      await t.until("deployment/web", isRolledOut, { within: minutes(1) });
    }
    await t.elapse(seconds(1));
    assert.deepEqual(await revisions(t), ["2: 0", "3: 3"]);
  }),

  story(
    "a Deployment whose replica set has been taken by another of that name counts the collision and takes another name",
    async (t) => {
      await webOfThree(t);
      const [taken] = await t.replicaSets();
      const name = taken?.metadata.name ?? "";
      await t.delete("deployment/web", { propagationPolicy: "Background" });
      await t.until(`replicaset/${name}`, isGone, { within: seconds(10) });
      await t.elapse(seconds(10));
      await t.apply(replicaSet(name, { replicas: 0, template: template("web:1", { labels: { app: "other" } }) }));
      await t.apply(deployment("web", { replicas: 3, template: template("web:1") }));
      await t.until("deployment/web", isRolledOut, { within: minutes(1) });
      assert.equal((await t.get<Deployment>("deployment/web"))?.status.collisionCount, 1);
      assert.equal((await t.replicaSets()).length, 2);
      assert.ok((await t.replicaSets()).some(({ metadata, spec }) => metadata.name !== name && spec.replicas === 3));
    },
  ),
];

const troubles: readonly Story[] = [
  story(
    "a container that crashes makes its Pod unavailable, and the Deployment with it, until it is back",
    async (t) => {
      await twoNodes(t);
      t.image("crash:1", { present: true, runsFor: seconds(20), exits: 1 });
      await t.apply(deployment("web", { replicas: 1, template: { image: "crash:1" } }));
      await t.until("deployment/web", isRolledOut, { within: seconds(10) });
      await t.until("deployment/web", hasCondition("Available", "False"), { within: minutes(2) });
      assert.equal(await progress(t), 'True NewReplicaSetAvailable: ReplicaSet "<rs>" has successfully progressed.');
      await t.until("deployment/web", hasCondition("Available"), { within: minutes(2) });
    },
  ),

  story(
    "when a node is lost its Pods are replaced elsewhere after five minutes, and the old ones end when it is back",
    async (t) => {
      const node = await t.node("node-a");
      await t.nodes("node-b");
      t.image("web:1", { present: true });
      await t.apply(deployment("web", { replicas: 4, template: { image: "web:1" } }));
      await t.until("deployment/web", isRolledOut, { within: minutes(1) });
      const onA = async (): Promise<number> =>
        (await t.pods(app)).filter(({ spec }) => spec.nodeName === "node-a").length;
      assert.equal(await onA(), 2);
      await node.stopKubelet();
      await t.until("deployment/web", hasReadyReplicas(4), { within: seconds(1) });
      await t.until("node/node-a", hasCondition("Ready", "Unknown"), { within: minutes(1) });
      await t.until("deployment/web", hasCondition("Available", "False"), { within: seconds(5) });
      await t.until("deployment/web", isRolledOut, { within: minutes(6) });
      assert.equal((await staying(t)).filter(({ spec }) => spec.nodeName === "node-b").length, 4);
      assert.equal(await onA(), 2, "nobody can say that they have ended");
      await node.startKubelet();
      await t.elapse(minutes(2));
      assert.equal(await onA(), 0);
    },
  ),

  story("a deleted Deployment takes its ReplicaSets and Pods along, each Pod with its grace", async (t) => {
    await webOfThree(t);
    await t.delete("deployment/web");
    assert.equal(await t.get("deployment/web"), undefined);
    assert.deepEqual(await t.replicaSets(), []);
    assert.equal((await t.pods(app)).length, 3);
    assert.deepEqual(await staying(t), []);
    await t.elapse(seconds(3));
    assert.deepEqual(await t.pods(app), []);
  }),

  story("deleted in the foreground a Deployment goes last, and makes nothing new meanwhile", async (t) => {
    await webOfThree(t);
    await t.delete("deployment/web", { propagationPolicy: "Foreground" });
    await t.until("deployment/web", exists, { within: seconds(1) });
    assert.equal((await t.pods(app)).length, 3);
    assert.deepEqual(await staying(t), []);
    await t.until("deployment/web", isGone, { within: seconds(5) });
    assert.deepEqual(await t.pods(app), []);
    assert.deepEqual(await t.replicaSets(), []);
  }),

  story("orphaned ReplicaSets keep their Pods, and a Deployment of the same name takes them in again", async (t) => {
    await webOfThree(t);
    const before = (await staying(t)).map(({ metadata }) => metadata.uid);
    await t.delete("deployment/web", { propagationPolicy: "Orphan" });
    await t.until("deployment/web", isGone, { within: seconds(1) });
    const [orphan] = await t.replicaSets();
    assert.equal(orphan?.metadata.ownerReferences, undefined);
    await t.apply(deployment("web", { replicas: 3, template: template("web:1") }));
    await t.until("deployment/web", isRolledOut, { within: seconds(5) });
    const replicaSetsNow = await t.replicaSets();
    assert.deepEqual(
      replicaSetsNow.map(({ metadata }) => metadata.uid),
      [orphan?.metadata.uid],
    );
    assert.equal(replicaSetsNow[0]?.metadata.ownerReferences?.[0]?.kind, "Deployment");
    assert.deepEqual(
      (await staying(t)).map(({ metadata }) => metadata.uid),
      before,
    );
  }),

  story("a namespace that ends takes its Deployments along, and none of their Pods comes back", async (t) => {
    await twoNodes(t);
    await t.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "test" } });
    await t.apply(deployment("web", { replicas: 3, namespace: "test", template: template("web:1") }));
    await t.until("deployment/test/web", isRolledOut, { within: seconds(10) });
    await t.delete("namespace/test");
    await t.until("namespace/test", isGone, { within: minutes(1) });
    assert.deepEqual(await t.pods(app, "test"), []);
  }),
];

export const stories: readonly Story[] = [...replicaSets, ...rollouts, ...troubles];
