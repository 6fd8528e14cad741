// containerd dies and comes back while Pods run: what is told of them is true again, and nothing was started twice.

import type { V1ContainerStatus, V1Node, V1Pod } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { containerdAbsence, type PrivateContainerd, startContainerd } from "../containerd/containerd.ts";
import { until } from "../containerd/until.ts";
import { lifepod } from "./lifepod-process.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { processesWith } from "./traces.ts";

const absence = containerdAbsence();

describe("when containerd dies", () => {
  let containerd: PrivateContainerd;
  let cluster: StandingCluster;

  beforeAll(async () => {
    if (absence !== undefined) return;
    containerd = await startContainerd();
    cluster = await StandingCluster.start(["--runtime", "containerd", "--runtime-endpoint", containerd.endpoint]);
  });
  afterAll(async () => {
    await cluster?.stop();
    await containerd?.stop();
  });

  it("Pods go on, the node says that it is not Ready, and all is told truly when it is back", {
    timeout: 90_000,
  }, async (test) => {
    test.skip(absence !== undefined, absence);
    const mark = (name: string): string => `MARK=${cluster.folder}/${name}`;
    const pod = (name: string, script: string): V1Pod => ({
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 2,
        containers: [
          {
            name: "main",
            image: containerd.images.busybox,
            command: ["sh", "-c", script],
            env: [{ name: "MARK", value: `${cluster.folder}/${name}` }],
          },
        ],
      },
    });
    await Promise.all([
      cluster.create(pod("stays", "exec sleep 1000")),
      cluster.create(pod("dies", "exec sleep 1000")),
      cluster.create(pod("deleted", "exec sleep 1000")),
    ]);
    const stays = await cluster.until("stays", "is Ready", isReady);
    for (const name of ["dies", "deleted"]) await cluster.until(name, "is Ready", isReady);
    const processes = processesWith(mark("stays"));

    await containerd.end("SIGKILL");
    await until(
      "the node is NotReady",
      async () => (ready(await node(cluster))?.status === "False" ? true : undefined),
      seconds(30),
    );
    expect(ready(await node(cluster))).toMatchObject({ reason: "KubeletNotReady" });
    for (const { pid } of processesWith(mark("dies"))) process.kill(pid, "SIGKILL");
    await cluster.delete("deleted");
    await cluster.create(pod("late", "exec sleep 1000"));

    await containerd.begin();
    await until(
      "the node is Ready",
      async () => (ready(await node(cluster))?.status === "True" ? true : undefined),
      seconds(30),
    );
    const again = await cluster.until(
      "dies",
      "was restarted",
      (each) => isReady(each) && main(each).restartCount === 1,
    );
    expect(main(again).lastState?.terminated?.exitCode).toBe(137);
    await cluster.untilGone("deleted");
    await cluster.until("late", "is Ready", isReady, seconds(60));
    const still = await cluster.until("stays", "is Ready", isReady);
    expect(main(still)).toEqual(main(stays));
    expect(processesWith(mark("stays"))).toEqual(processes);
    expect(processesWith(mark("deleted"))).toEqual([]);
  });

  it("lifepod does not start over it, and does not run its Pods as something else meanwhile", {
    timeout: 60_000,
  }, async (test) => {
    test.skip(absence !== undefined, absence);
    await cluster.end("SIGTERM");
    await containerd.end("SIGTERM");
    const refused = await lifepod(["up", "--data", cluster.data, "--port", "0"]);
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^lifepod: no container runtime answers CRI calls \(.*\); start containerd, .*\n$/);
    await containerd.begin();
    await cluster.up();
    await cluster.until("stays", "is Ready", isReady);
  });
});

const node = async (cluster: StandingCluster): Promise<V1Node> => cluster.api.readNode({ name: cluster.facts.node });
const ready = (each: V1Node) => each.status?.conditions?.find(({ type }) => type === "Ready");

const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

function main(pod: V1Pod): V1ContainerStatus {
  const status = pod.status?.containerStatuses?.[0];
  if (status === undefined) throw new Error(`${pod.metadata?.name} has no container status`);
  return status;
}
