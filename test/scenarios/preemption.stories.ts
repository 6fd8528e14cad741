// Who leaves for a more important Pod, and how it comes to its place (pod-lifecycle 11.5).

import assert from "node:assert/strict";
import type { JsonObject } from "../../src/api/wire/request.ts";
import {
  isGone,
  isReady,
  minutes,
  pod,
  type PodOptions,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const priorityClass = (name: string, value: number, more: JsonObject = {}): JsonObject => ({
  apiVersion: "scheduling.k8s.io/v1",
  kind: "PriorityClass",
  metadata: { name },
  value,
  ...more,
});

/** Nodes of one CPU each, and classes `low` (10), `middle` (50), `high` (100). Containers end five seconds after TERM. */
async function stage(t: StoryTeller, ...nodes: readonly string[]): Promise<void> {
  for (const name of nodes) await t.node(name, { capacity: { cpu: "1" } });
  t.image("app:1", { present: true, stopsIn: seconds(5), exitCodeOnTerm: 0 });
  await t.apply(priorityClass("low", 10), priorityClass("middle", 50), priorityClass("high", 100));
}

const asks = (name: string, cpu: string, priorityClassName: string, more: Partial<PodOptions> = {}): JsonObject =>
  pod(name, { image: "app:1", container: { resources: { requests: { cpu } } }, priorityClassName, ...more });

const failed = async (t: StoryTeller, name: string) =>
  (await t.pod(name)).status.conditions?.find(({ type }) => type === "PodScheduled")?.message;

const nominated = async (t: StoryTeller, name: string) => (await t.pod(name)).status.nominatedNodeName;

export const stories: readonly Story[] = [
  story("an important Pod drives out one of lower priority, waits for its end and takes its place", async (t) => {
    await stage(t, "node-a");
    await t.apply(asks("victim", "800m", "low"));
    await t.until("pod/victim", isReady, { within: seconds(5) });
    await t.apply(asks("vip", "800m", "high"));
    const victim = await t.pod("victim");
    assert.notEqual(victim.metadata.deletionTimestamp, undefined);
    assert.equal(victim.metadata.deletionGracePeriodSeconds, 30);
    const mark = victim.status.conditions?.find(({ type }) => type === "DisruptionTarget");
    assert.deepEqual(
      [mark?.status, mark?.reason, mark?.message],
      ["True", "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"],
    );
    const vip = await t.pod("vip");
    assert.deepEqual(
      t.events("pod/victim").filter((line) => line.includes("Preempted")),
      ["Normal  Preempted  Preempted by pod <uid> on node node-a"],
    );
    assert.equal(vip.status.nominatedNodeName, "node-a");
    assert.equal(await failed(t, "vip"), "0/1 nodes are available: 1 Insufficient cpu.");
    await t.elapse(seconds(3));
    assert.equal((await t.pod("vip")).spec.nodeName, undefined, "it waits for the grace of its victim");
    await t.until("pod/vip", isReady, { within: seconds(10) });
    assert.equal(await t.get("pod/victim"), undefined);
  }),

  story("while it waits it is not tried against the same victim again", async (t) => {
    await stage(t, "node-a");
    t.image("slow:1", { present: true, stopsIn: seconds(25), exitCodeOnTerm: 0 });
    await t.apply(asks("victim", "800m", "low", { image: "slow:1" }));
    await t.until("pod/victim", isReady, { within: seconds(5) });
    await t.apply(asks("vip", "800m", "high"));
    // Something that may help wakes it while the victim is leaving.
    await t.elapse(seconds(3));
    await t.patch("node/node-a", { status: { allocatable: { cpu: "1100m" } } }, "status");
    await t.elapse(seconds(3));
    assert.equal(
      await failed(t, "vip"),
      "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.",
    );
    assert.equal(await nominated(t, "vip"), "node-a");
    await t.until("pod/vip", isReady, { within: minutes(1) });
  }),

  story("nobody of the same or a higher priority leaves, and a Pod that shall not preempt waits", async (t) => {
    await stage(t, "node-a");
    await t.apply(priorityClass("polite", 100, { preemptionPolicy: "Never" }), asks("first", "800m", "middle"));
    await t.until("pod/first", isReady, { within: seconds(5) });
    await t.apply(asks("same", "800m", "middle"), asks("polite", "800m", "polite"));
    await t.elapse(minutes(1));
    assert.equal((await t.pod("first")).metadata.deletionTimestamp, undefined);
    assert.equal(
      await failed(t, "same"),
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
    );
    assert.equal(
      await failed(t, "polite"),
      "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.",
    );
  }),

  story("only as many leave as must, the least important first", async (t) => {
    await stage(t, "node-a");
    await t.apply(asks("a", "300m", "low"), asks("b", "300m", "middle"), asks("c", "300m", "low"));
    for (const name of ["a", "b", "c"]) await t.until(`pod/${name}`, isReady, { within: seconds(5) });
    await t.apply(asks("vip", "400m", "high"));
    await t.until("pod/vip", isReady, { within: seconds(20) });
    const left = await Promise.all(["a", "b", "c"].map(async (name) => (await t.get(`pod/${name}`)) !== undefined));
    assert.equal(left.filter(Boolean).length, 2);
    assert.equal(left[1], true, "the more important one stays");
  }),

  story("the node is chosen where no disruption budget is broken", async (t) => {
    await stage(t, "node-a", "node-b");
    await t.apply(
      asks("guarded", "800m", "low", {
        labels: { app: "guarded" },
        nodeSelector: { "kubernetes.io/hostname": "node-a" },
      }),
      asks("free", "800m", "middle", { nodeSelector: { "kubernetes.io/hostname": "node-b" } }),
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "guarded", namespace: "default" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "guarded" } } },
      },
    );
    await t.until("pod/guarded", isReady, { within: seconds(5) });
    await t.until("pod/free", isReady, { within: seconds(5) });
    await t.apply(asks("vip", "800m", "high"));
    assert.equal(await nominated(t, "vip"), "node-b", "although the victim there is more important");
    await t.until("pod/free", isGone, { within: seconds(10) });
    await t.until("pod/vip", isReady, { within: seconds(10) });
    assert.equal((await t.pod("guarded")).metadata.deletionTimestamp, undefined);
  }),

  story("where there is no other way a budget is broken", async (t) => {
    await stage(t, "node-a");
    await t.apply(asks("guarded", "800m", "low", { labels: { app: "guarded" } }), {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "guarded", namespace: "default" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "guarded" } } },
    });
    await t.until("pod/guarded", isReady, { within: seconds(5) });
    await t.apply(asks("vip", "800m", "high"));
    await t.until("pod/vip", isReady, { within: seconds(20) });
  }),

  story("nobody of lower priority slips into the room that is being made", async (t) => {
    await stage(t, "node-a");
    await t.apply(asks("victim", "800m", "low"));
    await t.until("pod/victim", isReady, { within: seconds(5) });
    await t.apply(asks("vip", "500m", "high"));
    await t.apply(asks("quick", "800m", "middle"));
    await t.until("pod/vip", isReady, { within: seconds(20) });
    await t.elapse(minutes(1));
    assert.equal((await t.pod("quick")).spec.nodeName, undefined);
    await t.delete("pod/vip");
    await t.until("pod/quick", isReady, { within: seconds(30) });
  }),

  story("a more important Pod takes over the room, and who was nominated before looks elsewhere", async (t) => {
    await stage(t, "node-a");
    t.image("slow:1", { present: true, stopsIn: seconds(20), exitCodeOnTerm: 0 });
    await t.apply(asks("victim", "800m", "low", { image: "slow:1" }));
    await t.until("pod/victim", isReady, { within: seconds(5) });
    await t.apply(asks("first", "800m", "middle"));
    assert.equal(await nominated(t, "first"), "node-a");
    await t.elapse(seconds(1));
    await t.apply(asks("vip", "800m", "high"));
    assert.equal(await nominated(t, "vip"), "node-a");
    assert.equal(await nominated(t, "first"), undefined);
    await t.until("pod/vip", isReady, { within: seconds(40) });
    assert.equal((await t.pod("first")).spec.nodeName, undefined);
  }),

  story("when the nominated node is lost the Pod goes elsewhere, and its nomination ends", async (t) => {
    await stage(t, "node-a");
    t.image("slow:1", { present: true, stopsIn: seconds(25), exitCodeOnTerm: 0 });
    await t.apply(asks("victim", "800m", "low", { image: "slow:1" }));
    await t.until("pod/victim", isReady, { within: seconds(5) });
    await t.apply(asks("vip", "800m", "high"));
    assert.equal(await nominated(t, "vip"), "node-a");
    await t.delete("node/node-a");
    await t.node("node-b", { capacity: { cpu: "1" } });
    await t.until("pod/vip", isReady, { within: seconds(30) });
    assert.equal((await t.pod("vip")).spec.nodeName, "node-b");
  }),

  story("who cannot be helped by any victim drives nobody out", async (t) => {
    await stage(t, "node-a");
    await t.apply(asks("small", "300m", "low"));
    await t.until("pod/small", isReady, { within: seconds(5) });
    await t.apply(asks("giant", "2", "high"));
    await t.elapse(seconds(30));
    assert.equal(
      await failed(t, "giant"),
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    );
    assert.equal((await t.pod("small")).metadata.deletionTimestamp, undefined);
  }),

  story("who must not be near a Pod of lower priority drives it out", async (t) => {
    await stage(t, "node-a");
    await t.apply(asks("noisy", "100m", "low", { labels: { noise: "loud" } }));
    await t.until("pod/noisy", isReady, { within: seconds(5) });
    const podAntiAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { noise: "loud" } }, topologyKey: "kubernetes.io/hostname" },
      ],
    };
    await t.apply(asks("quiet", "100m", "high", { affinity: { podAntiAffinity } }));
    await t.until("pod/quiet", isReady, { within: seconds(20) });
    assert.equal(await t.get("pod/noisy"), undefined);
  }),
];
