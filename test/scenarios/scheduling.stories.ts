// Which node a Pod gets, why it gets none, and what makes it be tried again; what a node refuses (pod-lifecycle 1.4, 11).

import assert from "node:assert/strict";
import type { Pod } from "../../src/api/index.ts";
import type { StatusError } from "../../src/api/wire/status-error.ts";
import {
  isFailed,
  isGone,
  isReady,
  isScheduled,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const scheduled = async (t: StoryTeller, name: string) =>
  (await t.pod(name)).status.conditions?.find(({ type }) => type === "PodScheduled");

/** A Pod that asks for so many CPUs. */
const hungry = (name: string, cpu: string, options: Omit<Parameters<typeof pod>[1], "image"> = {}) =>
  pod(name, { image: "app:1", container: { resources: { requests: { cpu } } }, ...options });

export const stories: readonly Story[] = [
  story("a Pod without any node is Unschedulable, and is scheduled when a node appears", async (t) => {
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(seconds(30));
    const condition = await scheduled(t, "app");
    assert.equal(condition?.status, "False");
    assert.equal(condition?.reason, "Unschedulable");
    assert.equal(condition?.message, "no nodes available to schedule pods");
    // No plugin has refused it, so no event of the cluster is waited for: it is tried again after 1, 2, 4, 8 and 10 s.
    t.expectEvents("pod/app", "Warning  FailedScheduling (6 times)  no nodes available to schedule pods");
    await t.nodes("node-a");
    await t.until("pod/app", isReady, { within: seconds(15) });
  }),

  story("a Pod that fits nowhere says what each node lacks", async (t) => {
    await t.node("node-a", { capacity: { cpu: "1" } });
    await t.node("node-b", { capacity: { cpu: "1" } });
    await t.node("node-c", { labels: { disk: "ssd" } });
    await t.taint("node-c", "dedicated=db:NoSchedule");
    t.image("app:1", { present: true });
    await t.apply(hungry("app", "2"));
    await t.elapse(seconds(1));
    assert.equal(
      (await scheduled(t, "app"))?.message,
      "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    );
  }),

  story("a Pod that waits for room gets it when another Pod ends", async (t) => {
    await t.node("node-a", { capacity: { cpu: "1" } });
    t.image("app:1", { present: true, exitCodeOnTerm: 0, stopsIn: seconds(3) });
    await t.apply(hungry("first", "800m"));
    await t.until("pod/first", isReady, { within: seconds(5) });
    await t.apply(hungry("second", "800m"));
    await t.elapse(minutes(1));
    assert.equal((await scheduled(t, "second"))?.reason, "Unschedulable");
    await t.delete("pod/first");
    await t.until("pod/second", isReady, { within: seconds(20) });
  }),

  story("a Pod that waits for a label is scheduled when a node gets it", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1", nodeSelector: { disk: "ssd" } }));
    await t.elapse(seconds(5));
    assert.match(
      (await scheduled(t, "app"))?.message ?? "",
      /^0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\./,
    );
    await t.label("node/node-a", { disk: "ssd" });
    await t.until("pod/app", isReady, { within: seconds(11) });
  }),

  story("a Pod that waits for a taint to go is scheduled when it goes; a tolerating Pod does not wait", async (t) => {
    await t.nodes("node-a");
    await t.taint("node-a", "dedicated=db:NoSchedule");
    t.image("app:1", { present: true });
    await t.apply(
      pod("plain", { image: "app:1" }),
      pod("db", { image: "app:1", tolerations: [{ key: "dedicated", operator: "Exists" }] }),
    );
    await t.until("pod/db", isReady, { within: seconds(1) });
    assert.match((await scheduled(t, "plain"))?.message ?? "", /1 node\(s\) had untolerated taint\(s\)/);
    await t.untaint("node-a", "dedicated");
    await t.until("pod/plain", isReady, { within: seconds(11) });
  }),

  story("a cordoned node takes no new Pods and keeps its own", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("old", { image: "app:1" }));
    await t.until("pod/old", isReady, { within: seconds(1) });
    await t.cordon("node-a");
    await t.apply(pod("new", { image: "app:1" }));
    await t.elapse(minutes(1));
    assert.match((await scheduled(t, "new"))?.message ?? "", /1 node\(s\) were unschedulable/);
    assert.equal((await t.pod("old")).status.phase, "Running");
    await t.uncordon("node-a");
    await t.until("pod/new", isReady, { within: seconds(11) });
  }),

  story("scheduling gates hold a Pod back without a warning until the last one is taken away", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(
      pod("app", { image: "app:1", schedulingGates: [{ name: "example.com/quota" }, { name: "example.com/data" }] }),
    );
    await t.elapse(minutes(10));
    const condition = await scheduled(t, "app");
    assert.equal(condition?.reason, "SchedulingGated");
    assert.equal(condition?.message, "Scheduling is blocked due to non-empty scheduling gates");
    assert.deepEqual(t.events("pod/app"), []);
    await t.patch("pod/app", { spec: { schedulingGates: [{ name: "example.com/data" }] } });
    await t.elapse(seconds(30));
    assert.equal((await scheduled(t, "app"))?.reason, "SchedulingGated");
    await t.patch("pod/app", { spec: { schedulingGates: null } });
    await t.until("pod/app", isReady, { within: seconds(5) });
  }),

  story("a Pod of another scheduler is left alone until that one binds it", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1", schedulerName: "other" }));
    await t.elapse(minutes(10));
    assert.equal((await t.pod("app")).spec.nodeName, undefined);
    assert.deepEqual(t.events("pod/app"), []);
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "app" },
      target: { apiVersion: "v1", kind: "Node", name: "node-a" },
    };
    await t.cluster.call(t.cluster.client.pods.createSubresource("app", "default", "binding", binding));
    await t.until("pod/app", isReady, { within: seconds(1) });
  }),

  story("Pods are spread to the emptier node", async (t) => {
    await t.nodes("node-a", "node-b");
    t.image("app:1", { present: true });
    for (const index of [0, 1, 2, 3]) await t.apply(hungry(`app-${index}`, "500m"));
    await t.elapse(seconds(1));
    const nodes = await Promise.all([0, 1, 2, 3].map(async (index) => (await t.pod(`app-${index}`)).spec.nodeName));
    assert.equal(nodes.filter((name) => name === "node-a").length, 2);
  }),

  story("two Pods that want the same host port get two nodes; the third waits", async (t) => {
    await t.nodes("node-a", "node-b");
    t.image("app:1", { present: true });
    const container = { ports: [{ containerPort: 80, hostPort: 8080 }] };
    for (const name of ["one", "two", "three"]) await t.apply(pod(name, { image: "app:1", container }));
    await t.elapse(seconds(1));
    assert.notEqual((await t.pod("one")).spec.nodeName, (await t.pod("two")).spec.nodeName);
    assert.match(
      (await scheduled(t, "three"))?.message ?? "",
      /2 node\(s\) didn't have free ports for the requested pod ports/,
    );
  }),

  story("a Pod with a node's name goes there past the scheduler, even to a cordoned node", async (t) => {
    await t.nodes("node-a", "node-b");
    await t.cordon("node-b");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1", nodeName: "node-b" }));
    await t.until("pod/app", isReady, { within: seconds(1) });
    assert.ok(!t.events("pod/app").some((line) => line.includes("Scheduled")));
  }),

  ...(
    [
      [
        "more CPU than it has",
        { container: { resources: { requests: { cpu: "6" } } } },
        "OutOfcpu",
        "Node didn't have enough resource: cpu, requested: 6000, used: 0, capacity: 4000",
      ],
      [
        "a label that it does not have",
        { nodeSelector: { disk: "ssd" } },
        "NodeAffinity",
        "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
      ],
    ] as const
  ).map(([what, options, reason, message]) =>
    story(`a node refuses a Pod that was given to it and needs ${what}: ${reason}`, async (t) => {
      await t.nodes("node-a");
      t.image("app:1", { present: true });
      await t.apply(pod("app", { image: "app:1", nodeName: "node-a", ...options }));
      await t.until("pod/app", isFailed, { within: seconds(1) });
      const { status } = await t.pod("app");
      assert.equal(status.reason, reason);
      assert.equal(status.message, `Pod was rejected: ${message}`);
      assert.equal(status.containerStatuses, undefined);
      t.expectEvents("pod/app", `Warning  ${reason}  ${message}`);
      await t.delete("pod/app");
      assert.equal(await t.get("pod/app"), undefined);
    }),
  ),

  story("a Pod whose scheduling was given up is told why when it is bound twice", async (t) => {
    await t.nodes("node-a", "node-b");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", isScheduled, { within: seconds(1) });
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "app" },
      target: { apiVersion: "v1", kind: "Node", name: "node-b" },
    };
    const refused = t.cluster.call(t.cluster.client.pods.createSubresource("app", "default", "binding", binding));
    await assert.rejects(
      refused,
      (error: StatusError) => error.code === 409 && /is already assigned to node "node-/.test(error.message),
    );
  }),

  story(
    "a NoExecute taint ends Pods that do not tolerate it at once, others after their tolerationSeconds, some never",
    async (t) => {
      await t.nodes("node-a");
      t.image("app:1", { present: true });
      const tolerate = (tolerationSeconds?: number) => [
        {
          key: "maintenance",
          operator: "Exists" as const,
          effect: "NoExecute" as const,
          ...(tolerationSeconds !== undefined && { tolerationSeconds }),
        },
      ];
      await t.apply(
        pod("now", { image: "app:1" }),
        pod("soon", { image: "app:1", tolerations: tolerate(60) }),
        pod("never", { image: "app:1", tolerations: tolerate() }),
      );
      await t.until("pod/never", isReady, { within: seconds(1) });
      t.chapter();
      await t.taint("node-a", "maintenance:NoExecute");
      await t.until("pod/now", isGone, { within: seconds(1) });
      t.expectTimeline(
        "pod/now",
        `0s  Terminating  30s of grace
       0s  TaintManagerEviction  Marking for deletion Pod default/now
       0s  [now] Killing …
       0s  [now] Exited …
       0s  Failed
       0s  Gone …`,
      );
      await t.until("pod/soon", isGone, { within: seconds(61) });
      assert.match(t.timeline("pod/soon"), / 60s {2}Terminating/);
      await t.elapse(minutes(10));
      assert.equal((await t.pod("never")).status.phase, "Running");
    },
  ),

  story("a planned eviction is called off when the taint goes in time", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(
      pod("app", {
        image: "app:1",
        tolerations: [{ key: "maintenance", operator: "Exists", effect: "NoExecute", tolerationSeconds: 60 }],
      }),
    );
    await t.until("pod/app", isReady, { within: seconds(1) });
    await t.taint("node-a", "maintenance:NoExecute");
    await t.elapse(seconds(30));
    await t.untaint("node-a", "maintenance");
    await t.elapse(minutes(5));
    assert.equal((await t.pod("app")).status.phase, "Running");
    assert.ok(t.events("pod/app").includes("Normal  TaintManagerEviction  Cancelling deletion of Pod default/app"));
  }),

  story("when room is freed the Pod with the higher priority gets it, though it came later", async (t) => {
    await t.node("node-a", { capacity: { cpu: "1" } });
    t.image("app:1", { present: true });
    await t.apply({
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: "patient" },
      value: 1000,
      preemptionPolicy: "Never",
    });
    await t.apply(hungry("first", "800m"));
    await t.until("pod/first", isReady, { within: seconds(1) });
    await t.apply(hungry("early", "800m"));
    await t.elapse(minutes(1));
    await t.apply(hungry("important", "800m", { priorityClassName: "patient" }));
    await t.elapse(minutes(1));
    await t.delete("pod/first");
    await t.elapse(seconds(30));
    assert.equal((await t.get<Pod>("pod/important"))?.status.phase, "Running");
    assert.equal((await t.pod("early")).status.phase, "Pending");
  }),

  story("a preferred node is taken when it can be, and another when it cannot", async (t) => {
    await t.node("node-a", { capacity: { cpu: "2" } });
    await t.node("node-b", { capacity: { cpu: "1" }, labels: { disk: "ssd" } });
    t.image("app:1", { present: true });
    const affinity = {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            preference: { matchExpressions: [{ key: "disk", operator: "In" as const, values: ["ssd"] }] },
          },
        ],
      },
    };
    await t.apply(hungry("one", "600m", { affinity }));
    await t.until("pod/one", isReady, { within: seconds(1) });
    await t.apply(hungry("two", "600m", { affinity }));
    await t.until("pod/two", isReady, { within: seconds(1) });
    assert.equal((await t.pod("one")).spec.nodeName, "node-b");
    assert.equal((await t.pod("two")).spec.nodeName, "node-a");
  }),
];
