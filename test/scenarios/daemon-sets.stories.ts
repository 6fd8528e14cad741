// DaemonSets: one Pod on every node that should have one, whatever becomes of the nodes (pod-lifecycle 13.7).

import assert from "node:assert/strict";
import type { ControllerRevision, DaemonSet, Pod } from "../../src/api/index.ts";
import {
  daemonSet,
  type DaemonSetOptions,
  hasCondition,
  isGone,
  isReady,
  isRolledOut,
  minutes,
  type PodOptions,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";
import { watchPodsAtOnce } from "./pods-at-once.ts";

const app = { app: "agent" };

/** Ready two seconds after its start, gone two seconds after TERM. */
const template = (image: string, more: Partial<PodOptions> = {}): PodOptions => ({
  image,
  container: { readinessProbe: { exec: { command: ["ready"] }, periodSeconds: 1 } },
  ...more,
});

async function threeNodes(t: StoryTeller): Promise<void> {
  await t.nodes("node-a", "node-b", "node-c");
  for (const image of ["agent:1", "agent:2", "agent:3"]) {
    t.image(image, { present: true, becomesReadyAfter: seconds(2), stopsIn: seconds(2), exitCodeOnTerm: 0 });
  }
}

/** A DaemonSet `agent` on three nodes that is rolled out; the chapter begins then. */
async function agents(t: StoryTeller, options: Partial<DaemonSetOptions> = {}): Promise<void> {
  await threeNodes(t);
  await t.apply(daemonSet("agent", { template: template("agent:1"), ...options }));
  await t.until("daemonset/agent", isRolledOut, { within: minutes(1) });
  t.chapter();
}

const setImage = (t: StoryTeller, image: string): Promise<void> =>
  t.patch("daemonset/agent", {
    spec: { template: { spec: { containers: [{ name: "agent", image, ...template(image).container }] } } },
  });

/** `node-a agent:1`, with `-` before those that are not ready and `x` before those on their way out. */
const where = async (t: StoryTeller): Promise<readonly string[]> =>
  (await t.pods(app))
    .map((each) => {
      const { metadata, spec } = each;
      const mark = metadata.deletionTimestamp !== undefined ? "x" : isReady(each as never) ? "" : "-";
      return { node: spec.nodeName ?? "", text: `${mark}${spec.nodeName} ${spec.containers[0]?.image}` };
    })
    .sort((a, b) => (`${a.node}${a.text}` < `${b.node}${b.text}` ? -1 : 1))
    .map(({ text }) => text);

const statusOf = async (t: StoryTeller): Promise<DaemonSet["status"]> =>
  ((await t.get<DaemonSet>("daemonset/agent")) as DaemonSet).status;

const revisions = async (t: StoryTeller): Promise<readonly ControllerRevision[]> =>
  (await t.cluster.call(t.cluster.client.controllerRevisions.list({ namespace: "default" }))).items;

const perNode = (t: StoryTeller, most = 1) =>
  watchPodsAtOnce(t, "agent", ({ spec }: Pod) => spec.nodeName || undefined, most);

const nodes: readonly Story[] = [
  story("every node gets a Pod of its own, which the scheduler binds there", async (t) => {
    await threeNodes(t);
    const watch = perNode(t);
    await t.apply(daemonSet("agent", { template: template("agent:1") }));
    await t.until("daemonset/agent", isRolledOut, { within: seconds(10) });
    assert.deepEqual(await where(t), ["node-a agent:1", "node-b agent:1", "node-c agent:1"]);
    const [first] = await t.pods(app);
    const { metadata, spec } = first as Pod;
    const [revision] = await revisions(t);
    assert.deepEqual(metadata.labels, {
      app: "agent",
      "controller-revision-hash": revision?.metadata.labels?.["controller-revision-hash"],
      "pod-template-generation": "1",
    });
    assert.deepEqual(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution, {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [spec.nodeName] }] }],
    });
    assert.deepEqual(
      spec.tolerations?.map(({ key, effect, tolerationSeconds }) => `${key}:${effect} ${tolerationSeconds}`),
      [
        "node.kubernetes.io/not-ready:NoExecute undefined",
        "node.kubernetes.io/unreachable:NoExecute undefined",
        "node.kubernetes.io/disk-pressure:NoSchedule undefined",
        "node.kubernetes.io/memory-pressure:NoSchedule undefined",
        "node.kubernetes.io/pid-pressure:NoSchedule undefined",
        "node.kubernetes.io/unschedulable:NoSchedule undefined",
      ],
    );
    assert.deepEqual(await statusOf(t), {
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
      numberAvailable: 3,
    });
    assert.match(t.events("daemonset/agent")[0] ?? "", /^Normal {2}SuccessfulCreate {2}Created pod: agent-\w+$/);
    watch.check();
  }),

  story("a new node gets a Pod, also when it is cordoned, and a node that goes takes its Pod along", async (t) => {
    await agents(t);
    await t.node("node-d");
    await t.until("daemonset/agent", isRolledOut, { within: seconds(10) });
    assert.equal((await statusOf(t)).desiredNumberScheduled, 4);
    await t.cordon("node-b");
    const onB = (await t.pods(app)).find(({ spec }) => spec.nodeName === "node-b");
    await t.delete(`pod/${onB?.metadata.name}`);
    await t.elapse(seconds(6));
    assert.deepEqual((await where(t))[1], "node-b agent:1", "cordoned nodes keep their daemons");
    await t.delete("node/node-d");
    assert.equal((await statusOf(t)).desiredNumberScheduled, 3);
    await t.elapse(minutes(2));
    assert.deepEqual(await where(t), ["node-a agent:1", "node-b agent:1", "node-c agent:1"]);
  }),

  story("a selector chooses nodes, and follows their labels", async (t) => {
    await threeNodes(t);
    await t.label("node/node-a", { disk: "fast" });
    await t.apply(daemonSet("agent", { template: template("agent:1", { nodeSelector: { disk: "fast" } }) }));
    await t.until("daemonset/agent", isRolledOut, { within: seconds(10) });
    assert.deepEqual(await where(t), ["node-a agent:1"]);
    await t.label("node/node-c", { disk: "fast" });
    await t.label("node/node-a", { disk: null });
    assert.deepEqual(await where(t), ["xnode-a agent:1", "-node-c agent:1"]);
    assert.equal((await statusOf(t)).numberMisscheduled, 1);
    await t.elapse(seconds(5));
    assert.deepEqual(await where(t), ["node-c agent:1"]);
  }),

  story("a taint keeps new Pods away and lets old ones stay, unless it drives out", async (t) => {
    await agents(t);
    await t.taint("node-a", "reserved:NoSchedule");
    await t.elapse(seconds(10));
    assert.equal((await where(t)).length, 3);
    const { desiredNumberScheduled, numberMisscheduled } = await statusOf(t);
    assert.deepEqual([desiredNumberScheduled, numberMisscheduled], [2, 1]);
    await t.taint("node-b", "broken:NoExecute");
    await t.elapse(seconds(10));
    assert.deepEqual(await where(t), ["node-a agent:1", "node-c agent:1"]);
    await t.untaint("node-b", "broken");
    await t.until("daemonset/agent", isRolledOut, { within: seconds(10) });
    assert.equal((await where(t)).length, 3);
  }),

  story("on a node that is lost the Pod is not replaced and not driven out", async (t) => {
    await agents(t);
    const node = await t.node("node-d");
    await t.until("daemonset/agent", isRolledOut, { within: seconds(10) });
    await node.stopKubelet();
    await t.until("node/node-d", hasCondition("Ready", "Unknown"), { within: minutes(2) });
    await t.elapse(minutes(20));
    assert.deepEqual((await where(t)).at(-1), "-node-d agent:1");
    // The node keeps new Pods away, so it counts as one that should have none.
    const { desiredNumberScheduled, numberMisscheduled, numberAvailable } = await statusOf(t);
    assert.deepEqual([desiredNumberScheduled, numberMisscheduled, numberAvailable], [3, 1, 3]);
    await node.startKubelet();
    await t.until("daemonset/agent", isRolledOut, { within: minutes(1) });
  }),
];

const rollouts: readonly Story[] = [
  story("a rollout replaces one node's Pod after the other", async (t) => {
    await agents(t);
    const watch = perNode(t);
    await setImage(t, "agent:2");
    assert.equal((await where(t)).filter((line) => line.startsWith("x")).length, 1);
    await t.elapse(seconds(3));
    assert.equal((await where(t)).filter((line) => line.endsWith("agent:2")).length, 1);
    await t.until("daemonset/agent", isRolledOut, { within: minutes(1) });
    assert.deepEqual(await where(t), ["node-a agent:2", "node-b agent:2", "node-c agent:2"]);
    assert.deepEqual(
      (await revisions(t)).map(({ revision }) => revision).sort((a, b) => a - b),
      [1, 2],
    );
    watch.check();
  }),

  story("several at once if so many may be missing", async (t) => {
    await agents(t, { updateStrategy: { rollingUpdate: { maxUnavailable: "50%" } } });
    await setImage(t, "agent:2");
    assert.equal((await where(t)).filter((line) => line.startsWith("x")).length, 2);
    await t.until("daemonset/agent", isRolledOut, { within: minutes(1) });
  }),

  story("with surge the old Pod goes when the new one on its node is available", async (t) => {
    await agents(t, { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
    const watch = perNode(t, 2);
    await setImage(t, "agent:2");
    assert.deepEqual((await where(t)).length, 4);
    let fewest = 3;
    for (let second = 0; second < 30; second++) {
      await t.elapse(seconds(1));
      const ready = new Set((await where(t)).filter((line) => line.startsWith("node")).map((line) => line.slice(0, 6)));
      fewest = Math.min(fewest, ready.size);
    }
    assert.equal(fewest, 3, "every node has a ready Pod all the time");
    assert.deepEqual(await where(t), ["node-a agent:2", "node-b agent:2", "node-c agent:2"]);
    watch.check();
  }),

  story("an image that cannot be had stops at the first node; the repair goes on by itself", async (t) => {
    await agents(t);
    await setImage(t, "missing:1");
    await t.elapse(minutes(5));
    assert.equal((await where(t)).filter((line) => line.endsWith("missing:1")).length, 1);
    assert.equal((await statusOf(t)).numberUnavailable, 1);
    await setImage(t, "agent:3");
    await t.until("daemonset/agent", isRolledOut, { within: minutes(1) });
    assert.deepEqual(await where(t), ["node-a agent:3", "node-b agent:3", "node-c agent:3"]);
  }),

  story("with OnDelete only who deletes a Pod gets it changed", async (t) => {
    await agents(t, { updateStrategy: { type: "OnDelete" } });
    await setImage(t, "agent:2");
    await t.elapse(minutes(1));
    assert.deepEqual(await where(t), ["node-a agent:1", "node-b agent:1", "node-c agent:1"]);
    const onB = (await t.pods(app)).find(({ spec }) => spec.nodeName === "node-b");
    await t.delete(`pod/${onB?.metadata.name}`);
    await t.elapse(seconds(10));
    assert.deepEqual(await where(t), ["node-a agent:1", "node-b agent:2", "node-c agent:1"]);
  }),

  story("going back makes the former revision the newest again; those beyond the limit are let go", async (t) => {
    await agents(t, { revisionHistoryLimit: 1 });
    for (const image of ["agent:2", "agent:1", "agent:3"]) {
      await setImage(t, image);
      await t.until("daemonset/agent", isRolledOut, { within: minutes(1) });
    }
    await t.elapse(seconds(5));
    assert.deepEqual(
      (await revisions(t)).map(({ revision }) => revision).sort((a, b) => a - b),
      [3, 4],
    );
  }),
];

const troubles: readonly Story[] = [
  story("a Pod that failed is replaced, after a wait that grows with every failure", async (t) => {
    await threeNodes(t);
    await t.apply(daemonSet("agent", { template: template("agent:1", { nodeSelector: { only: "this" } }) }));
    await t.label("node/node-a", { only: "this" });
    await t.until("daemonset/agent", isRolledOut, { within: seconds(20) });
    const uid = async (): Promise<string> => (await t.pods(app))[0]?.metadata.uid ?? "";
    const fail = async (): Promise<number> => {
      const before = await uid();
      const began = t.cluster.clock.now();
      await t.patch(`pod/${(await t.pods(app))[0]?.metadata.name}`, { status: { phase: "Failed" } }, "status");
      while ((await uid()) === before || (await uid()) === "") await t.elapse(seconds(1));
      return (t.cluster.clock.now() - began) / 1000;
    };
    const [first, second, third, fourth] = [await fail(), await fail(), await fail(), await fail()];
    assert.ok(first <= 2 && fourth > second && fourth >= third, `${[first, second, third, fourth].join()}`);
    assert.ok(
      t
        .events("daemonset/agent")
        .some((line) =>
          /^Warning {2}FailedDaemonPod {2}Found failed daemon pod default\/agent-\w+ on node node-a, will try to kill it/.test(
            line,
          ),
        ),
    );
  }),

  story("deleted, it takes its Pods and revisions along", async (t) => {
    await agents(t);
    await t.delete("daemonset/agent", { propagationPolicy: "Foreground" });
    assert.equal((await where(t)).filter((line) => line.startsWith("x")).length, 3);
    await t.until("daemonset/agent", isGone, { within: seconds(10) });
    assert.deepEqual(await where(t), []);
    assert.deepEqual(await revisions(t), []);
  }),

  story("deleted with its Pods left behind it is taken up by another of its name, without a restart", async (t) => {
    await agents(t);
    const uids = async () => (await t.pods(app)).map(({ metadata }) => metadata.uid).sort();
    const before = await uids();
    await t.delete("daemonset/agent", { propagationPolicy: "Orphan" });
    await t.until("daemonset/agent", isGone, { within: seconds(5) });
    await t.apply(daemonSet("agent", { template: template("agent:1") }));
    await t.until("daemonset/agent", isRolledOut, { within: seconds(5) });
    assert.deepEqual(await uids(), before);
  }),
];

export const stories: readonly Story[] = [...nodes, ...rollouts, ...troubles];
