// The floor under the life of a Pod: what a runtime's own calls cost when nothing else is done. The kubelet's numbers are read beside it.

import { join } from "node:path";
import type { Clock, Millis } from "../base/time.ts";
import { millis, seconds } from "../base/time.ts";
import type {
  ContainerConfig,
  ContainerId,
  ContainerRuntime,
  PodSandboxConfig,
  SandboxId,
} from "../runtimes/runtime-service.ts";

export interface FloorOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  /** An image that is present and has a `sleep`. */
  readonly image: string;
  /** Host folder for the logs; it is left for the caller to remove. */
  readonly logDirectory: string;
  /** How many sandboxes with one container each, one after the other. */
  readonly count: number;
}

/** Milliseconds, one a run. */
export interface RuntimeFloor {
  readonly runPodSandbox: readonly number[];
  readonly createContainer: readonly number[];
  readonly startContainer: readonly number[];
  /** The three before, as one: the least time from a Pod's arrival to its running container. */
  readonly start: readonly number[];
  /** StopPodSandbox with a running container in it. */
  readonly stopPodSandbox: readonly number[];
  readonly removePodSandbox: readonly number[];
  /** The two before, as one: the least time of a deletion. */
  readonly end: readonly number[];
}

/** Runs and removes sandboxes one after the other and says how long each call took. */
export async function measureRuntimeFloor(options: FloorOptions): Promise<RuntimeFloor> {
  const samples: Record<keyof RuntimeFloor, number[]> = {
    runPodSandbox: [],
    createContainer: [],
    startContainer: [],
    start: [],
    stopPodSandbox: [],
    removePodSandbox: [],
    end: [],
  };
  const { runtime } = options.runtime;
  const timed = async <T>(call: keyof RuntimeFloor, work: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    samples[call].push(performance.now() - from);
    return result;
  };
  for (let n = 0; n < options.count; n++) {
    const sandbox = sandboxConfig(options, `floor-${n}`);
    const id = await timed("start", () => startOne(options, sandbox, timed));
    await timed("end", async () => {
      await timed("stopPodSandbox", () => runtime.stopPodSandbox(id));
      await timed("removePodSandbox", () => runtime.removePodSandbox(id));
    });
  }
  return samples;
}

export interface ParallelFloor {
  /** From the first call until the last container runs. */
  readonly all: Millis;
  readonly perSecond: number;
}

/** Starts `count` sandboxes with one container each, `parallel` at a time, and removes them afterwards. */
export async function measureParallelFloor(options: FloorOptions, parallel: number): Promise<ParallelFloor> {
  const { clock, count } = options;
  const started: SandboxId[] = [];
  let next = 0;
  const startRest = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) {
      started.push(await startOne(options, sandboxConfig(options, `parallel-${n}`), (_call, work) => work()));
    }
  };
  try {
    const from = clock.now();
    await Promise.all(Array.from({ length: parallel }, startRest));
    const all = millis(clock.now() - from);
    return { all, perSecond: count / (all / 1000) };
  } finally {
    await Promise.all(started.map((id) => options.runtime.runtime.removePodSandbox(id)));
  }
}

type Timed = <T>(call: "runPodSandbox" | "createContainer" | "startContainer", work: () => Promise<T>) => Promise<T>;

async function startOne(
  { runtime: { runtime }, image }: FloorOptions,
  sandbox: PodSandboxConfig,
  timed: Timed,
): Promise<SandboxId> {
  const sandboxId = await timed("runPodSandbox", () => runtime.runPodSandbox(sandbox));
  const id: ContainerId = await timed("createContainer", () =>
    runtime.createContainer(sandboxId, containerConfig(image), sandbox),
  );
  await timed("startContainer", () => runtime.startContainer(id));
  return sandboxId;
}

const namespaceOptions = { network: "POD", pid: "CONTAINER", ipc: "POD" } as const;

function sandboxConfig({ logDirectory }: FloorOptions, name: string): PodSandboxConfig {
  return {
    metadata: { name, namespace: "bench", uid: name, attempt: 0 },
    hostname: name,
    logDirectory: join(logDirectory, name),
    portMappings: [],
    labels: {},
    annotations: {},
    securityContext: { namespaceOptions },
  };
}

function containerConfig(image: string): ContainerConfig {
  return {
    metadata: { name: "main", attempt: 0 },
    imageRef: image,
    userSpecifiedImage: image,
    command: ["sleep", String(seconds(3600) / 1000)],
    args: [],
    workingDir: "",
    envs: [],
    mounts: [],
    labels: {},
    annotations: {},
    logPath: "main/0.log",
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: {},
    securityContext: { namespaceOptions },
  };
}
