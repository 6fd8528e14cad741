// Nodes that fall silent, come back, or go for good; namespaces that end with Pods in them; events and their end; the eviction API (pod-lifecycle 0.3, 12).

import assert from "node:assert/strict";
import type { Node } from "../../src/api/index.ts";
import {
  hasCondition,
  hasRestarts,
  hours,
  isGone,
  isReady,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

/** Two nodes, and a Ready Pod `app` on the first; the chapter begins then. */
async function appOnNodeA(t: StoryTeller, options: Omit<Parameters<typeof pod>[1], "image"> = {}) {
  const node = await t.node("node-a");
  await t.nodes("node-b");
  t.image("app:1", { present: true });
  await t.apply(pod("app", { image: "app:1", nodeName: "node-a", ...options }));
  await t.until("pod/app", isReady, { within: seconds(1) });
  t.chapter();
  return node;
}

const taintsOf = async (t: StoryTeller, name: string): Promise<readonly string[]> =>
  ((await t.get<Node>(`node/${name}`))?.spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();

export const stories: readonly Story[] = [
  story(
    "a node that falls silent is NotReady after 50 s, and so are its Pods; after 300 s more they are deleted and wait",
    async (t) => {
      const node = await appOnNodeA(t);
      await node.stopKubelet();
      await t.until("node/node-a", hasCondition("Ready", "Unknown"), { within: seconds(55) });
      const elapsed = (t.cluster.clock.now() - Date.UTC(2025, 0, 1)) / 1000;
      assert.ok(elapsed >= 40 && elapsed <= 55, `${elapsed} s`);
      await t.elapse(seconds(6));
      assert.deepEqual(await taintsOf(t, "node-a"), [
        "node.kubernetes.io/unreachable:NoExecute",
        "node.kubernetes.io/unreachable:NoSchedule",
      ]);
      const { status } = await t.pod("app");
      assert.equal(status.phase, "Running");
      assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.status, "False");
      await t.elapse(minutes(6));
      assert.match(t.timeline("pod/app"), /NodeNotReady {2}Node is not ready/);
      assert.match(t.timeline("pod/app"), / 3[45]\ds {2}Terminating {2}30s of grace/);
      const waiting = await t.pod("app");
      assert.equal(
        waiting.status.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason,
        "DeletionByTaintManager",
      );
      await t.elapse(hours(1));
      assert.ok(await t.get("pod/app"), "nobody can say that it has ended");
    },
  ),

  story("a silent node that comes back before the time is up keeps its Pods, untouched", async (t) => {
    const node = await appOnNodeA(t);
    await node.stopKubelet();
    await t.elapse(minutes(2));
    assert.match(t.timeline("pod/app"), /NotReady/);
    await node.startKubelet();
    await t.until("pod/app", isReady, { within: seconds(15) });
    await t.elapse(minutes(10));
    assert.equal((await t.container("app")).restartCount, 0);
    assert.deepEqual(await taintsOf(t, "node-a"), []);
    assert.equal((await t.pod("app")).metadata.deletionTimestamp, undefined);
  }),

  story("a node that comes back after its Pods were deleted ends them", async (t) => {
    const node = await appOnNodeA(t);
    await node.stopKubelet();
    await t.elapse(minutes(10));
    assert.ok((await t.pod("app")).metadata.deletionTimestamp);
    await node.startKubelet();
    await t.until("pod/app", isGone, { within: seconds(35) });
    assert.deepEqual(await node.runtime.runtime.listContainers(), []);
  }),

  story("when the only node is silent nobody is evicted: the fault may lie elsewhere", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", isReady, { within: seconds(1) });
    await node.stopKubelet();
    await t.elapse(minutes(30));
    assert.equal((await t.pod("app")).metadata.deletionTimestamp, undefined);
  }),

  story("Pods of a node that was deleted are Failed and collected after 40 s", async (t) => {
    const node = await appOnNodeA(t);
    await node.stopKubelet();
    await t.delete("node/node-a");
    await t.elapse(seconds(39));
    assert.ok(await t.get("pod/app"));
    await t.until("pod/app", isGone, { within: seconds(45) });
    assert.match(t.timeline("pod/app"), /Failed/);
    assert.ok(t.cluster.transcript().includes("PodGC: node no longer exists"));
  }),

  story(
    "a node object that somebody deleted is made again by its kubelet with its next report; the Pods that were there are collected",
    async (t) => {
      await appOnNodeA(t);
      await t.delete("node/node-a");
      await t.until("pod/app", isGone, { within: minutes(2) });
      await t.until("node/node-a", hasCondition("Ready"), { within: minutes(5) });
      await t.apply(pod("app", { image: "app:1", nodeName: "node-a" }));
      await t.until("pod/app", isReady, { within: seconds(1) });
    },
  ),

  story("a namespace that is deleted ends the Pods in it, each with its grace, and goes after them", async (t) => {
    await t.nodes("node-a");
    t.image("slow:1", { present: true, stopsIn: seconds(20), exitCodeOnTerm: 0 });
    await t.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "test" } });
    await t.apply(pod("app", { image: "slow:1", namespace: "test" }));
    await t.until("pod/test/app", isReady, { within: seconds(1) });
    t.chapter();
    await t.delete("namespace/test");
    await t.elapse(seconds(10));
    assert.equal((await t.get<{ status: { phase: string } }>("namespace/test"))?.status.phase, "Terminating");
    await assert.rejects(
      t.apply(pod("late", { image: "slow:1", namespace: "test" })),
      /because it is being terminated/,
    );
    await t.until("namespace/test", isGone, { within: minutes(1) });
    t.expectTimeline(
      "pod/test/app",
      `0s  Terminating  30s of grace
       20s  [app] Exited  code 0, after 20s
       20s  Succeeded
       20s  Gone  removed from the API`,
    );
    assert.deepEqual(
      t.events("pod/test/app"),
      [],
      "a namespace that ends takes no new events, and takes the old ones along",
    );
    assert.equal(await t.get("configmap/test/kube-root-ca.crt"), undefined);
  }),

  story("the eviction API deletes a Pod gracefully and marks it as disrupted", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, stopsIn: seconds(5) });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", isReady, { within: seconds(1) });
    t.chapter();
    await t.evict("pod/app");
    const target = (await t.pod("app")).status.conditions?.find(({ type }) => type === "DisruptionTarget");
    assert.equal(target?.reason, "EvictionByEvictionAPI");
    assert.equal(target?.message, "Eviction API: evicting");
    await t.until("pod/app", isGone, { within: minutes(1) });
    assert.match(t.timeline("pod/app"), / 5s {2}Gone/);
  }),

  story("events are gone an hour after they were last told", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(minutes(59));
    assert.equal(t.events("pod/app").length, 4);
    await t.elapse(minutes(2));
    assert.deepEqual(t.events("pod/app"), []);
    assert.equal((await t.pod("app")).status.phase, "Running");
  }),

  story("an event that comes again is counted, and its first and last times are kept", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, runsFor: seconds(1), exits: 1 });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", hasRestarts(3), { within: minutes(2) });
    const { items } = await t.cluster.call(t.cluster.client.events.list({ namespace: "default" }));
    const started = items.filter((event) => event.reason === "Started");
    assert.equal(started.length, 1);
    assert.equal(started[0]?.count, 4);
    const between = Date.parse(started[0]?.lastTimestamp ?? "") - Date.parse(started[0]?.firstTimestamp ?? "");
    assert.ok(Math.abs(between - 33_000) <= 1000, `${between} ms between the first and the last`);
    assert.deepEqual(started[0]?.source, { component: "kubelet", host: "node-a" });
  }),

  story("ten different messages of one reason are told as one that combines them", async (t) => {
    await t.nodes("node-a");
    let asked = 0;
    t.image("app:1", { present: true, exec: () => ({ exitCode: 1, stdout: `queue length ${asked++}` }) });
    await t.apply(
      pod("app", { image: "app:1", container: { readinessProbe: { exec: { command: ["queue"] }, periodSeconds: 5 } } }),
    );
    await t.elapse(minutes(2));
    const unhealthy = t.events("pod/app").filter((line) => line.includes("Unhealthy"));
    assert.ok(unhealthy.length <= 10, unhealthy.join("\n"));
    assert.ok(
      unhealthy.some((line) => line.includes("(combined from similar events): Readiness probe failed: queue length")),
    );
  }),

  story(
    "a Pod that was deleted before it had a node and is held by a finalizer is Failed by the Pod collector",
    async (t) => {
      t.image("app:1");
      await t.apply(pod("app", { image: "app:1", finalizers: ["example.com/keep"] }));
      await t.delete("pod/app");
      await t.elapse(seconds(25));
      const { metadata, status } = await t.pod("app");
      assert.ok(metadata.deletionTimestamp);
      assert.equal(status.phase, "Failed");
      await t.patch("pod/app", { metadata: { finalizers: null } });
      assert.equal(await t.get("pod/app"), undefined);
    },
  ),

  story("the eviction API deletes a Pod that is Pending", async (t) => {
    t.image("app:1");
    await t.apply(pod("app", { image: "app:1" }));
    await t.evict("pod/app");
    assert.equal(await t.get("pod/app"), undefined);
  }),
];
