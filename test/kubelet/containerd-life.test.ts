// The kubelet on real containers: one Pod through its whole life on a private containerd, with the kubelet stopped and started in the middle.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Pod } from "../../src/api/generated/core-v1.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { type Cluster, startCluster } from "../../src/cluster/cluster.ts";
import { HostFilesystem } from "../../src/host/node-filesystem.ts";
import { WallClock } from "../../src/host/wall-clock.ts";
import { HostNetwork } from "../../src/network/host/host-network.ts";
import { openCriRuntime } from "../../src/runtimes/cri/cri-runtime.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import { pod } from "../../src/testing/builders.ts";
import { containerdAbsence, type PrivateContainerd, startContainerd } from "../containerd/containerd.ts";

const absence = containerdAbsence();
const clock = new WallClock();
let containerd: PrivateContainerd | undefined;
let cluster: Cluster | undefined;

afterAll(async () => {
  await cluster?.stop();
  await containerd?.stop();
});

describe.skipIf(absence !== undefined)(`a Pod on containerd${absence === undefined ? "" : ` (${absence})`}`, () => {
  it("lives its whole life: init, startup, readiness, hooks, a crash, an absent kubelet, a graceful end", async () => {
    containerd = await startContainerd();
    const { endpoint, images, scratch } = containerd;
    for (const folder of ["root", "logs", "shared"]) mkdirSync(join(scratch, folder), { recursive: true });
    cluster = await startCluster({
      clock,
      random: new SeededRandom(1),
      store: new MemoryStore({ clock }),
      authorityCertificate: "none",
      log: () => undefined,
    });
    const running = cluster;
    const addNode = async () =>
      running.addNode({
        node: {
          name: "here",
          labels: {},
          addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
          capacity: { cpu: "2", memory: "2Gi", pods: "110" },
          systemInfo: {
            machineID: "m",
            systemUUID: "s",
            bootID: "b",
            kernelVersion: "k",
            osImage: "o",
            operatingSystem: "linux",
            architecture: "amd64",
          },
          rootDirectory: join(scratch, "root"),
          podLogsDirectory: join(scratch, "logs"),
          clusterDomain: "cluster.local",
        },
        runtime: await openCriRuntime({ endpoint, clock }),
        network: new HostNetwork(),
        filesystem: new HostFilesystem(),
      });
    await addNode();
    const client = running.client({ username: "admin", groups: ["system:masters"] }, "test");
    const seen: Pod[] = [];
    let gone: () => void = () => undefined;
    const waiting: { readonly is: (pod: Pod) => boolean; readonly met: (pod: Pod) => void }[] = [];
    await client.pods.watch(
      {},
      {
        event: ({ type, object }) => {
          if (type === "BOOKMARK") return;
          seen.push(object);
          for (const wait of waiting.filter(({ is }) => type !== "DELETED" && is(object))) wait.met(object);
          if (type === "DELETED") gone();
        },
        closed: () => undefined,
      },
    );
    const until = (is: (pod: Pod) => boolean): Promise<Pod> => new Promise((met) => waiting.push({ is, met }));
    const isReady =
      (restarts: number) =>
      (object: Pod): boolean =>
        object.status.containerStatuses?.[0]?.restartCount === restarts &&
        object.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

    const firstReady = until(isReady(0));
    const web =
      "mkdir -p /www; echo ok > /www/index.html; cat /shared/greeting; trap 'echo bye; exit 0' TERM; httpd -p 8080 -h /www; while [ ! -e /tmp/crash ]; do sleep 0.1; done; echo oops > /dev/termination-log; exit 7";
    const mounts = [{ name: "shared", mountPath: "/shared" }];
    await client.pods.create(
      pod("web", {
        terminationGracePeriodSeconds: 10,
        volumes: [{ name: "shared", emptyDir: {} }],
        initContainers: [
          {
            name: "init",
            image: images.busybox,
            command: ["sh", "-c", "echo hello > /shared/greeting"],
            volumeMounts: mounts,
          },
        ],
        containers: [
          {
            name: "web",
            image: images.busybox,
            command: ["sh", "-c", web],
            volumeMounts: mounts,
            startupProbe: { httpGet: { port: 8080 }, periodSeconds: 1, failureThreshold: 30 },
            readinessProbe: { exec: { command: ["test", "-e", "/www/index.html"] }, periodSeconds: 1 },
            lifecycle: {
              postStart: { exec: { command: ["sh", "-c", "echo started > /shared/started"] } },
              preStop: { exec: { command: ["sh", "-c", "echo stopping > /shared/stopping"] } },
            },
          },
        ],
      }),
      "default",
    );
    const ready = await firstReady;
    expect(ready.status.podIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(ready.status.initContainerStatuses?.[0]?.state?.terminated?.exitCode).toBe(0);

    const id = ready.status.containerStatuses?.[0]?.containerID;
    await running.stopNode("here");
    await addNode();
    const runtime = await openCriRuntime({ endpoint, clock });
    const crashed = until(isReady(1));
    const [own] = (await runtime.runtime.listContainers()).filter(
      ({ metadata, state }) => metadata.name === "web" && state.kind === "running",
    );
    expect(`containerd://${own?.id}`).toBe(id);
    await runtime.runtime.execSync((own as NonNullable<typeof own>).id, ["touch", "/tmp/crash"]);
    const again = await crashed;
    expect(again.status.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({
      exitCode: 7,
      reason: "Error",
      message: "oops\n",
      containerID: id,
    });

    const logs = await readLog(running);
    expect(logs).toBe("hello\n");

    const ended = new Promise<void>((resolve) => {
      gone = resolve;
    });
    await client.pods.delete("web", "default");
    await ended;
    expect(seen.at(-1)?.status.phase).toBe("Succeeded");
    await running.stopNode("here");
    await addNode();
    for (let look = 0; look < 100; look++) {
      if ((await runtime.runtime.listPodSandboxes()).length === 0) break;
      await new Promise((resolve) => clock.setTimer(50 as never, () => resolve(undefined)));
    }
    expect(await runtime.runtime.listPodSandboxes()).toEqual([]);
    expect(await runtime.runtime.listContainers()).toEqual([]);
    await runtime.close();
  }, 90_000);
});

async function readLog(cluster: Cluster): Promise<string> {
  const response = await cluster.handle({
    method: "GET",
    path: "/api/v1/namespaces/default/pods/web/log",
    query: new URLSearchParams(),
    headers: {},
    user: { username: "admin", groups: ["system:masters"] },
  });
  if (response.body.kind !== "byteStream") throw new Error(JSON.stringify(response.body));
  let text = "";
  for await (const chunk of response.body.chunks) text += new TextDecoder().decode(chunk);
  return text;
}
