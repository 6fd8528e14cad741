// Static Pods on real runtimes: a folder of manifests, their mirrors, and the life of both through ends and new beginnings of lifepod.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { V1Pod } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { lifepod } from "./lifepod-process.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { processesWith } from "./traces.ts";

describe.each(runtimeRows)("static Pods on %s", (_, { absence, start }) => {
  let runtime: RuntimeAtHand;
  let cluster: StandingCluster;

  beforeAll(async () => {
    if (absence !== undefined) return;
    runtime = await start();
    cluster = await StandingCluster.start(runtime.arguments);
    await cluster.end("SIGTERM");
  }, 60_000);
  afterAll(async () => {
    await cluster?.stop();
    await runtime?.stop();
  }, 60_000);

  it("live as their folder says, through ends of lifepod and of their mirrors", { timeout: 120_000 }, async (test) => {
    test.skip(absence !== undefined, absence);
    const folder = join(cluster.folder, "manifests");
    const option = ["--pod-manifest-path", folder];
    const write = (version: string): Promise<void> =>
      writeFile(join(folder, "web.yaml"), manifest(runtime.image, `${cluster.folder}/${version}`));
    const processes = (version: string) => processesWith(`MARK=${cluster.folder}/${version}`);
    await mkdir(folder, { recursive: true });
    await write("v1");
    await cluster.up(...option);
    const name = `web-${cluster.facts.node}`.toLowerCase();

    const first = await cluster.until(name, "is Ready", isReady);
    expect(first.metadata?.annotations).toMatchObject({ "kubernetes.io/config.source": "file" });
    expect(first.metadata?.ownerReferences).toMatchObject([{ kind: "Node", name: cluster.facts.node }]);
    expect(await cluster.log(name)).toBe("hello\n");
    const id = containerOf(first);

    await cluster.delete(name);
    const second = await cluster.until(
      name,
      "has a new mirror",
      (pod) => isReady(pod) && pod.metadata?.uid !== first.metadata?.uid,
    );
    expect(containerOf(second)).toBe(id);

    await cluster.end("SIGKILL");
    await cluster.up(...option);
    const third = await cluster.until(name, "is Ready", isReady);
    expect(third.metadata?.uid).toBe(second.metadata?.uid);
    expect(containerOf(third)).toBe(id);
    expect(processes("v1").length).toBeGreaterThan(0);

    await write("v2");
    const fourth = await cluster.until(name, "is another Pod", (pod) => isReady(pod) && containerOf(pod) !== id);
    expect(fourth.metadata?.annotations?.["kubernetes.io/config.mirror"]).not.toBe(
      first.metadata?.annotations?.["kubernetes.io/config.mirror"],
    );
    expect(fourth.status?.containerStatuses?.[0]?.restartCount).toBe(0);
    await expect.poll(() => processes("v1"), { timeout: 10_000 }).toEqual([]);

    await rm(join(folder, "web.yaml"));
    await cluster.untilGone(name);
    expect(processes("v2")).toEqual([]);

    await write("v3");
    await cluster.until(name, "is Ready", isReady, seconds(40));
    await cluster.end("SIGTERM");
    expect(processes("v3").length).toBeGreaterThan(0);
    await cluster.up(...option, "--stop-pods");
    await cluster.until(name, "is Ready", isReady);
    expect(await cluster.end("SIGTERM")).toMatchObject({ status: 0 });
    expect(processes("v3")).toEqual([]);
  });

  it("are explained by the command", async () => {
    const { stdout } = await lifepod(["up", "--help"]);
    expect(stdout).toContain("--pod-manifest-path <dir>");
  });
});

const manifest = (image: string, mark: string): string => `
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  terminationGracePeriodSeconds: 2
  containers:
    - name: main
      image: ${image}
      env: [{ name: MARK, value: ${mark} }]
      command: [sh, -c, "echo hello; exec sleep 1000"]
`;

const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

const containerOf = (pod: V1Pod): string => pod.status?.containerStatuses?.[0]?.containerID ?? "";
