import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { millis } from "../base/time.ts";
import { WallClock } from "../host/wall-clock.ts";
import type { ContainerRuntime } from "../runtimes/runtime-service.ts";
import { openProcessRuntime } from "../runtimes/process/process-runtime.ts";
import { openCriRuntime } from "../runtimes/cri/cri-runtime.ts";
import { ApiConnection, type WatchedObject } from "./api-connection.ts";
import { type ContainerdAtHand, findContainerd } from "./containerd-at-hand.ts";
import { type LifepodProcess, startLifepod } from "./lifepod-process.ts";
import { latencies, type Measurement, percentile } from "./measurement.ts";
import { measureParallelFloor, measureRuntimeFloor } from "./runtime-floor.ts";

const runs = 50;
const pods = "/api/v1/namespaces/default/pods";
/** A container is Ready when it runs; its shell needs a moment more until it handles TERM, and as process 1 it would ignore it until then. */
const trapTime = millis(250);
const clock = new WallClock();

interface Runtime {
  readonly name: "process" | "containerd";
  readonly endpoint?: string;
  readonly image: string;
  /** How many Pods the burst starts at once. */
  readonly burst: number;
}

/**
 * Over the network, as kubectl would: create → Ready and delete → DELETED on a watch, one Pod at a time; many Pods at once; the first Pod of an empty
 * cluster. Each beside the runtime's own calls.
 */
export async function measurePods(): Promise<readonly Measurement[]> {
  const measurements = await measureRuntime({ name: "process", image: "any:1", burst: 110 });
  const containerd = await findContainerd();
  if (typeof containerd === "string") {
    process.stdout.write(`  ${containerd}: containerd Pods are not measured\n`);
    return measurements;
  }
  try {
    return [...measurements, ...(await measureRuntime(containerdRuntime(containerd)))];
  } finally {
    await containerd.stop();
  }
}

const containerdRuntime = ({ endpoint, image }: ContainerdAtHand): Runtime => ({
  name: "containerd",
  endpoint,
  image,
  burst: 100,
});

async function measureRuntime(runtime: Runtime): Promise<Measurement[]> {
  const { name } = runtime;
  const first = await firstPod(runtime);
  const { starts, ends } = await onePodAfterTheOther(runtime);
  const burst = await manyAtOnce(runtime);
  const folder = await mkdtemp(join(tmpdir(), "lifepod-bench-"));
  const opened = await openRuntime(runtime, folder);
  const options = { runtime: opened, clock, image: runtime.image, logDirectory: join(folder, "logs") };
  const floor = await measureRuntimeFloor({ ...options, count: runs });
  const parallelFloor = await measureParallelFloor({ ...options, count: runtime.burst }, 10);
  await opened.close();
  await rm(folder, { recursive: true, force: true });
  const what = "the runtime's own calls";
  return [
    {
      what: `start of an empty up to its first ${name} Pod Running, p50`,
      value: percentile(first, 50),
      unit: "ms",
      note: `${first.length} runs`,
    },
    ...latencies(`${name} Pod, create → Ready`, starts, { sample: floor.start, what }),
    ...latencies(`${name} Pod, delete → DELETED`, ends, { sample: floor.end, what }),
    {
      what: `${runtime.burst} ${name} Pods at once, all Ready`,
      value: burst,
      unit: "s",
      floor: { value: parallelFloor.all / 1000, what: `${what}, 10 at a time` },
      note: `${(runtime.burst / burst).toFixed(1)} Pods/s`,
    },
  ];
}

async function openRuntime(runtime: Runtime, folder: string): Promise<ContainerRuntime> {
  return runtime.endpoint === undefined
    ? openProcessRuntime({ stateDirectory: join(folder, "state"), clock })
    : openCriRuntime({ endpoint: runtime.endpoint, clock });
}

const start = ({ name, endpoint }: Runtime): Promise<LifepodProcess> =>
  startLifepod({ runtime: name, ...(endpoint !== undefined && { endpoint }) });

/** From the start of the process, milliseconds. */
async function firstPod(runtime: Runtime): Promise<number[]> {
  const sample: number[] = [];
  for (let run = 0; run < 5; run++) {
    const lifepod = await start(runtime);
    const connection = new ApiConnection(lifepod);
    const life = await Lives.watch(connection);
    const running = life.until("first", ({ status }) => status?.phase === "Running");
    await connection.call("POST", pods, manifest("first", runtime.image));
    await running;
    sample.push(performance.now() - lifepod.begun);
    connection.close();
    await lifepod.stop();
  }
  return sample;
}

async function onePodAfterTheOther(runtime: Runtime): Promise<{ starts: number[]; ends: number[] }> {
  const lifepod = await start(runtime);
  const connection = new ApiConnection(lifepod);
  const lives = await Lives.watch(connection);
  const starts: number[] = [];
  const ends: number[] = [];
  for (let run = -2; run < runs; run++) {
    const name = `bench-${run + 2}`;
    const created = performance.now();
    const ready = lives.until(name, isReady);
    await connection.call("POST", pods, manifest(name, runtime.image));
    await ready;
    const readyAt = performance.now();
    await clock.sleep(trapTime);
    const deleted = performance.now();
    const gone = lives.untilDeleted(name);
    await connection.call("DELETE", `${pods}/${name}`);
    await gone;
    if (run < 0) continue; // the node registers, code warms up
    starts.push(readyAt - created);
    ends.push(performance.now() - deleted);
  }
  connection.close();
  await lifepod.stop();
  return { starts, ends };
}

/** Seconds from the first create to the last Ready. */
async function manyAtOnce(runtime: Runtime): Promise<number> {
  const lifepod = await start(runtime);
  const connection = new ApiConnection(lifepod);
  const lives = await Lives.watch(connection);
  const warm = lives.until("warm-up", isReady);
  await connection.call("POST", pods, manifest("warm-up", runtime.image));
  await warm;
  const gone = lives.untilDeleted("warm-up");
  await connection.call("DELETE", `${pods}/warm-up`);
  await gone;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: runtime.burst }, async (_, index) => {
      const ready = lives.until(`burst-${index}`, isReady);
      await connection.call("POST", pods, manifest(`burst-${index}`, runtime.image));
      await ready;
    }),
  );
  const took = (performance.now() - begun) / 1000;
  connection.close();
  await lifepod.stop();
  return took;
}

const manifest = (name: string, image: string): Record<string, unknown> => ({
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

const isReady = ({ status }: WatchedObject): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;

/** Waits for what a watch of the Pods shows. */
class Lives {
  readonly #waiting = new Map<string, (type: string, pod: WatchedObject) => void>();

  static async watch(connection: ApiConnection): Promise<Lives> {
    const lives = new Lives();
    await connection.watch(pods, (type, pod) => lives.#waiting.get(pod.metadata.name)?.(type, pod));
    return lives;
  }

  until(name: string, state: (pod: WatchedObject) => boolean): Promise<void> {
    return this.#until(name, (type, pod) => type !== "DELETED" && state(pod));
  }

  untilDeleted(name: string): Promise<void> {
    return this.#until(name, (type) => type === "DELETED");
  }

  #until(name: string, reached: (type: string, pod: WatchedObject) => boolean): Promise<void> {
    return new Promise((resolve) =>
      this.#waiting.set(name, (type, pod) => {
        if (!reached(type, pod)) return;
        this.#waiting.delete(name);
        resolve();
      }),
    );
  }
}
