import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod } from "../api/index.ts";
import { millis } from "../base/time.ts";
import { WallClock } from "../host/wall-clock.ts";
import type { ContainerRuntime } from "../runtimes/runtime-service.ts";
import { openProcessRuntime } from "../runtimes/process/process-runtime.ts";
import { openCriRuntime } from "../runtimes/cri/cri-runtime.ts";
import { type StandaloneCluster, startStandaloneCluster } from "../standalone/standalone-cluster.ts";
import { latencies, type Measurement } from "./measurement.ts";
import { measureRuntimeFloor } from "./runtime-floor.ts";

const runs = 30;
const clock = new WallClock();
/** Where a containerd to measure listens, and an image in it that has sh; set by who runs the benchmark. */
const endpoint = process.env.LIFEPOD_BENCH_CONTAINERD ?? "/run/containerd/containerd.sock";
const image = process.env.LIFEPOD_BENCH_IMAGE ?? "docker.io/library/busybox:1.36";

/** Create → Ready on a watch, and delete → DELETED on a watch, one Pod at a time, beside the runtime's own calls; then 110 process Pods at once. */
export async function measurePods(): Promise<readonly Measurement[]> {
  const measurements = [...(await measureRuntime("process")), ...(await measureBurst("process", 110))];
  if (!existsSync(endpoint)) {
    process.stdout.write(
      `  no containerd at ${endpoint} (LIFEPOD_BENCH_CONTAINERD names another): its Pods are not measured\n`,
    );
    return measurements;
  }
  return [...measurements, ...(await measureRuntime("containerd")), ...(await measureBurst("containerd", 100))];
}

type RuntimeName = "process" | "containerd";

async function measureRuntime(runtime: RuntimeName): Promise<readonly Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), "lifepod-bench-"));
  const cluster = await startCluster(runtime, join(folder, "cluster"));
  const starts: number[] = [];
  const ends: number[] = [];
  await lifeOf(cluster, "warm-up");
  for (let run = 0; run < runs; run++) {
    const life = await lifeOf(cluster, `bench-${run}`);
    starts.push(life.start);
    ends.push(life.end);
  }
  await cluster.stop({ pods: "end" });
  const floor = await floorOf(runtime, join(folder, "floor"));
  await rm(folder, { recursive: true, force: true });
  const against =
    (values: { p50: number; p99: number }): ((row: Measurement, index: number) => Measurement) =>
    (row, index) => ({
      ...row,
      floor: { value: index === 0 ? values.p50 : values.p99, what: "the runtime's own calls" },
    });
  return [
    ...latencies(`${runtime} Pod, create → Ready`, starts).map(against(floor.start)),
    ...latencies(`${runtime} Pod, delete → DELETED`, ends).map(against(floor.end)),
  ];
}

async function measureBurst(runtime: RuntimeName, count: number): Promise<readonly Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), "lifepod-bench-"));
  const cluster = await startCluster(runtime, folder);
  const begun = performance.now();
  const names = Array.from({ length: count }, (_, index) => `burst-${index}`);
  await Promise.all(names.map((name) => cluster.client.pods.create(manifest(name), "default")));
  await Promise.all(names.map((name) => seen(cluster, name, isReady)));
  const took = (performance.now() - begun) / 1000;
  await cluster.stop({ pods: "end" });
  await rm(folder, { recursive: true, force: true });
  return [
    {
      what: `${count} ${runtime} Pods at once, all Ready`,
      value: took,
      unit: "s",
      note: `${(count / took).toFixed(1)} Pods/s`,
    },
  ];
}

function startCluster(runtime: RuntimeName, folder: string): Promise<StandaloneCluster> {
  return startStandaloneCluster({
    folder,
    durable: true,
    host: "127.0.0.1",
    port: 0,
    runtime,
    ...(runtime === "containerd" && { runtimeEndpoint: endpoint }),
    log: (message) => process.stderr.write(`${message}\n`),
  });
}

async function floorOf(runtime: RuntimeName, folder: string): Promise<Awaited<ReturnType<typeof measureRuntimeFloor>>> {
  const opened: ContainerRuntime =
    runtime === "process"
      ? await openProcessRuntime({ stateDirectory: join(folder, "state"), clock })
      : await openCriRuntime({ endpoint, clock });
  const floor = await measureRuntimeFloor({
    runtime: opened,
    clock,
    image,
    logDirectory: join(folder, "logs"),
    count: runs,
  });
  await opened.close();
  return floor;
}

const manifest = (name: string): Record<string, unknown> => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  // Ends at TERM at once: what is measured is lifepod and the runtime, not the container.
  spec: {
    containers: [
      {
        name: "app",
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"],
      },
    ],
  },
});

async function lifeOf(cluster: StandaloneCluster, name: string): Promise<{ start: number; end: number }> {
  const created = performance.now();
  const ready = seen(cluster, name, isReady);
  await cluster.client.pods.create(manifest(name), "default");
  await ready;
  const start = performance.now() - created;
  const deleted = performance.now();
  const gone = seen(cluster, name, (pod) => pod === undefined);
  await cluster.client.pods.delete(name, "default");
  await gone;
  return { start, end: performance.now() - deleted };
}

const isReady = (pod: Pod | undefined): boolean =>
  pod?.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** Resolves as soon as a watch shows the Pod in the state; `undefined` stands for a deleted one. */
async function seen(cluster: StandaloneCluster, name: string, state: (pod: Pod | undefined) => boolean): Promise<void> {
  let stop: (() => void) | undefined;
  await new Promise<void>((resolve, reject) => {
    cluster.client.pods
      .watch(
        { namespace: "default", fieldSelector: `metadata.name=${name}` },
        {
          event: ({ type, object }) => {
            if (state(type === "DELETED" ? undefined : object)) resolve();
          },
          closed: () => reject(new Error(`the watch of ${name} ended`)),
        },
      )
      .then((watch) => {
        stop = watch.stop;
      }, reject);
  });
  // The state may be there before the watch has been handed over.
  await clock.sleep(millis(0));
  stop?.();
}
