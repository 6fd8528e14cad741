import type { EndpointSlice, Pod } from "../api/index.ts";
import { SeededRandom } from "../base/random.ts";
import type { Client } from "../client/client.ts";
import { startCluster } from "../cluster/cluster.ts";
import { WallClock } from "../host/wall-clock.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { pod } from "../testing/builders.ts";
import { latencies, type Measurement } from "./measurement.ts";

const podCount = 1000;
const flips = 300;

/** From the write of a Pod's readiness to the slice that says so on a watch: API server, store in memory and all controllers on one thread. */
export async function measureServices(): Promise<readonly Measurement[]> {
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
  const slices = await SliceWatch.start(client);
  const begun = performance.now();
  await client.services.create(
    { metadata: { name: "web" }, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } },
    "default",
  );
  for (let index = 0; index < podCount; index++) {
    await client.pods.create(pod(`pod-${index}`, { image: "any:1", labels: { app: "web" } }), "default");
    await setReady(client, index, true);
  }
  await slices.until((endpoints) => endpoints.size === podCount);
  const filled = performance.now() - begun;

  const took: number[] = [];
  for (let flip = 0; flip < flips; flip++) {
    const index = (Math.floor(flip / 2) * 37) % podCount; // away, and back again
    const wanted = flip % 2 === 1;
    const at = performance.now();
    const told = slices.until((endpoints) => endpoints.get(`pod-${index}`) === wanted);
    await setReady(client, index, wanted);
    await told;
    took.push(performance.now() - at);
  }
  slices.stop();
  await cluster.stop();
  return [
    { what: `${podCount} Pods created, made Ready and listed in slices`, value: filled / 1000, unit: "s" },
    ...latencies(`readiness written → slice seen, ${podCount} Pods`, took),
  ];
}

async function setReady(client: Client, index: number, ready: boolean): Promise<Pod> {
  const ip = `10.244.${Math.floor(index / 250)}.${(index % 250) + 1}`;
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const condition = { type: "Ready", status: ready ? "True" : "False", lastTransitionTime: now };
  const status = { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions: [condition] };
  return client.pods.patch(`pod-${index}`, "default", "strategic", { status }, "status");
}

/** Which Pods are listed, and whether as ready, as a watcher of the slices sees it. */
class SliceWatch {
  readonly #bySlice = new Map<string, EndpointSlice>();
  #stop: () => void = () => undefined;
  #wake: () => void = () => undefined;

  static async start(client: Client): Promise<SliceWatch> {
    const watch = new SliceWatch();
    const labelSelector = "kubernetes.io/service-name=web";
    const started = await client.endpointSlices.watch(
      { namespace: "default", labelSelector },
      { event: (event) => watch.#see(event.type, event.object), closed: () => undefined },
    );
    watch.#stop = () => started.stop();
    return watch;
  }

  until(state: (endpoints: ReadonlyMap<string, boolean>) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!state(this.#endpoints())) return;
        this.#wake = () => undefined;
        resolve();
      };
      this.#wake = look;
      look();
    });
  }

  stop(): void {
    this.#stop();
  }

  #see(type: string, slice: EndpointSlice): void {
    if (type === "BOOKMARK") return;
    if (type === "DELETED") this.#bySlice.delete(slice.metadata.name);
    else this.#bySlice.set(slice.metadata.name, slice);
    this.#wake();
  }

  #endpoints(): ReadonlyMap<string, boolean> {
    const endpoints = [...this.#bySlice.values()].flatMap((slice) => slice.endpoints);
    return new Map(
      endpoints.map(({ targetRef, conditions }) => [targetRef?.name ?? "", conditions?.ready === true] as const),
    );
  }
}
