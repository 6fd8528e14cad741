// StatefulSets: each Pod has its ordinal, and they come, go and change in the order of it (pod-lifecycle 13.4).

import assert from "node:assert/strict";
import type { ControllerRevision, Pod, StatefulSet } from "../../src/api/index.ts";
import {
  exists,
  hasCondition,
  hasReadyReplicas,
  isGone,
  isReady,
  isRolledOut,
  isTerminating,
  minutes,
  pod,
  type PodOptions,
  seconds,
  statefulSet,
  type StatefulSetOptions,
  type Story,
  story,
  type StoryTeller,
  waitsFor,
} from "../../src/testing/index.ts";
import { watchPodsAtOnce } from "./pods-at-once.ts";

const app = { app: "db" };

/** Ready two seconds after its start, gone two seconds after TERM. */
const template = (image: string, more: Partial<PodOptions> = {}): PodOptions => ({
  image,
  container: { readinessProbe: { exec: { command: ["ready"] }, periodSeconds: 1 } },
  ...more,
});

async function images(t: StoryTeller): Promise<void> {
  await t.nodes("node-a", "node-b");
  for (const image of ["db:1", "db:2", "db:3"]) {
    t.image(image, { present: true, becomesReadyAfter: seconds(2), stopsIn: seconds(2), exitCodeOnTerm: 0 });
  }
}

/** A StatefulSet `db` of three that is rolled out; the chapter begins then. */
async function dbOfThree(t: StoryTeller, options: Partial<StatefulSetOptions> = {}): Promise<void> {
  await images(t);
  await t.apply(statefulSet("db", { replicas: 3, template: template("db:1"), ...options }));
  await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
  t.chapter();
}

const setImage = (t: StoryTeller, image: string): Promise<void> =>
  t.patch("statefulset/db", {
    spec: { template: { spec: { containers: [{ name: "db", image, ...template(image).container }] } } },
  });

/** `db-0 db:1`, with `-` before those that are not ready and `x` before those on their way out. */
const members = async (t: StoryTeller): Promise<readonly string[]> =>
  (await t.pods(app)).map((each) => {
    const { metadata, spec } = each;
    const mark = metadata.deletionTimestamp !== undefined ? "x" : isReady(each as never) ? "" : "-";
    return `${mark}${metadata.name} ${spec.containers[0]?.image}`;
  });

const statusOf = async (t: StoryTeller): Promise<StatefulSet["status"]> =>
  ((await t.get<StatefulSet>("statefulset/db")) as StatefulSet).status;

const revisions = async (t: StoryTeller): Promise<readonly ControllerRevision[]> =>
  (await t.cluster.call(t.cluster.client.controllerRevisions.list({ namespace: "default" }))).items;

const onePerOrdinal = (t: StoryTeller) => watchPodsAtOnce(t, "db", ({ metadata }) => metadata.name);

const beginnings: readonly Story[] = [
  story("the Pods of a StatefulSet come one after the other, each with an identity of its own", async (t) => {
    await images(t);
    const watch = onePerOrdinal(t);
    await t.apply(statefulSet("db", { replicas: 3, serviceName: "dbs", template: template("db:1") }));
    await t.elapse(seconds(1));
    assert.deepEqual(await members(t), ["-db-0 db:1"]);
    await t.until("pod/db-1", exists, { within: seconds(5) });
    assert.deepEqual(await members(t), ["db-0 db:1", "-db-1 db:1"]);
    await t.until("statefulset/db", isRolledOut, { within: seconds(20) });

    const { metadata, spec } = await t.pod("db-2");
    const [revision] = await revisions(t);
    assert.deepEqual(metadata.labels, {
      app: "db",
      "apps.kubernetes.io/pod-index": "2",
      "controller-revision-hash": revision?.metadata.name,
      "statefulset.kubernetes.io/pod-name": "db-2",
    });
    assert.deepEqual([spec.hostname, spec.subdomain], ["db-2", "dbs"]);
    assert.equal(metadata.ownerReferences?.[0]?.kind, "StatefulSet");
    t.expectEvents(
      "statefulset/db",
      `Normal  SuccessfulCreate  create Pod db-0 in StatefulSet db successful
       Normal  SuccessfulCreate  create Pod db-1 in StatefulSet db successful
       Normal  SuccessfulCreate  create Pod db-2 in StatefulSet db successful`,
    );
    assert.deepEqual(await statusOf(t), {
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
      currentRevision: revision?.metadata.name,
      updateRevision: revision?.metadata.name,
      collisionCount: 0,
    });
    watch.check();
  }),

  story("in parallel they come and go all at once", async (t) => {
    await images(t);
    await t.apply(statefulSet("db", { replicas: 3, podManagementPolicy: "Parallel", template: template("db:1") }));
    await t.elapse(seconds(1));
    assert.deepEqual(await members(t), ["-db-0 db:1", "-db-1 db:1", "-db-2 db:1"]);
    await t.until("statefulset/db", isRolledOut, { within: seconds(10) });
    await t.scale("statefulset/db", 1);
    assert.deepEqual(await members(t), ["db-0 db:1", "xdb-1 db:1", "xdb-2 db:1"]);
  }),

  story("ordinals begin where they are told to, and another beginning moves the set over", async (t) => {
    await dbOfThree(t, { ordinals: { start: 5 } });
    assert.deepEqual(await members(t), ["db-5 db:1", "db-6 db:1", "db-7 db:1"]);
    await t.patch("statefulset/db", { spec: { ordinals: { start: 6 } } });
    await t.until("pod/db-5", isGone, { within: minutes(1) });
    assert.deepEqual(await members(t), ["db-6 db:1", "db-7 db:1", "db-8 db:1"]);
  }),

  story("a Pod counts when it has been ready for long enough, and the next one waits for it", async (t) => {
    await images(t);
    await t.apply(statefulSet("db", { replicas: 2, minReadySeconds: 10, template: template("db:1") }));
    await t.until("pod/db-0", isReady, { within: seconds(10) });
    await t.elapse(seconds(9));
    assert.equal(await t.get("pod/db-1"), undefined);
    assert.deepEqual([(await statusOf(t)).readyReplicas, (await statusOf(t)).availableReplicas], [1, 0]);
    await t.until("pod/db-1", exists, { within: seconds(2) });
  }),
];

const changes: readonly Story[] = [
  story("a rollout replaces the highest ordinal first, and waits for each to be ready again", async (t) => {
    await dbOfThree(t);
    const watch = onePerOrdinal(t);
    const before = (await statusOf(t)).currentRevision;
    await setImage(t, "db:2");
    assert.deepEqual(await members(t), ["db-0 db:1", "db-1 db:1", "xdb-2 db:1"]);
    await t.elapse(seconds(3));
    assert.deepEqual(await members(t), ["db-0 db:1", "db-1 db:1", "-db-2 db:2"]);
    const during = await statusOf(t);
    assert.equal(during.currentRevision, before);
    assert.notEqual(during.updateRevision, before);
    assert.deepEqual([during.currentReplicas, during.updatedReplicas], [2, 1]);
    await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
    assert.deepEqual(await members(t), ["db-0 db:2", "db-1 db:2", "db-2 db:2"]);
    const after = await statusOf(t);
    assert.equal(after.currentRevision, after.updateRevision);
    watch.check();
  }),

  story("below the partition Pods stay as they are, and come back as they were", async (t) => {
    await dbOfThree(t, { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } });
    await setImage(t, "db:2");
    await t.elapse(seconds(30));
    assert.deepEqual(await members(t), ["db-0 db:1", "db-1 db:1", "db-2 db:2"]);
    const { uid } = (await t.pod("db-1")).metadata;
    await t.delete("pod/db-1");
    await t.elapse(seconds(2));
    assert.notEqual((await t.pod("db-1")).metadata.uid, uid);
    await t.until("statefulset/db", hasReadyReplicas(3), { within: seconds(10) });
    assert.deepEqual(await members(t), ["db-0 db:1", "db-1 db:1", "db-2 db:2"]);
    const { currentReplicas, updatedReplicas } = await statusOf(t);
    assert.deepEqual([currentReplicas, updatedReplicas], [2, 1]);
    await t.patch("statefulset/db", { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
    await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
    assert.deepEqual(await members(t), ["db-0 db:2", "db-1 db:2", "db-2 db:2"]);
  }),

  story("with OnDelete only who deletes a Pod gets it changed", async (t) => {
    await dbOfThree(t, { updateStrategy: { type: "OnDelete" } });
    await setImage(t, "db:2");
    await t.elapse(seconds(30));
    assert.deepEqual(await members(t), ["db-0 db:1", "db-1 db:1", "db-2 db:1"]);
    await t.delete("pod/db-1");
    await t.elapse(seconds(10));
    assert.deepEqual(await members(t), ["db-0 db:1", "db-1 db:2", "db-2 db:1"]);
  }),

  story(
    "an image that cannot be had holds up the rollout; the repair needs the broken Pod to be deleted",
    async (t) => {
      await dbOfThree(t);
      await setImage(t, "missing:1");
      await t.until("pod/db-2", waitsFor("ImagePullBackOff"), { within: minutes(1) });
      await setImage(t, "db:3");
      await t.elapse(minutes(5));
      assert.deepEqual(await members(t), ["db-0 db:1", "db-1 db:1", "-db-2 missing:1"]);
      const { readyReplicas, updatedReplicas = 0, replicas } = await statusOf(t);
      assert.deepEqual([replicas, readyReplicas, updatedReplicas], [3, 2, 0]);
      await t.delete("pod/db-2");
      await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
      assert.deepEqual(await members(t), ["db-0 db:3", "db-1 db:3", "db-2 db:3"]);
    },
  ),

  story("in parallel a repair replaces the broken Pod by itself", async (t) => {
    await dbOfThree(t, { podManagementPolicy: "Parallel" });
    await setImage(t, "missing:1");
    await t.until("pod/db-2", waitsFor("ImagePullBackOff"), { within: minutes(1) });
    await setImage(t, "db:3");
    await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
    assert.deepEqual(await members(t), ["db-0 db:3", "db-1 db:3", "db-2 db:3"]);
  }),

  story("going back makes the former revision the newest again; those beyond the limit are let go", async (t) => {
    await dbOfThree(t, { revisionHistoryLimit: 1 });
    const numbers = async () => (await revisions(t)).map(({ revision }) => revision).sort((a, b) => a - b);
    for (const image of ["db:2", "db:1"]) {
      await setImage(t, image);
      await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
    }
    assert.deepEqual(await numbers(), [2, 3]);
    await setImage(t, "db:3");
    await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
    await t.elapse(seconds(1));
    assert.deepEqual(await numbers(), [3, 4]);
  }),

  story("a name of a revision that is taken by another counts as a collision", async (t) => {
    await dbOfThree(t);
    const [taken] = await revisions(t);
    const { name } = (taken as ControllerRevision).metadata;
    await t.delete("statefulset/db");
    await t.until(`controllerrevision/${name}`, isGone, { within: seconds(10) });
    await t.until("pod/db-0", isGone, { within: seconds(10) });
    await t.apply({
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: { name, namespace: "default" },
      data: { spec: {} },
      revision: 1,
    });
    await t.apply(statefulSet("db", { replicas: 1, template: template("db:1") }));
    await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
    const { collisionCount, currentRevision } = await statusOf(t);
    assert.equal(collisionCount, 1);
    assert.notEqual(currentRevision, name);
  }),
];

const sizes: readonly Story[] = [
  story("a smaller set ends its highest ordinals one after the other", async (t) => {
    await dbOfThree(t);
    await t.scale("statefulset/db", 1);
    assert.deepEqual(await members(t), ["db-0 db:1", "db-1 db:1", "xdb-2 db:1"]);
    await t.until("pod/db-2", isGone, { within: seconds(5) });
    assert.deepEqual(await members(t), ["db-0 db:1", "xdb-1 db:1"]);
    await t.until("pod/db-1", isGone, { within: seconds(5) });
    assert.deepEqual(t.events("statefulset/db").slice(3), [
      "Normal  SuccessfulDelete  delete Pod db-2 in StatefulSet db successful",
      "Normal  SuccessfulDelete  delete Pod db-1 in StatefulSet db successful",
    ]);
  }),

  story(
    "a Pod that is not ready holds up the end of those above it, and is itself let go when it is next",
    async (t) => {
      await images(t);
      t.image("db:1", {
        present: true,
        stopsIn: seconds(2),
        exitCodeOnTerm: 0,
        behaves: ({ sandboxConfig }) =>
          sandboxConfig.metadata.name === "db-1" ? { stopsBeingReadyAfter: seconds(20) } : {},
      });
      await t.apply(statefulSet("db", { replicas: 3, template: template("db:1") }));
      await t.until("statefulset/db", isRolledOut, { within: seconds(20) });
      await t.until("pod/db-1", hasCondition("Ready", "False"), { within: minutes(1) });
      await t.scale("statefulset/db", 2);
      await t.elapse(minutes(1));
      assert.deepEqual(await members(t), ["db-0 db:1", "-db-1 db:1", "db-2 db:1"]);
      await t.scale("statefulset/db", 1);
      await t.until("pod/db-2", isGone, { within: seconds(10) });
      await t.until("pod/db-1", isGone, { within: seconds(10) });
      assert.deepEqual(await members(t), ["db-0 db:1"]);
    },
  ),
];

const troubles: readonly Story[] = [
  story("a Pod that failed or succeeded is deleted, and its ordinal comes back", async (t) => {
    await dbOfThree(t);
    const watch = onePerOrdinal(t);
    for (const phase of ["Failed", "Succeeded"]) {
      const { uid } = (await t.pod("db-1")).metadata;
      await t.patch("pod/db-1", { status: { phase } }, "status");
      await t.until("statefulset/db", isRolledOut, { within: minutes(1) });
      assert.notEqual((await t.pod("db-1")).metadata.uid, uid);
    }
    watch.check();
  }),

  story("on a node that is lost a Pod keeps its ordinal until it is gone for certain", async (t) => {
    const node = await t.node("node-a");
    t.image("db:1", { present: true, stopsIn: seconds(2), exitCodeOnTerm: 0 });
    await t.apply(statefulSet("db", { replicas: 2, template: template("db:1") }));
    await t.until("statefulset/db", isRolledOut, { within: seconds(20) });
    const watch = onePerOrdinal(t);
    await t.nodes("node-b");
    await node.stopKubelet();
    await t.until("pod/db-0", isTerminating, { within: minutes(10) });
    await t.elapse(minutes(30));
    assert.deepEqual(await members(t), ["xdb-0 db:1", "xdb-1 db:1"]);
    await t.forceDelete("pod/db-0");
    await t.until("pod/db-0", isReady, { within: seconds(10) });
    assert.equal((await t.pod("db-0")).spec.nodeName, "node-b");
    assert.deepEqual(await members(t), ["db-0 db:1", "xdb-1 db:1"]);
    await node.startKubelet();
    await t.until("statefulset/db", isRolledOut, { within: minutes(2) });
    watch.check();
  }),

  story(
    "a Pod that lost its labels is let go and its name blocks the ordinal; one that fits is taken in",
    async (t) => {
      await dbOfThree(t);
      await t.label("pod/db-2", { app: "other" });
      await t.elapse(seconds(5));
      assert.equal((await t.pod("db-2")).metadata.ownerReferences, undefined);
      assert.equal((await statusOf(t)).replicas, 2);
      await t.label("pod/db-2", { app: "db" });
      await t.until("statefulset/db", hasReadyReplicas(3), { within: minutes(2) });
      assert.equal((await t.pod("db-2")).metadata.ownerReferences?.[0]?.name, "db");
      await t.apply(pod("db-x", { image: "db:1", labels: app }));
      await t.elapse(seconds(1));
      assert.equal((await t.pod("db-x")).metadata.ownerReferences, undefined);
    },
  ),

  story("deleted with its Pods left behind it is taken up by another of its name, without a restart", async (t) => {
    await dbOfThree(t);
    const uids = async (): Promise<readonly string[]> => (await t.pods(app)).map((each: Pod) => each.metadata.uid);
    const before = await uids();
    await t.delete("statefulset/db", { propagationPolicy: "Orphan" });
    await t.until("statefulset/db", isGone, { within: seconds(5) });
    await t.apply(statefulSet("db", { replicas: 3, template: template("db:1") }));
    await t.until("statefulset/db", isRolledOut, { within: seconds(5) });
    assert.deepEqual(await uids(), before);
    assert.equal((await revisions(t)).length, 1);
  }),

  story("deleted, it takes its Pods and revisions along, and makes nothing new meanwhile", async (t) => {
    await dbOfThree(t);
    await t.delete("statefulset/db", { propagationPolicy: "Foreground" });
    assert.deepEqual(await members(t), ["xdb-0 db:1", "xdb-1 db:1", "xdb-2 db:1"]);
    await t.until("statefulset/db", isGone, { within: seconds(10) });
    assert.deepEqual(await members(t), []);
    assert.deepEqual(await revisions(t), []);
  }),
];

export const stories: readonly Story[] = [...beginnings, ...changes, ...sizes, ...troubles];
