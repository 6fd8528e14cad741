// What a Pod leaves in a claim is there for the next one, also when lifepod was killed in between; what becomes of it when the claim goes is the volume's
// policy.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PatchStrategy, setHeaderOptions, type V1PersistentVolume, type V1Pod } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { StandingCluster } from "./standing-cluster.ts";

const namespace = "default";

describe.each(runtimeRows)("a claim, on %s,", (_name, { absence, start }) => {
  let runtime: RuntimeAtHand;
  let cluster: StandingCluster;

  beforeAll(async () => {
    if (absence !== undefined) return;
    runtime = await start();
    cluster = await StandingCluster.start(runtime.arguments);
  }, 120_000);
  afterAll(async () => {
    await cluster?.stop();
    await runtime?.stop();
  }, 120_000);

  const createClaim = (name: string): Promise<unknown> =>
    cluster.api.createNamespacedPersistentVolumeClaim({
      namespace,
      body: {
        metadata: { name },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
      },
    });
  /** Runs a Pod over the claim to its end. */
  const run = async (name: string, claimName: string, script: string): Promise<string> => {
    const container = {
      name: "main",
      image: runtime.image,
      command: ["sh", "-c", script],
      volumeMounts: [{ name: "data", mountPath: "/data" }],
    };
    const pod: V1Pod = {
      metadata: { name },
      spec: {
        restartPolicy: "Never",
        containers: [container],
        volumes: [{ name: "data", persistentVolumeClaim: { claimName } }],
      },
    };
    await cluster.create(pod);
    await cluster.until(name, "has succeeded", ({ status }) => status?.phase === "Succeeded");
    return cluster.log(name);
  };
  const volumeOf = async (claimName: string): Promise<V1PersistentVolume> => {
    const { spec } = await cluster.api.readNamespacedPersistentVolumeClaim({ name: claimName, namespace });
    return cluster.api.readPersistentVolume({ name: spec?.volumeName ?? "" });
  };
  /** With its Pods: until they are gone it is protected. */
  const deleteClaim = async (claimName: string, ...pods: readonly string[]): Promise<void> => {
    await cluster.api.deleteNamespacedPersistentVolumeClaim({ name: claimName, namespace });
    for (const name of pods) await cluster.delete(name);
    await until("the claim is gone", async () => {
      const { items } = await cluster.api.listNamespacedPersistentVolumeClaim({ namespace });
      return items.some(({ metadata }) => metadata?.name === claimName) ? undefined : true;
    });
  };

  it.skipIf(absence !== undefined)(
    "keeps what was written through kill -9, and takes it along",
    { timeout: 120_000 },
    async () => {
      await createClaim("data");
      await run("writer", "data", "echo precious > /data/note");
      await cluster.end("SIGKILL");
      await cluster.up();
      expect(await run("reader", "data", "cat /data/note")).toBe("precious\n");
      const path = (await volumeOf("data")).spec?.local?.path ?? "";
      expect(path.startsWith(`${cluster.data}/`)).toBe(true);
      expect(readFileSync(join(path, "note"), "utf8")).toBe("precious\n");
      await deleteClaim("data", "writer", "reader");
      await until("the folder is gone", () => (existsSync(path) ? undefined : true));
      await until("the volume is gone", async () =>
        (await cluster.api.listPersistentVolume()).items.length === 0 ? true : undefined,
      );
    },
  );

  it.skipIf(absence !== undefined)(
    "leaves what was written if its volume is retained",
    { timeout: 120_000 },
    async () => {
      await createClaim("kept");
      await run("keeper", "kept", "echo kept > /data/note");
      const { metadata, spec } = await volumeOf("kept");
      const name = metadata?.name ?? "";
      await cluster.api.patchPersistentVolume(
        { name, body: { spec: { persistentVolumeReclaimPolicy: "Retain" } } },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      );
      await deleteClaim("kept", "keeper");
      await until("the volume is released", async () =>
        (await cluster.api.readPersistentVolume({ name })).status?.phase === "Released" ? true : undefined,
      );
      expect(readFileSync(join(spec?.local?.path ?? "", "note"), "utf8")).toBe("kept\n");
    },
  );
});
