// A Job of real processes, counted to its end although lifepod is killed again and again.

import { readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { StandingCluster } from "./standing-cluster.ts";

const namespace = "default";

describe("a Job in a standing cluster", () => {
  let cluster: StandingCluster;

  beforeEach(async () => {
    cluster = await StandingCluster.start(["--runtime", "process"]);
  });
  afterEach(async () => {
    await cluster.stop();
  });

  it("is done once, index by index, although lifepod is killed with -9 in the middle", {
    timeout: 120_000,
  }, async () => {
    const marks = join(cluster.folder, "marks");
    await mkdir(marks);
    const script = `touch ${marks}/$JOB_COMPLETION_INDEX.$(hostname).$$; sleep 0.3`;
    const container = { name: "main", image: "busybox:1.36", command: ["sh", "-c", script] };
    await cluster.batch.createNamespacedJob({
      namespace,
      body: {
        metadata: { name: "pieces" },
        spec: {
          completionMode: "Indexed",
          completions: 6,
          parallelism: 2,
          template: { spec: { restartPolicy: "Never", containers: [container] } },
        },
      },
    });
    const status = async () => (await cluster.batch.readNamespacedJob({ name: "pieces", namespace })).status ?? {};
    let before = 0;
    for (let kill = 1; kill <= 2; kill++) {
      await until(
        `${kill * 2} pieces are done`,
        async () => ((await status()).succeeded ?? 0) >= kill * 2 || undefined,
      );
      await cluster.end("SIGKILL");
      await cluster.up();
      const { succeeded = 0 } = await status();
      expect(succeeded).toBeGreaterThanOrEqual(before);
      before = succeeded;
    }
    await until("it is complete", async () => (await status()).completionTime ?? undefined);
    const { succeeded, failed = 0, completedIndexes, uncountedTerminatedPods } = await status();
    expect({ succeeded, completedIndexes, uncountedTerminatedPods }).toEqual({
      succeeded: 6,
      completedIndexes: "0-5",
      uncountedTerminatedPods: {},
    });
    const { items } = await cluster.api.listNamespacedPod({ namespace });
    expect(items.filter(({ status: told }) => told?.phase === "Succeeded")).toHaveLength(6);
    expect(items).toHaveLength(6 + failed);
    expect(items.flatMap(({ metadata }) => metadata?.finalizers ?? [])).toEqual([]);
    // Each Pod's container ran once: what had ended was not run again.
    expect(readdirSync(marks)).toHaveLength(items.length);
  });
});
