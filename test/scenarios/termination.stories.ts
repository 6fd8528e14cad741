// How Pods end: deletion with grace, force, finalizers, deadlines, and deletion at every stage of a Pod's life (pod-lifecycle 1.3, 8).

import assert from "node:assert/strict";
import type { ContainerBehaviour } from "../../src/runtimes/simulated/behaviour.ts";
import {
  hasRestarts,
  isGone,
  isReady,
  isSucceeded,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
  waitsFor,
} from "../../src/testing/index.ts";

/** A Ready Pod `app`; the chapter begins when it has run for ten seconds. */
async function readyApp(
  t: StoryTeller,
  behaviour: ContainerBehaviour,
  options: Omit<Parameters<typeof pod>[1], "image"> = {},
): Promise<void> {
  await t.nodes("node-a");
  t.image("app:1", { present: true, ...behaviour });
  await t.apply(pod("app", { image: "app:1", ...options }));
  await t.until("pod/app", isReady, { within: minutes(1) });
  await t.elapse(seconds(10));
  t.chapter();
}

export const stories: readonly Story[] = [
  story("a deleted Pod gets TERM, ends, and is removed when its end is known", async (t) => {
    await readyApp(t, { stopsIn: seconds(3), exitCodeOnTerm: 0 });
    await t.delete("pod/app");
    await t.elapse(seconds(2));
    const leaving = await t.pod("app");
    assert.equal(leaving.metadata.deletionGracePeriodSeconds, 30);
    const end = Date.parse(leaving.metadata.deletionTimestamp ?? "");
    const left = (end - t.cluster.clock.now()) / 1000;
    assert.ok(left > 26 && left <= 28, `two seconds after the deletion ${left} s of the grace are left`);
    assert.equal(leaving.metadata.generation, 2);
    assert.equal(leaving.status.phase, "Running");
    await t.until("pod/app", isGone, { within: minutes(1) });
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  30s of grace
       0s  [app] Killing  Stopping container app
       3s  [app] Exited  code 0, after 13s
       3s  Succeeded
       3s  Gone  removed from the API`,
    );
  }),

  ...(
    [
      ["a container that handles TERM and exits 0", { exitCodeOnTerm: 0 }, "Succeeded"],
      ["a container that dies of TERM", {}, "Failed"],
      ["a container that fails on TERM", { exitCodeOnTerm: 1 }, "Failed"],
    ] as const
  ).map(([who, behaviour, phase]) =>
    story(`the last phase of a deleted Pod with ${who} is ${phase}`, async (t) => {
      await readyApp(t, behaviour);
      await t.delete("pod/app");
      assert.match(t.timeline("pod/app"), new RegExp(`0s {2}${phase}\n.*Gone`));
    }),
  ),

  story("a container that ignores TERM is killed when the grace is over", async (t) => {
    await readyApp(t, { ignoresTerm: true }, { terminationGracePeriodSeconds: 20 });
    await t.delete("pod/app");
    await t.until("pod/app", isGone, { within: minutes(1) });
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  20s of grace
       0s  [app] Killing  Stopping container app
       20s  [app] Exited  code 137, after 30s
       20s  Failed
       20s  Gone  removed from the API`,
    );
  }),

  story("a second delete shortens the grace; a longer one and one without a grace change nothing", async (t) => {
    await readyApp(t, { ignoresTerm: true }, { terminationGracePeriodSeconds: 60 });
    await t.delete("pod/app");
    await t.elapse(seconds(5));
    await t.delete("pod/app", { gracePeriodSeconds: 100 });
    await t.delete("pod/app");
    assert.equal((await t.pod("app")).metadata.deletionGracePeriodSeconds, 60);
    await t.delete("pod/app", { gracePeriodSeconds: 8 });
    assert.equal((await t.pod("app")).metadata.deletionGracePeriodSeconds, 8);
    await t.until("pod/app", isGone, { within: minutes(2) });
    assert.match(t.timeline("pod/app"), / 13s {2}\[app\] Exited {2}code 137, after 23s/);
  }),

  story("a delete may ask for more grace than the manifest says, or for less", async (t) => {
    await readyApp(t, { ignoresTerm: true }, { terminationGracePeriodSeconds: 5 });
    await t.delete("pod/app", { gracePeriodSeconds: 25 });
    await t.until("pod/app", isGone, { within: minutes(1) });
    assert.match(t.timeline("pod/app"), / 25s {2}Gone/);
  }),

  story("a force delete removes the object at once; its containers still get their own grace", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true, ignoresTerm: true });
    await t.apply(pod("app", { image: "app:1", terminationGracePeriodSeconds: 15 }));
    await t.until("pod/app", isReady, { within: minutes(1) });
    const id = await t.containerId("app");
    t.chapter();
    await t.forceDelete("pod/app");
    assert.equal(await t.get("pod/app"), undefined);
    await t.elapse(seconds(14));
    assert.equal((await node.runtime.runtime.containerStatus(id)).state.kind, "running");
    await t.elapse(seconds(2));
    assert.deepEqual(await node.runtime.runtime.listContainers(), [], "nothing is left behind");
    assert.deepEqual(await node.runtime.runtime.listPodSandboxes(), []);
  }),

  story(
    "a new Pod may take the name of one that was deleted by force while that one's containers still end",
    async (t) => {
      await readyApp(t, { ignoresTerm: true }, { terminationGracePeriodSeconds: 15 });
      await t.forceDelete("pod/app");
      await t.apply(pod("app", { image: "app:1" }));
      await t.until("pod/app", isReady, { within: seconds(1) });
      await t.elapse(minutes(1));
      assert.equal((await t.pod("app")).status.phase, "Running");
      assert.equal((await t.container("app")).restartCount, 0);
    },
  ),

  story("a Pod that is nowhere scheduled is removed at once", async (t) => {
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(seconds(5));
    await t.delete("pod/app");
    assert.equal(await t.get("pod/app"), undefined);
  }),

  story("a Pod that is deleted while its image is being pulled ends as Failed without having run", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { pullTime: minutes(5) });
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(seconds(10));
    t.chapter();
    await t.delete("pod/app");
    await t.until("pod/app", isGone, { within: seconds(5) });
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  30s of grace
       0s  [app] Exited  code 137, ContainerStatusUnknown: The container could not be located when the pod was terminated
       0s  Failed
       0s  Gone  removed from the API`,
    );
  }),

  story("a Pod that is deleted while an init container runs ends that one and never starts its app", async (t) => {
    await t.nodes("node-a");
    t.image("init:1", { present: true, stopsIn: seconds(2) });
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1", initContainers: [{ name: "init", image: "init:1" }] }));
    await t.elapse(seconds(10));
    t.chapter();
    await t.delete("pod/app");
    await t.until("pod/app", isGone, { within: seconds(30) });
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  30s of grace
       0s  [init] Killing  Stopping container init
       2s  [init] Exited  code 143, after 12s
       2s  Failed
       2s  Gone  removed from the API`,
    );
  }),

  story("a Pod that is deleted while its postStart hook runs does not wait for the hook", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, exec: { warm: { exitCode: 0, delay: minutes(10) } } });
    await t.apply(
      pod("app", { image: "app:1", container: { lifecycle: { postStart: { exec: { command: ["warm"] } } } } }),
    );
    await t.elapse(seconds(10));
    t.chapter();
    await t.delete("pod/app");
    await t.until("pod/app", isGone, { within: seconds(35) });
    assert.match(t.timeline("pod/app"), /\[app\] Exited {2}code 143, after 10s/);
  }),

  story("a Pod that is deleted during its crash back-off keeps its last end and goes at once", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, runsFor: seconds(1), exits: 4 });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", waitsFor("CrashLoopBackOff"), { within: minutes(1) });
    t.chapter();
    await t.delete("pod/app");
    await t.until("pod/app", isGone, { within: seconds(5) });
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  30s of grace
       0s  Failed
       0s  Gone  removed from the API`,
    );
  }),

  story("a finalizer keeps the ended Pod until somebody takes it away", async (t) => {
    await readyApp(t, { exitCodeOnTerm: 0 }, { finalizers: ["example.com/keep"] });
    await t.delete("pod/app");
    await t.elapse(minutes(1));
    const kept = await t.pod("app");
    assert.equal(kept.status.phase, "Succeeded");
    assert.equal(kept.metadata.deletionGracePeriodSeconds, 0);
    await t.patch("pod/app", { metadata: { finalizers: null } });
    assert.equal(await t.get("pod/app"), undefined);
  }),

  story("a Pod that has ended is removed at once, without grace", async (t) => {
    await t.nodes("node-a");
    t.image("job:1", { present: true, runsFor: seconds(5) });
    await t.apply(pod("job", { image: "job:1", restartPolicy: "Never" }));
    await t.until("pod/job", isSucceeded, { within: minutes(1) });
    await t.elapse(minutes(10));
    await t.delete("pod/job");
    assert.equal(await t.get("pod/job"), undefined);
  }),

  story(
    "a Pod that reaches its active deadline is told so, ended with its grace, and Failed with DeadlineExceeded",
    async (t) => {
      await t.nodes("node-a");
      t.image("app:1", { present: true, stopsIn: seconds(4), exitCodeOnTerm: 0 });
      await t.apply(pod("app", { image: "app:1", activeDeadlineSeconds: 60 }));
      await t.elapse(seconds(62));
      assert.equal((await t.pod("app")).status.phase, "Running", "Failed is told only when nothing runs any more");
      await t.elapse(seconds(10));
      t.expectTimeline(
        "pod/app",
        `0s  Pending
       0s  Scheduled …
       0s  [app] Pulled …
       0s  [app] Running
       0s  Running
       0s  Ready
       60s  DeadlineExceeded  Pod was active on the node longer than the specified deadline
       60s  [app] Killing  Stopping container app
       64s  [app] Exited  code 0, after 64s
       64s  Failed  DeadlineExceeded: Pod was active on the node longer than the specified deadline`,
      );
    },
  ),

  story("the active deadline counts while images are pulled and init containers fail", async (t) => {
    await t.nodes("node-a");
    t.image("init:1", { pullTime: seconds(20), runsFor: seconds(1), exits: 1 });
    t.image("app:1", { present: true });
    await t.apply(
      pod("app", { image: "app:1", activeDeadlineSeconds: 45, initContainers: [{ name: "init", image: "init:1" }] }),
    );
    await t.elapse(seconds(46));
    const { status } = await t.pod("app");
    assert.equal(status.phase, "Failed");
    assert.equal(status.reason, "DeadlineExceeded");
  }),

  story("a Pod is not restarted while it is being deleted", async (t) => {
    await readyApp(t, { stopsIn: seconds(10), exitCodeOnTerm: 1 });
    const id = await t.containerId("app");
    await t.delete("pod/app");
    t.cluster.nodes.get("node-a")?.faults.killContainer(id, 9);
    await t.until("pod/app", isGone, { within: seconds(30) });
    assert.doesNotMatch(t.timeline("pod/app"), /restart/);
  }),

  story("all containers of a Pod are stopped at the same time", async (t) => {
    await t.nodes("node-a");
    t.image("slow:1", { present: true, stopsIn: seconds(8) });
    t.image("quick:1", { present: true, stopsIn: seconds(2) });
    const containers = [
      { name: "slow", image: "slow:1" },
      { name: "quick", image: "quick:1" },
    ];
    await t.apply(pod("two", { containers }));
    await t.until("pod/two", isReady, { within: minutes(1) });
    t.chapter();
    await t.delete("pod/two");
    await t.until("pod/two", isGone, { within: minutes(1) });
    t.expectTimeline(
      "pod/two",
      `0s  Terminating  30s of grace
       0s  [slow] Killing  Stopping container slow
       0s  [quick] Killing  Stopping container quick
       8s  [quick] Exited  code 143, after 2s
       8s  [slow] Exited  code 143, after 8s
       8s  Failed
       8s  Gone  removed from the API`,
    );
  }),

  story("the restart count and the last state survive many restarts: only the newest end is kept", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true, runsFor: seconds(1), exitsByTurn: [1, 2, 3, 4, 5] });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", hasRestarts(4), { within: minutes(10) });
    await t.elapse(seconds(2));
    const status = await t.container("app");
    assert.equal(status.restartCount, 4);
    assert.equal(status.lastState?.terminated?.exitCode, 5);
    assert.ok((await node.runtime.runtime.listContainers()).length <= 2);
  }),

  story(
    "a Pod whose manifest grants no grace is removed at once; its container gets the least time there is",
    async (t) => {
      const node = await t.node("node-a");
      t.image("app:1", { present: true, ignoresTerm: true });
      await t.apply(pod("app", { image: "app:1", terminationGracePeriodSeconds: 0 }));
      await t.until("pod/app", isReady, { within: seconds(1) });
      await t.delete("pod/app");
      assert.equal(await t.get("pod/app"), undefined);
      await t.elapse(seconds(3));
      assert.deepEqual(await node.runtime.runtime.listContainers(), []);
    },
  ),

  story("a Pod that is deleted while it waits for a volume ends at once", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(
      pod("app", {
        image: "app:1",
        volumes: [{ name: "settings", configMap: { name: "absent" } }],
        container: { volumeMounts: [{ name: "settings", mountPath: "/etc/app" }] },
      }),
    );
    await t.elapse(seconds(40));
    await t.delete("pod/app");
    await t.until("pod/app", isGone, { within: seconds(5) });
  }),

  story("a deadline may be set on a running Pod, and counts from its start", async (t) => {
    await readyApp(t, { exitCodeOnTerm: 0 });
    await t.patch("pod/app", { spec: { activeDeadlineSeconds: 30 } });
    await t.elapse(seconds(25));
    assert.match(t.timeline("pod/app"), /20s {2}Failed {2}DeadlineExceeded/);
  }),
];
