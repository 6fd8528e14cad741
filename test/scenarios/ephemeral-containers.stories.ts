// Ephemeral containers: guests that come at any time, once, and change nothing for their Pod (pod-lifecycle 4.2.11, 9.3).

import assert from "node:assert/strict";
import {
  hasContainer,
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

const guest = (name: string, image: string, more: object = {}) => ({ name, image, ...more });

const debug = (t: StoryTeller, name: string, ...guests: readonly object[]): Promise<void> =>
  t.patch(`pod/${name}`, { spec: { ephemeralContainers: guests } }, "ephemeralcontainers");

export const stories: readonly Story[] = [
  story("an ephemeral container starts in a running Pod, ends, and is never started again", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    t.image("tools:1", {
      pullTime: seconds(2),
      runsFor: seconds(30),
      exits: 3,
      logs: [{ at: seconds(1), text: "hello" }],
    });
    await t.apply(pod("web", { image: "app:1" }));
    await t.until("pod/web", isReady, { within: minutes(1) });
    t.chapter();
    await debug(t, "web", guest("debugger", "tools:1"));
    await t.until("pod/web", hasContainer("debugger", "running"), { within: minutes(1) });
    assert.equal((await t.pod("web")).status.observedGeneration, 2);
    await t.elapse(minutes(60));
    t.expectTimeline(
      "pod/web",
      `0s  [debugger] Pulling …
       2s  [debugger] Pulled …
       2s  [debugger] Running
       32s  [debugger] Exited  code 3, after 30s`,
    );
    const ended = await t.container("web", "debugger");
    assert.equal(ended.state?.terminated?.exitCode, 3);
    assert.equal(ended.restartCount, 0);
    assert.equal(await t.logs("pod/web", { container: "debugger" }), "hello\n");
    assert.equal((await t.container("web", "web")).restartCount, 0);
  }),

  story("it may come while its Pod is in a crash loop, and says nothing about phase and readiness", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, runsFor: seconds(1), exits: 1 });
    t.image("tools:1", { present: true });
    await t.apply(pod("web", { image: "app:1" }));
    await t.until("pod/web", hasRestarts(4), { within: minutes(5) });
    await t.until("pod/web", waitsFor("CrashLoopBackOff"), { within: minutes(5) });
    const before = await t.pod("web");
    t.chapter();
    await debug(t, "web", guest("debugger", "tools:1", { targetContainerName: "web" }));
    t.expectTimeline(
      "pod/web",
      `0s  [debugger] Pulled …
       0s  [debugger] Running`,
    );
    const { phase, conditions, containerStatuses } = (await t.pod("web")).status;
    const told = (list: typeof conditions) => list?.map(({ type, status, message }) => [type, status, message]);
    assert.equal(phase, before.status.phase);
    assert.deepEqual(told(conditions), told(before.status.conditions));
    assert.deepEqual(containerStatuses, before.status.containerStatuses);
    await t.until("pod/web", hasRestarts(5), { within: minutes(5) });
    assert.ok((await t.container("web", "debugger")).state?.running);
  }),

  story("it does not wait for init containers", async (t) => {
    await t.nodes("node-a");
    t.image("init:1", { present: true });
    t.image("app:1", { present: true });
    t.image("tools:1", { present: true });
    await t.apply(pod("web", { image: "app:1", initContainers: [{ name: "init", image: "init:1" }] }));
    await t.until("pod/web", hasContainer("init", "running"), { within: minutes(1) });
    await debug(t, "web", guest("debugger", "tools:1"));
    assert.ok((await t.container("web", "debugger")).state?.running);
    assert.equal((await t.pod("web")).status.phase, "Pending");
  }),

  story("its image is tried again until it comes; meanwhile the Pod stays Ready", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    t.image("tools:1", { pullFails: { times: 2 } });
    await t.apply(pod("web", { image: "app:1" }));
    await t.until("pod/web", isReady, { within: minutes(1) });
    await debug(t, "web", guest("debugger", "tools:1"));
    await t.until("pod/web", waitsFor("ImagePullBackOff"), { within: minutes(1) });
    await t.until("pod/web", isReady, { within: seconds(0) });
    await t.until("pod/web", hasContainer("debugger", "running"), { within: minutes(2) });
  }),

  story("whose target has not been made yet, it waits for it and says so", async (t) => {
    await t.nodes("node-a");
    t.image("init:1", { present: true, runsFor: seconds(15) });
    t.image("app:1", { present: true });
    t.image("tools:1", { present: true });
    await t.apply(pod("web", { image: "app:1", initContainers: [{ name: "init", image: "init:1" }] }));
    await t.until("pod/web", hasContainer("init", "running"), { within: minutes(1) });
    await debug(t, "web", guest("debugger", "tools:1", { targetContainerName: "web" }));
    assert.deepEqual((await t.container("web", "debugger")).state, {
      waiting: { reason: "CreateContainerConfigError", message: "unable to find target container web" },
    });
    await t.until("pod/web", hasContainer("debugger", "running"), { within: minutes(1) });
  }),

  story("when the work of its Pod is done it is ended, and how it ends does not count", async (t) => {
    await t.nodes("node-a");
    t.image("job:1", { present: true, runsFor: seconds(20) });
    t.image("tools:1", { present: true });
    await t.apply(pod("job", { image: "job:1", restartPolicy: "Never" }));
    await t.until("pod/job", hasContainer("job", "running"), { within: minutes(1) });
    t.chapter();
    await debug(t, "job", guest("debugger", "tools:1"));
    await t.until("pod/job", isSucceeded, { within: minutes(1) });
    t.expectTimeline(
      "pod/job",
      `0s   [debugger] Pulled …
       0s   [debugger] Running
       20s  [job] Exited  code 0, after 20s
       20s  [debugger] Killing  Stopping container debugger
       20s  [debugger] Exited  code 143, after 20s
       20s  Succeeded`,
    );
  }),

  story("deletion ends it with the grace of its Pod", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    t.image("tools:1", { present: true, ignoresTerm: true });
    await t.apply(pod("web", { image: "app:1", terminationGracePeriodSeconds: 7 }));
    await t.until("pod/web", isReady, { within: minutes(1) });
    await debug(t, "web", guest("debugger", "tools:1"));
    await t.delete("pod/web");
    t.chapter();
    await t.elapse(seconds(6));
    assert.ok((await t.container("web", "debugger")).state?.running);
    await t.until("pod/web", isGone, { within: seconds(2) });
  }),

  story("a new kubelet finds it running, and does not start again what has ended", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true });
    t.image("tools:1", { present: true });
    t.image("once:1", { present: true, runsFor: seconds(1) });
    await t.apply(pod("web", { image: "app:1" }));
    await t.until("pod/web", isReady, { within: minutes(1) });
    await debug(t, "web", guest("debugger", "tools:1"), guest("once", "once:1"));
    await t.until("pod/web", hasContainer("once", "terminated"), { within: minutes(1) });
    const ids = [await t.containerId("web", "debugger"), await t.containerId("web", "once")];
    await node.stopKubelet();
    await node.startKubelet();
    await t.elapse(minutes(5));
    assert.deepEqual([await t.containerId("web", "debugger"), await t.containerId("web", "once")], ids);
    assert.ok((await t.container("web", "debugger")).state?.running);
  }),
];
