import type { Node, Pod } from "../api/index.ts";
import { SeededRandom } from "../base/random.ts";
import type { ResourceClient } from "../client/resource-client.ts";
import { startCluster } from "../cluster/cluster.ts";
import { WallClock } from "../host/wall-clock.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { pod } from "../testing/builders.ts";
import type { Measurement } from "./measurement.ts";

const loads = [
  { nodes: 100, pods: 5000 },
  { nodes: 1000, pods: 5000 },
  { nodes: 5000, pods: 5000 },
] as const;

/** From the first create to the last binding: API server, store in memory, controllers and scheduler on one thread, nodes without kubelets. */
export async function measureScheduling(): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const { nodes, pods } of loads) {
    measurements.push({
      what: `${pods} Pods created and bound, ${nodes} nodes`,
      value: await podsPerSecond(nodes, pods),
      unit: "/s",
    });
  }
  return measurements;
}

async function podsPerSecond(nodes: number, pods: number): Promise<number> {
  const cluster = await startCluster({
    clock: new WallClock(),
    random: new SeededRandom(1),
    store: new MemoryStore({ clock: new WallClock() }),
    authorityCertificate: "none",
    log: (message) => process.stderr.write(`${message}\n`),
  });
  const client = cluster.client(
    { username: "bench", groups: ["system:masters", "system:authenticated"] },
    "lifepod-bench",
  );
  const free = seen(client.nodes, nodes, ({ spec }) => (spec.taints ?? []).length === 0);
  for (let index = 0; index < nodes; index++) await client.nodes.create(node(`node-${index}`));
  await free;
  const bound = seen(client.pods, pods, ({ spec }) => spec.nodeName !== undefined);
  const begun = performance.now();
  for (let index = 0; index < pods; index++)
    await client.pods.create(pod(`pod-${index}`, { image: "any:1" }), "default");
  await bound;
  const took = (performance.now() - begun) / 1000;
  await cluster.stop();
  return pods / took;
}

/** Resolves when a watch has shown `count` objects in the state. */
function seen<T extends Pod | Node>(
  resource: ResourceClient<T>,
  count: number,
  state: (object: T) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const names = new Set<string>();
    const event = ({ type, object }: { readonly type: string; readonly object: T }): void => {
      if (type !== "BOOKMARK" && state(object)) names.add(object.metadata.name);
      if (names.size === count) resolve();
    };
    const closed = (): void => reject(new Error("a watch ended"));
    resource.watch({}, { event, closed }).catch(reject);
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
