// A StatefulSet and a DaemonSet of real processes, whose rollouts go on where lifepod was killed.

import type { V1PodTemplateSpec } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { processesWith } from "./traces.ts";

const namespace = "default";

describe("a StatefulSet and a DaemonSet in a standing cluster", () => {
  let cluster: StandingCluster;

  beforeEach(async () => {
    cluster = await StandingCluster.start(["--runtime", "process"]);
  });
  afterEach(async () => {
    await cluster.stop();
  });

  /** `db-0 app:1`, without what is on its way out. */
  const pods = async (): Promise<readonly string[]> => {
    const { items } = await cluster.api.listNamespacedPod({ namespace });
    return items
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map(({ metadata, spec }) => {
        const name = metadata?.name?.startsWith("agent-") ? "agent" : metadata?.name;
        return `${name} ${spec?.containers[0]?.image}`;
      })
      .sort();
  };
  const areReady = (image: string): Promise<unknown> =>
    until(`all are of ${image} and ready`, async () => {
      const set = await cluster.apps.readNamespacedStatefulSet({ name: "db", namespace });
      const daemons = await cluster.apps.readNamespacedDaemonSet({ name: "agent", namespace });
      const { readyReplicas, updatedReplicas, observedGeneration } = set.status ?? {};
      const isDone =
        observedGeneration === set.metadata?.generation &&
        readyReplicas === 3 &&
        updatedReplicas === 3 &&
        daemons.status?.observedGeneration === daemons.metadata?.generation &&
        daemons.status?.numberAvailable === 1 &&
        daemons.status?.updatedNumberScheduled === 1;
      const want = [`agent ${image}`, `db-0 ${image}`, `db-1 ${image}`, `db-2 ${image}`];
      return isDone && (await pods()).join() === want.join() ? true : undefined;
    });

  it("are rolled out to their end although lifepod is killed with -9 in the middle", { timeout: 120_000 }, async () => {
    const selector = (app: string) => ({ matchLabels: { app } });
    await cluster.apps.createNamespacedStatefulSet({
      namespace,
      body: {
        metadata: { name: "db" },
        spec: { serviceName: "db", replicas: 3, selector: selector("db"), template: template("db", cluster.folder) },
      },
    });
    await cluster.apps.createNamespacedDaemonSet({
      namespace,
      body: {
        metadata: { name: "agent" },
        spec: { selector: selector("agent"), template: template("agent", cluster.folder) },
      },
    });
    await areReady("app:1");
    const body = [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "app:2" }];
    await cluster.apps.patchNamespacedStatefulSet({ name: "db", namespace, body });
    await cluster.apps.patchNamespacedDaemonSet({ name: "agent", namespace, body });
    for (let kill = 0; kill < 2; kill++) {
      await cluster.end("SIGKILL");
      await cluster.up();
    }
    await areReady("app:2");
    const { items } = await cluster.apps.listNamespacedControllerRevision({ namespace });
    expect(items.map(({ revision }) => revision).sort((a, b) => a - b)).toEqual([1, 1, 2, 2]);
    await until("the old processes are gone", () =>
      processesWith(`MARK=${cluster.folder}`).length === 4 ? true : undefined,
    );
  });
});

/** Processes that carry a mark by which they are found. */
function template(app: string, mark: string): V1PodTemplateSpec {
  const container = { name: "main", image: "app:1", command: ["sleep", "1000"], env: [{ name: "MARK", value: mark }] };
  return { metadata: { labels: { app } }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } };
}
