// What the ground under a cluster can do: a full disk, an API server that is away, a clock that is put forward.

import assert from "node:assert/strict";
import {
  hasContainer,
  hasRestarts,
  hasCondition,
  hours,
  isGone,
  isReady,
  isSucceeded,
  minutes,
  pod,
  seconds,
  type Story,
  story,
} from "../../src/testing/index.ts";

export const stories: readonly Story[] = [
  story(
    "on a full disk nothing can be changed and everything read; Pods go on, and what they did meanwhile is written when there is room",
    async (t) => {
      await t.nodes("node-a");
      t.image("app:1", { present: true });
      t.image("job:1", { present: true, runsFor: seconds(30) });
      t.image("crasher:1", { present: true, runsFor: seconds(60), exits: 1 });
      await t.apply(
        pod("app", { image: "app:1" }),
        pod("job", { image: "job:1", restartPolicy: "Never" }),
        pod("crasher", { image: "crasher:1" }),
      );
      await t.until("pod/app", isReady, { within: seconds(1) });
      t.fillDisk();
      await assert.rejects(
        t.apply(pod("late", { image: "app:1" })),
        /Internal error occurred: the store cannot be written: No space left on device/,
      );
      await assert.rejects(t.delete("pod/app"), /No space left on device/);
      await t.elapse(minutes(10));
      assert.equal((await t.pod("job")).status.phase, "Running", "what was written last can be read");
      t.freeDisk();
      await t.until("pod/job", isSucceeded, { within: seconds(15) });
      assert.equal((await t.container("job")).state?.terminated?.finishedAt, "2025-01-01T00:00:30Z");
      await t.until("pod/crasher", hasRestarts(1), { within: seconds(15) });
      assert.ok((await t.container("crasher")).restartCount > 1, "each restart is counted");
      assert.equal((await t.container("app")).restartCount, 0);
      assert.equal((await t.pod("app")).metadata.deletionTimestamp, undefined, "what was refused did not happen");
      assert.equal(await t.get("pod/late"), undefined);
      await t.until("node/node-a", hasCondition("Ready"), { within: seconds(15) });
      await t.apply(pod("late", { image: "app:1" }));
      await t.until("pod/late", isReady, { within: seconds(15) });
    },
  ),

  story(
    "when the API server is away for ten minutes Pods live on, restarts and probes too; when it is back it hears everything",
    async (t) => {
      const node = await t.node("node-a");
      t.image("app:1", { present: true });
      t.image("job:1", { present: true, runsFor: seconds(90) });
      t.image("crasher:1", { present: true, runsFor: seconds(1), exits: 1 });
      const probe = { exec: { command: ["true"] }, periodSeconds: 10 };
      await t.apply(
        pod("app", { image: "app:1", container: { readinessProbe: probe, livenessProbe: probe } }),
        pod("job", { image: "job:1", restartPolicy: "Never" }),
        pod("crasher", { image: "crasher:1" }),
        pod("gone", { image: "app:1" }),
        pod("forced", { image: "app:1" }),
      );
      await t.until("pod/app", isReady, { within: seconds(15) });
      const before = (await t.container("crasher")).restartCount;
      node.cutOff();
      await t.delete("pod/gone");
      await t.forceDelete("pod/forced");
      await t.apply(pod("late", { image: "app:1", nodeName: "node-a" }));
      await t.elapse(minutes(10));
      assert.equal((await t.container("crasher")).restartCount, before, "nobody can tell the API");
      assert.equal(
        (await t.pod("app")).metadata.deletionTimestamp,
        undefined,
        "the only node: the fault may lie elsewhere",
      );
      node.reconnect();
      await t.until("node/node-a", hasCondition("Ready"), { within: seconds(60) });
      await t.until("pod/app", isReady, { within: seconds(60) });
      await t.until("pod/job", isSucceeded, { within: seconds(60) });
      await t.until("pod/gone", isGone, { within: minutes(2) });
      await t.until("pod/late", isReady, { within: minutes(1) });
      assert.equal((await t.container("app")).restartCount, 0);
      assert.ok((await t.container("crasher")).restartCount >= before + 4);
      assert.equal((await t.container("job")).state?.terminated?.finishedAt, "2025-01-01T00:01:30Z");
      await t.elapse(minutes(1));
      const sandboxes = await t.cluster.call(node.runtime.runtime.listPodSandboxes());
      assert.deepEqual(sandboxes.map(({ metadata }) => metadata.name).sort(), ["app", "crasher", "job", "late"]);
    },
  ),

  story("a node that is cut off for longer than its Pods tolerate finds them deleted, and ends them", async (t) => {
    const node = await t.node("node-a");
    await t.nodes("node-b");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1", nodeName: "node-a" }));
    await t.until("pod/app", isReady, { within: seconds(1) });
    node.cutOff();
    await t.until("node/node-a", hasCondition("Ready", "Unknown"), { within: seconds(60) });
    await t.elapse(minutes(6));
    assert.ok((await t.pod("app")).metadata.deletionTimestamp);
    assert.equal((await t.cluster.call(node.runtime.runtime.listContainers())).length, 1, "it still runs there");
    node.reconnect();
    await t.until("pod/app", isGone, { within: minutes(2) });
    assert.deepEqual(await t.cluster.call(node.runtime.runtime.listContainers()), []);
  }),

  story("a clock that is put forward by three hours restarts nothing, and no node seems silent for it", async (t) => {
    await t.nodes("node-a", "node-b");
    t.image("app:1", { present: true });
    t.image("crasher:1", { present: true, runsFor: seconds(1), exits: 1 });
    const probe = { exec: { command: ["true"] }, periodSeconds: 10 };
    await t.apply(
      pod("app", { image: "app:1", container: { startupProbe: probe, readinessProbe: probe, livenessProbe: probe } }),
      pod("crasher", { image: "crasher:1" }),
    );
    await t.until("pod/app", isReady, { within: seconds(30) });
    await t.until("pod/crasher", hasRestarts(3), { within: minutes(2) });
    await t.until("pod/crasher", hasContainer("crasher", "waiting"), { within: minutes(2) });
    t.chapter();
    t.putClockForward(hours(3));
    await t.label("node/node-a", { looked: "at" });
    await t.elapse(minutes(5));
    assert.equal((await t.container("app")).restartCount, 0);
    assert.doesNotMatch(t.timeline("pod/app"), /NotReady|Terminating/);
    for (const name of ["node-a", "node-b"])
      assert.ok(!t.events(`node/${name}`).some((line) => line.includes("NodeNotReady")), name);
    assert.ok((await t.container("crasher")).restartCount >= 4, "a back-off that waits ends as it would have");
  }),
];
