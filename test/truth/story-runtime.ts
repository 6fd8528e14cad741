// A real runtime in whose containers the declared programs run. Everything else goes to the real one as it is; how long it takes is written down.

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Clock, type Instant, type Millis, millis } from "../../src/base/time.ts";
import type {
  ContainerConfig,
  ContainerId,
  ContainerRuntime,
  ContainerStatus,
  ImageService,
  PodSandboxConfig,
  RuntimeEvent,
  RuntimeService,
  SandboxId,
} from "../../src/runtimes/runtime-service.ts";
import type { ContainerBehaviour, ImageBehaviour } from "../../src/runtimes/simulated/behaviour.ts";
import { type Program, programOf } from "./behaviour-program.ts";
import type { StoryDemands } from "./demands.ts";
import { NotToldError } from "./not-told.ts";
import type { RuntimeWork, WorkKind } from "./runtime-work.ts";

/** What the story's images are on a runtime. */
export interface StoryImages {
  /** The real reference in place of the story's, to ask whether it is there. */
  presentReference(image: string): string;
  /** The same, to pull. */
  pullReference(image: string): string;
  /** Time that a pull is declared to take. */
  pullTimeOf(image: string): Millis;
  behaviourOf(image: string): ImageBehaviour | undefined;
}

export interface StoryRuntimeParts {
  readonly inner: ContainerRuntime;
  readonly images: StoryImages;
  readonly demands: StoryDemands;
  readonly work: RuntimeWork;
  readonly clock: Clock;
  /** Programs are written below this folder. */
  readonly folder: string;
  /** Containers have file systems of their own. */
  readonly hasContainers: boolean;
  readonly portFor: (port: number) => number;
  readonly horizon: Millis;
  /** Told of a behaviour that cannot be had. */
  readonly refuse: (error: Error) => void;
}

const homeInContainer = "/story";
const defaultTerminationMessagePath = "/dev/termination-log";
const terminationMessageAnnotation = "io.kubernetes.container.terminationMessagePath";
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Enough for busybox, and soon used up. */
const oomLimitBytes = 24 * 1024 * 1024;

/** What is known of a container that was made here. */
interface Made {
  readonly podUid: string;
  readonly image: string;
  readonly behaviour: ContainerBehaviour;
}

export class StoryRuntime {
  readonly sandboxes = new Set<SandboxId>();
  readonly #parts: StoryRuntimeParts;
  readonly #podOf = new Map<SandboxId, string>();
  readonly #made = new Map<ContainerId, Made>();
  #count = 0;

  constructor(parts: StoryRuntimeParts) {
    this.#parts = parts;
  }

  asContainerRuntime(): ContainerRuntime {
    const { inner } = this.#parts;
    return {
      runtime: overriding(inner.runtime, this.#runtimeCalls(inner.runtime)),
      images: overriding(inner.images, this.#imageCalls(inner.images)),
      close: () => inner.close(),
    };
  }

  /** The runtime as if it had nothing but what was made here. */
  ownRuntime(): RuntimeService {
    const { runtime } = this.asContainerRuntime();
    return overriding(runtime, {
      listContainers: async (filter) => (await runtime.listContainers(filter)).filter(({ id }) => this.#made.has(id)),
      listPodSandboxes: async (labels) =>
        (await runtime.listPodSandboxes(labels)).filter(({ id }) => this.sandboxes.has(id)),
    });
  }

  #imageCalls(images: ImageService): Partial<ImageService> {
    const own = this.#parts.images;
    return {
      imageStatus: async ({ image }) => {
        const { hasContainers, refuse } = this.#parts;
        if (!hasContainers && own.behaviourOf(image) === undefined)
          refuse(new NotToldError("processes have no images"));
        return images.imageStatus({ image: own.presentReference(image) });
      },
      pullImage: async ({ image }, auths, sandboxConfig) => {
        const call = images.pullImage({ image: own.pullReference(image) }, auths, sandboxConfig);
        return this.#timed("pull", sandboxConfig.metadata.uid, call, own.pullTimeOf(image));
      },
    };
  }

  #runtimeCalls(runtime: RuntimeService): Partial<RuntimeService> {
    const subscribe = runtime.subscribe?.bind(runtime);
    return {
      runPodSandbox: async (config) => {
        const id = await this.#timed("sandbox", config.metadata.uid, runtime.runPodSandbox(config));
        this.#podOf.set(id, config.metadata.uid);
        this.sandboxes.add(id);
        return id;
      },
      stopPodSandbox: async (id) => this.#timed("remove", this.#podOf.get(id), runtime.stopPodSandbox(id)),
      removePodSandbox: async (id) => this.#timed("remove", this.#podOf.get(id), runtime.removePodSandbox(id)),
      createContainer: async (sandboxId, config, sandboxConfig) => {
        const podUid = sandboxConfig.metadata.uid;
        const behaviour = await this.#timed("program", podUid, this.#behaviourOf(config, sandboxConfig));
        const dressed = await this.#timed("program", podUid, this.#dressed(config, behaviour));
        const id = await this.#timed("create", podUid, runtime.createContainer(sandboxId, dressed, sandboxConfig));
        this.#made.set(id, { podUid, image: config.userSpecifiedImage, behaviour });
        return id;
      },
      startContainer: async (id) => this.#timed("start", this.#made.get(id)?.podUid, runtime.startContainer(id)),
      stopContainer: async (id, timeout) => {
        const from = this.#parts.clock.now();
        await runtime.stopContainer(id, timeout);
        const to = this.#parts.clock.now();
        // What the container took to end is its own affair.
        const ended = await endOf(runtime, id);
        this.#note("stop", this.#made.get(id)?.podUid, Math.max(from, ended ?? from) as Instant, to);
      },
      containerStatus: async (id) => this.#named(await runtime.containerStatus(id)),
      listContainers: async (filter) => (await runtime.listContainers(filter)).map((status) => this.#named(status)),
      execSync: async (id, command, timeout) => {
        const made = this.#made.get(id);
        const declared = execDelay(made?.behaviour, command);
        const ownTime = millis(Math.min(declared, timeout ?? declared));
        return this.#timed("exec", made?.podUid, runtime.execSync(id, command, timeout), ownTime);
      },
      ...(subscribe !== undefined && {
        subscribe: (listener) =>
          subscribe({
            event: (event) => {
              if (event.kind === "containerExited") void this.#noteEnd(runtime, event, this.#parts.clock.now());
              listener.event(event);
            },
            lost: (reason) => listener.lost(reason),
          }),
      }),
    };
  }

  async #noteEnd(runtime: RuntimeService, event: RuntimeEvent, at: Instant): Promise<void> {
    const { containerId } = event as { readonly containerId?: ContainerId };
    const made = containerId === undefined ? undefined : this.#made.get(containerId);
    if (containerId === undefined || made === undefined) return;
    const ended = await endOf(runtime, containerId);
    if (ended !== undefined) this.#note("news of an end", made.podUid, ended, at);
  }

  /** @param ownTime of the call that is not the runtime's, but declared */
  async #timed<T>(kind: WorkKind, podUid: string | undefined, call: Promise<T>, ownTime = millis(0)): Promise<T> {
    const from = this.#parts.clock.now();
    try {
      return await call;
    } finally {
      const to = this.#parts.clock.now();
      this.#note(kind, podUid, Math.min(from + ownTime, to) as Instant, to);
    }
  }

  #note(kind: WorkKind, podUid: string | undefined, from: Instant, to: Instant): void {
    if (podUid !== undefined) this.#parts.work.add({ kind, podUid, from, to });
  }

  /** The story's own name for the image that a container was made from. */
  #named(status: ContainerStatus): ContainerStatus {
    const made = this.#made.get(status.id);
    return made === undefined ? status : { ...status, image: made.image };
  }

  async #behaviourOf(config: ContainerConfig, sandboxConfig: PodSandboxConfig): Promise<ContainerBehaviour> {
    const image = this.#parts.images.behaviourOf(config.userSpecifiedImage) ?? {};
    if (image.behaves === undefined) return image;
    const onNode = (path: string): string | undefined => {
      const mount = config.mounts.find(({ containerPath }) => path.startsWith(`${containerPath}/`));
      return mount && mount.hostPath + path.slice(mount.containerPath.length);
    };
    const { readFile } = await import("node:fs/promises");
    return await image.behaves({
      config,
      sandboxConfig,
      turn: config.metadata.attempt,
      readFile: async (path) => {
        const place = onNode(path);
        return place === undefined ? undefined : await readFile(place).catch(() => undefined);
      },
    });
  }

  async #dressed(config: ContainerConfig, behaviour: ContainerBehaviour): Promise<ContainerConfig> {
    const { folder, hasContainers, demands, portFor, horizon } = this.#parts;
    const place = join(folder, `${config.metadata.name}-${config.metadata.attempt}-${this.#count++}`);
    const home = hasContainers ? homeInContainer : place;
    let program: Program;
    try {
      program = programOf({
        behaviour,
        demands: demands.of(config.metadata.name),
        turn: config.metadata.attempt,
        home,
        portFor,
        terminationMessagePath: config.annotations[terminationMessageAnnotation] ?? defaultTerminationMessagePath,
        horizon,
      });
    } catch (error) {
      this.#parts.refuse(error as Error);
      throw error;
    }
    await mkdir(place, { recursive: true });
    // Programs of other users write there, too.
    await chmod(place, 0o777);
    for (const [path, text] of program.files) {
      const file = join(place, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { mode: 0o755 });
    }
    const { resources } = config;
    return {
      ...config,
      command: program.command,
      args: [],
      envs: [...config.envs, { key: "PATH", value: `${home}/bin:${searchPath}` }],
      ...(hasContainers && {
        mounts: [
          ...config.mounts,
          { containerPath: homeInContainer, hostPath: place, readonly: false, propagation: "None" as const },
        ],
      }),
      ...(behaviour.oomAfter !== undefined && { resources: { ...resources, memoryLimitInBytes: oomLimitBytes } }),
    };
  }
}

/** The time that a command is declared to take. */
function execDelay(behaviour: ContainerBehaviour | undefined, command: readonly string[]): Millis {
  const { exec } = behaviour ?? {};
  const declared = exec === undefined || typeof exec === "function" ? undefined : exec[command.join(" ")];
  return (declared !== undefined && typeof declared !== "function" && declared.delay) || millis(0);
}

async function endOf(runtime: RuntimeService, id: ContainerId): Promise<Instant | undefined> {
  try {
    const { state } = await runtime.containerStatus(id);
    return state.kind === "exited" ? state.finishedAt : undefined;
  } catch {
    return undefined; // removed meanwhile
  }
}

/** The object with some of its calls replaced. */
function overriding<T extends object>(inner: T, calls: Partial<T>): T {
  return new Proxy(inner, {
    get(target, key) {
      const own: unknown = Reflect.get(calls, key);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}
