// What nodes and Pods use, and the autoscaler that goes by it.

import assert from "node:assert/strict";
import type { HorizontalPodAutoscaler } from "../../src/api/generated/autoscaling-v2.ts";
import type { Deployment, Event } from "../../src/api/index.ts";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { isReady, pod, seconds, type Story, story, type StoryTeller } from "../../src/testing/index.ts";

interface Measured {
  readonly metadata: { readonly name: string };
  readonly window: string;
  readonly usage?: JsonObject;
  readonly containers?: readonly { readonly name: string; readonly usage: JsonObject }[];
}

/** The metrics of all Pods, or of what a selector takes. */
async function podMetrics(t: StoryTeller, labelSelector = ""): Promise<readonly Measured[]> {
  const { items } = await t.cluster.call(t.cluster.client.resource(metricsOf("pods")).list({ labelSelector }));
  return items as unknown as readonly Measured[];
}

const metricsOf = (resource: "nodes" | "pods") => ({
  group: "metrics.k8s.io",
  version: "v1beta1",
  resource,
  kind: resource === "pods" ? "PodMetrics" : "NodeMetrics",
  namespaced: resource === "pods",
});

export const stories: readonly Story[] = [
  story("what Pods use is measured when it is asked for, and told of a stretch of time", async (t) => {
    await t.nodes("node-a");
    t.image("calm", { present: true, uses: { cpuMillis: 50, memoryBytes: 64 * 1024 ** 2 } });
    const busyAfter = [
      { from: seconds(0), cpuMillis: 100 },
      { from: seconds(300), cpuMillis: 700 },
    ];
    t.image("busy", { present: true, uses: { cpuMillis: busyAfter, memoryBytes: 1536 } });
    await t.apply(pod("calm", { image: "calm" }), pod("busy", { image: "busy", labels: { app: "busy" } }));
    await t.until("pod/calm", isReady, { within: seconds(5) });
    await t.until("pod/busy", isReady, { within: seconds(5) });
    await t.elapse(seconds(120));
    const first = await podMetrics(t);
    assert.deepEqual(
      first.map(({ metadata, window, containers }) => [metadata.name, window, containers?.[0]?.usage]),
      [
        ["busy", "1s", { cpu: "100m", memory: "1536" }],
        ["calm", "1s", { cpu: "50m", memory: "64Mi" }],
      ],
    );
    await t.elapse(seconds(15));
    const [again] = await podMetrics(t, "app=busy");
    assert.deepEqual([again?.window, again?.containers?.[0]?.usage["cpu"]], ["15s", "100m"]);
    await t.elapse(seconds(300));
    const later = await podMetrics(t, "app=busy");
    assert.deepEqual(later[0]?.containers?.[0]?.usage["cpu"], "700m");
    const nodes = await t.cluster.call(t.cluster.client.resource(metricsOf("nodes")).list());
    assert.deepEqual(
      (nodes.items as unknown as readonly Measured[]).map(({ usage }) => usage?.["cpu"]),
      ["750m"],
    );
  }),

  story("a Pod that does not run is not measured", async (t) => {
    await t.nodes("node-a");
    t.image("short", { present: true, runsFor: seconds(2) });
    await t.apply(pod("short", { image: "short", restartPolicy: "Never" }));
    await t.elapse(seconds(10));
    assert.deepEqual(await podMetrics(t), []);
  }),

  story("an autoscaler adds replicas at once and takes them away when five minutes have asked for less", async (t) => {
    await t.nodes("node-a");
    // The first Pod has much to do for four minutes; those that come later find nothing left.
    const stretches = [
      { from: seconds(0), cpuMillis: 50 },
      { from: seconds(600), cpuMillis: 300 },
      { from: seconds(840), cpuMillis: 10 },
    ];
    t.image("web:1", { present: true, uses: { cpuMillis: stretches } });
    await t.apply(deployment(1), autoscaler({ averageUtilization: 50 }));
    await t.elapse(seconds(590));
    assert.equal(await replicas(t), 1);
    t.image("web:1", { present: true, uses: { cpuMillis: 10 } });
    await t.elapse(seconds(60));
    const { status } = (await t.get<HorizontalPodAutoscaler>("horizontalpodautoscaler/web")) ?? {};
    assert.ok((await replicas(t)) >= 3, "300m of 100m are six times the aim of 50 %");
    assert.match(
      eventsOf(await t.cluster.call(t.cluster.client.events.list({ namespace: "default" }))),
      /SuccessfulRescale New size: \d; reason: cpu resource utilization \(percentage of request\) above target/,
    );
    assert.deepEqual(status?.conditions?.map((condition) => `${condition.type}=${condition.status}`).slice(0, 2), [
      "AbleToScale=True",
      "ScalingActive=True",
    ]);
    const most = await replicas(t);
    await t.elapse(seconds(240));
    assert.equal(await replicas(t), most, "the window of five minutes is not over");
    await t.elapse(seconds(420));
    assert.equal(await replicas(t), 2, "six Pods with 10m of their 100m have work for two");
    await t.elapse(seconds(360));
    assert.equal(await replicas(t), 1);
    assert.match(
      eventsOf(await t.cluster.call(t.cluster.client.events.list({ namespace: "default" }))),
      /All metrics below target/,
    );
  }),

  story("an autoscaler whose Pods request nothing says so and changes nothing", async (t) => {
    await t.nodes("node-a");
    t.image("web:1", { present: true, uses: { cpuMillis: 500 } });
    await t.apply(deployment(2, {}), autoscaler({ averageUtilization: 50 }));
    await t.elapse(seconds(120));
    const found = await t.get<HorizontalPodAutoscaler>("horizontalpodautoscaler/web");
    const active = found?.status.conditions?.find(({ type }) => type === "ScalingActive");
    assert.deepEqual([active?.status, active?.reason], ["False", "FailedGetResourceMetric"]);
    assert.match(
      active?.message ?? "",
      /^the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu in container app of Pod web-/,
    );
    assert.equal(await replicas(t), 2);
  }),

  story("an autoscaler keeps within its limits, and leaves alone what is scaled to none", async (t) => {
    await t.nodes("node-a");
    t.image("web:1", { present: true });
    await t.apply(deployment(9), autoscaler({ averageUtilization: 50 }));
    await t.elapse(seconds(2));
    assert.equal(await replicas(t), 6, "above maxReplicas");
    await t.cluster.call(
      t.cluster.client.deployments.patch("web", "default", "merge", { spec: { replicas: 0 } }, "scale"),
    );
    await t.elapse(seconds(60));
    assert.equal(await replicas(t), 0);
    const found = await t.get<HorizontalPodAutoscaler>("horizontalpodautoscaler/web");
    const active = found?.status.conditions?.find(({ type }) => type === "ScalingActive");
    assert.deepEqual([active?.status, active?.reason], ["False", "ScalingDisabled"]);
  }),
];

async function replicas(t: StoryTeller): Promise<number> {
  return (await t.get<Deployment>("deployment/web"))?.spec.replicas ?? -1;
}

function eventsOf({ items }: { readonly items: readonly Event[] }): string {
  return items.map(({ reason, message }) => `${reason} ${message}`).join("\n");
}

function deployment(count: number, requests: JsonObject = { cpu: "100m" }): JsonObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: count,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "app", image: "web:1", resources: { requests } }] },
      },
    },
  };
}

function autoscaler(target: JsonObject): JsonObject {
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web", namespace: "default" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 6,
      metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", ...target } } }],
    },
  };
}
