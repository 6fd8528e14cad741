// A Deployment of real processes through ends and new beginnings of lifepod: nothing is made twice, and nothing is left behind.

import type { V1Deployment } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { podFilesIn, processesWith } from "./traces.ts";

const namespace = "default";

describe("a Deployment in a standing cluster", () => {
  let cluster: StandingCluster;

  beforeEach(async () => {
    cluster = await StandingCluster.start(["--runtime", "process"]);
  });
  afterEach(async () => {
    await cluster.stop();
  });

  const processes = () => processesWith(`MARK=${cluster.folder}`);
  const images = async (): Promise<readonly string[]> => {
    const { items } = await cluster.api.listNamespacedPod({ namespace });
    return items.map(({ spec }) => spec?.containers[0]?.image ?? "").sort();
  };
  const roll = async (image: string): Promise<void> => {
    const body = [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: image }];
    await cluster.apps.patchNamespacedDeployment({ name: "web", namespace, body });
  };
  const rolledOut = (image: string): Promise<unknown> =>
    until(`web is rolled out with ${image}`, async () => {
      const { spec, status, metadata } = await cluster.apps.readNamespacedDeployment({ name: "web", namespace });
      const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
      const isSeen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
      const isDone = isSeen && counts.every((count) => count === spec?.replicas);
      return isDone && (await images()).join() === [image, image, image].join() ? true : undefined;
    });

  it("is rolled out to its end although lifepod is killed with -9 again and again", { timeout: 120_000 }, async () => {
    await cluster.apps.createNamespacedDeployment({ namespace, body: web(cluster.folder) });
    await rolledOut("web:1");
    for (const image of ["web:2", "web:3"]) {
      await roll(image);
      for (let kill = 0; kill < 2; kill++) {
        await cluster.end("SIGKILL");
        await cluster.up();
      }
      await rolledOut(image);
      const { items } = await cluster.apps.listNamespacedReplicaSet({ namespace });
      expect(items.filter(({ spec }) => spec?.replicas === 3)).toHaveLength(1);
    }
    expect((await cluster.apps.listNamespacedReplicaSet({ namespace })).items).toHaveLength(3);
    await until("the old processes are gone", () => (processes().length === 3 ? true : undefined));
  });

  it("has no Pods while lifepod stands still with --stop-pods, and has them again with the next start", {
    timeout: 60_000,
  }, async () => {
    await cluster.end("SIGTERM");
    await cluster.up("--stop-pods");
    await cluster.apps.createNamespacedDeployment({ namespace, body: web(cluster.folder) });
    await rolledOut("web:1");
    expect(await cluster.end("SIGTERM")).toMatchObject({ status: 0, stderr: "" });
    expect(processes()).toEqual([]);
    expect(podFilesIn(cluster.data)).toEqual([]);
    await cluster.up();
    await rolledOut("web:1");
    expect(processes()).toHaveLength(3);
  });
});

/** Three processes that carry a mark by which they are found. */
function web(mark: string): V1Deployment {
  const labels = { app: "web" };
  const container = { name: "main", image: "web:1", command: ["sleep", "1000"], env: [{ name: "MARK", value: mark }] };
  return {
    metadata: { name: "web" },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
    },
  };
}
