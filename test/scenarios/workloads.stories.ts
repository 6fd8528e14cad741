// ReplicaSets and Deployments: how Pods are kept, replaced, rolled out and taken back (pod-lifecycle 13.1 to 13.3).

import assert from "node:assert/strict";
import type { Deployment, Pod, ReplicaSet } from "../../src/api/index.ts";
import { seconds, type Story, story, type StoryTeller, minutes, hasCondition } from "../../src/testing/index.ts";

export const stories: readonly Story[] = [
  story("try", async (t) => {
    await t.nodes("node-a", "node-b");
    t.image("app:1", { present: true });
    t.image("app:2", { present: true });
    await t.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "default" },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "app", image: "app:1" }] } },
      },
    });
    await t.until("deployment/web", hasCondition("Available"), { within: seconds(30) });
    await t.elapse(seconds(5));
    console.log(JSON.stringify(await t.get("deployment/web"), null, 1), t.events("deployment/web"));
    await t.patch("deployment/web", { spec: { template: { spec: { containers: [{ name: "app", image: "app:2" }] } } } });
    await t.elapse(seconds(60));
    console.log(JSON.stringify((await t.get<Deployment>("deployment/web"))?.status, null, 1), t.events("deployment/web"));
    await t.delete("deployment/web");
    await t.elapse(seconds(60));
    console.log((await t.cluster.client.pods.list({})).items.length);
  }),
];
