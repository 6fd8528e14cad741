import type { Pod } from "../api/index.ts";
import { createApiServer } from "../apiserver/api-server.ts";
import { SeededRandom } from "../base/random.ts";
import { type Client, createClient } from "../client/client.ts";
import { createEventRecorder } from "../client/event-recorder.ts";
import { WallClock } from "../host/wall-clock.ts";
import { startScheduler } from "../scheduler/scheduler.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { pod } from "../testing/builders.ts";
import type { Measurement } from "./measurement.ts";

const loads = [
  { nodes: 100, pods: 5000 },
  { nodes: 1000, pods: 5000 },
  { nodes: 5000, pods: 5000 },
] as const;

/** Pods that wait when the scheduler starts, until the last is bound: API server, store in memory and scheduler on one thread, no kubelets. */
export async function measureScheduling(): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const { nodes, pods } of loads) {
    measurements.push({
      what: `${pods} Pods bound to ${nodes} nodes`,
      value: await podsPerSecond(nodes, pods),
      unit: "/s",
    });
  }
  return measurements;
}

async function podsPerSecond(nodes: number, pods: number): Promise<number> {
  const clock = new WallClock();
  const random = new SeededRandom(1);
  const server = createApiServer({
    store: new MemoryStore({ clock }),
    clock,
    random,
    nodes: {
      containerLogs: async () => ({ kind: "refused", status: 500, message: "no kubelet" }),
      podStream: async () => ({ kind: "refused", status: 500, message: "no kubelet" }),
    },
  });
  await server.start();
  const client = createClient({
    transport: server.handle,
    user: { username: "bench", groups: ["system:masters", "system:authenticated"] },
    userAgent: "lifepod-bench",
    clock,
  });
  await client.serviceAccounts.create({ metadata: { name: "default", namespace: "default" } }, "default");
  for (let index = 0; index < nodes; index++) await client.nodes.create(node(`node-${index}`));
  for (let index = 0; index < pods; index++)
    await client.pods.create(pod(`pod-${index}`, { image: "any:1" }), "default");
  const bound = allBound(client, pods);
  const scheduler = startScheduler({
    client,
    clock,
    random,
    recorder: createEventRecorder({ client, clock, source: { component: "default-scheduler" } }),
  });
  await scheduler.whenSynced();
  const begun = performance.now();
  await bound;
  const took = (performance.now() - begun) / 1000;
  await scheduler.stop();
  await server.stop();
  return pods / took;
}

function allBound(client: Client, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const bound = new Set<string>();
    const event = ({ type, object }: { readonly type: string; readonly object: Pod }): void => {
      if (type !== "BOOKMARK" && object.spec.nodeName !== undefined) bound.add(object.metadata.name);
      if (bound.size === count) resolve();
    };
    const closed = (): void => reject(new Error("the watch of the Pods ended"));
    client.pods.watch({ namespace: "default" }, { event, closed }).catch(reject);
  });
}

const node = (name: string) => {
  const resources = { cpu: "32", memory: "128Gi", pods: "110" };
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", message: "" }],
    },
  };
};
