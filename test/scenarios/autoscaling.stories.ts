// What nodes and Pods use, and the autoscaler that goes by it.

import assert from "node:assert/strict";
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
];
