// A cluster of a story on this machine: all parts of lifepod on the machine's clock, its nodes' kubelets on a real runtime.

import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Status } from "../../src/api/index.ts";
import type { ApiBody, UserInfo } from "../../src/api/wire/request.ts";
import { StatusError } from "../../src/api/wire/status-error.ts";
import type { Random } from "../../src/base/random.ts";
import { type Instant, type Millis, millis } from "../../src/base/time.ts";
import type { Client } from "../../src/client/client.ts";
import { type Cluster, startCluster } from "../../src/cluster/cluster.ts";
import { HostFilesystem } from "../../src/host/node-filesystem.ts";
import { entropicRandom } from "../../src/host/wall-clock.ts";
import { HostNetwork } from "../../src/network/host/host-network.ts";
import type { PodNetwork } from "../../src/network/pod-network.ts";
import type { ContainerRuntime, RuntimeService } from "../../src/runtimes/runtime-service.ts";
import type { ImageBehaviour } from "../../src/runtimes/simulated/behaviour.ts";
import type { SimulatedNode, SimulatedNodeOptions } from "../../src/simulation/simulated-cluster.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import type { StoryCluster } from "../../src/testing/story.ts";
import type { StoryDemands } from "./demands.ts";
import type { Machine, MachineImages } from "./machine.ts";
import { NotToldError } from "./not-told.ts";
import { RuntimeWork } from "./runtime-work.ts";
import { StoryRuntime } from "./story-runtime.ts";

export interface MachineClusterOptions {
  readonly machine: Machine;
  /** Of the story; keeps its folders, images and ports apart from those of others. */
  readonly number: number;
  readonly demands: StoryDemands;
  readonly horizon: Millis;
  /** Told of what the story does to nodes. */
  readonly onAct: () => void;
}

const administrator: UserInfo = { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };

/** How long something that happened is looked for at most while nothing moves. */
const patience = millis(50);

export class MachineCluster implements StoryCluster {
  readonly clock: StoryCluster["clock"];
  readonly random: Random;
  readonly client: Client;
  readonly nodes = new Map<string, SimulatedNode>();
  readonly work = new RuntimeWork();
  readonly complaints: string[];
  readonly #options: MachineClusterOptions;
  readonly #cluster: Cluster;
  readonly #store: MemoryStore;
  readonly #folder: string;
  readonly #images: MachineImages;
  readonly #behaviours = new Map<string, ImageBehaviour>();
  readonly #runtimes: { readonly story: StoryRuntime; readonly runtime: ContainerRuntime }[] = [];
  #refused: Error | undefined;

  get ground(): never {
    throw new NotToldError("it makes the machine fail on purpose");
  }

  private constructor(
    options: MachineClusterOptions,
    cluster: Cluster,
    store: MemoryStore,
    random: Random,
    complaints: string[],
  ) {
    const { clock } = options.machine;
    this.clock = {
      now: () => clock.now(),
      sleep: (wait, signal) => clock.sleep(wait, signal),
      setTimer: (wait, fire) => clock.setTimer(wait, fire),
      settle: async () => this.#assertTellable(),
    };
    this.#options = options;
    this.#cluster = cluster;
    this.#store = store;
    this.complaints = complaints;
    this.random = random;
    this.client = cluster.client(administrator, "lifepod-truth");
    this.#folder = join(options.machine.folder, `story-${options.number}`);
    this.#images = options.machine.images(options.number);
  }

  static async start(options: MachineClusterOptions): Promise<MachineCluster> {
    const { clock } = options.machine;
    const random = entropicRandom();
    const store = new MemoryStore({ clock });
    const complaints: string[] = [];
    const log = (message: string): void => {
      complaints.push(message);
    };
    const cluster = await startCluster({ clock, random, store, authorityCertificate: "none", log });
    return new MachineCluster(options, cluster, store, random, complaints);
  }

  image(name: string, behaviour: ImageBehaviour): void {
    this.#images.declare(name, behaviour);
    this.#behaviours.set(name, behaviour);
  }

  async addNode(name: string, _options: SimulatedNodeOptions = {}): Promise<SimulatedNode> {
    const { machine, demands, horizon } = this.#options;
    const folder = join(this.#folder, name);
    await mkdir(folder, { recursive: true });
    const portFor = machine.hasContainers ? same : await movedPorts();
    const story = new StoryRuntime({
      inner: await machine.open(folder),
      images: {
        presentReference: (image) => this.#images.presentReference(image),
        pullReference: (image) => this.#images.pullReference(image),
        pullTimeOf: (image) => this.#behaviours.get(image)?.pullTime ?? millis(0),
        behaviourOf: (image) => this.#behaviours.get(image),
      },
      demands,
      work: this.work,
      clock: machine.clock,
      folder: join(folder, "programs"),
      hasContainers: machine.hasContainers,
      portFor,
      horizon,
      refuse: (error) => {
        this.#refused ??= error;
      },
    });
    const runtime = story.asContainerRuntime();
    this.#runtimes.push({ story, runtime });
    const startKubelet = (): Promise<void> => this.#startKubelet(name, folder, runtime, portFor);
    const node = machineNode(name, story.ownRuntime(), {
      stopKubelet: async () => {
        this.#options.onAct();
        await this.#cluster.stopNode(name);
      },
      startKubelet: async () => {
        this.#options.onAct();
        await startKubelet();
      },
    });
    this.nodes.set(name, node);
    await startKubelet();
    return node;
  }

  async #startKubelet(
    name: string,
    folder: string,
    runtime: ContainerRuntime,
    portFor: (port: number) => number,
  ): Promise<void> {
    // Probes of Pods that share the machine's network must find them there.
    const address = "127.0.0.1";
    await this.#cluster.addNode({
      node: {
        name,
        labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" },
        addresses: [
          { type: "InternalIP", address },
          { type: "Hostname", address: name },
        ],
        capacity: { cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi", pods: "110" },
        systemInfo: {
          machineID: name,
          systemUUID: name,
          bootID: name,
          kernelVersion: "6.1.0",
          osImage: "this machine",
          operatingSystem: "linux",
          architecture: "amd64",
        },
        rootDirectory: join(folder, "kubelet"),
        podLogsDirectory: join(folder, "logs"),
        clusterDomain: "cluster.local",
      },
      runtime,
      network: withPorts(new HostNetwork(), portFor),
      filesystem: new HostFilesystem(),
    });
  }

  async elapse(wait: Millis): Promise<void> {
    await this.clock.sleep(wait);
    this.#assertTellable();
  }

  async step(limit: Instant): Promise<boolean> {
    this.#assertTellable();
    if (this.clock.now() >= limit) return false;
    await this.clock.sleep(millis(Math.min(patience, limit - this.clock.now())));
    return true;
  }

  call<T>(promise: Promise<T>): Promise<T> {
    return promise;
  }

  transcript(): string {
    throw new NotToldError("it reads the simulation's transcript");
  }

  async logs(path: string, options: Readonly<Record<string, string | number | boolean>>): Promise<string> {
    const query = new URLSearchParams(
      Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const answer = await this.#cluster.handle({ method: "GET", path, query, headers: {}, user: administrator });
    if (answer.body.kind === "object") throw new StatusError(answer.body.object as unknown as Status);
    return textOf(answer.body);
  }

  /** Ends all parts, and whatever still runs. */
  async stop(): Promise<void> {
    await this.#cluster.stop();
    await this.#store.close();
    for (const { story, runtime } of this.#runtimes) {
      for (const id of story.sandboxes) await runtime.runtime.removePodSandbox(id);
      await runtime.close();
    }
  }

  #assertTellable(): void {
    if (this.#refused !== undefined) throw this.#refused;
  }
}

/** What a story may do to a machine of its own. */
function machineNode(
  name: string,
  runtime: RuntimeService,
  kubelet: Pick<SimulatedNode, "stopKubelet" | "startKubelet">,
): SimulatedNode {
  return {
    name,
    ...kubelet,
    get faults(): never {
      throw new NotToldError("it makes the machine or its runtime fail on purpose");
    },
    cutOff(): never {
      throw new NotToldError("it cuts the node off on purpose");
    },
    reconnect: () => undefined,
    get filesystem(): never {
      throw new NotToldError("it looks at the simulated disk");
    },
    get network(): never {
      throw new NotToldError("it calls over the simulated network");
    },
    get runtime() {
      return {
        runtime,
        declareImage: () => {
          throw new NotToldError("it changes what is on the machine behind the runtime's back");
        },
      } as unknown as SimulatedNode["runtime"];
    },
  };
}

const same = (port: number): number => port;

/** Below those that the kernel gives to whoever asks for any: a port on which a story's server does not listen yet must stay silent. */
const [firstPort, lastPort] = [15_000, 30_000];
let nextPort = firstPort + (process.pid % (lastPort - firstPort));

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}

/** No story asks for more ports of a Pod. */
const portsOfStory = 6;

/** Processes share the machine's ports, and other programs have theirs. */
async function movedPorts(): Promise<(port: number) => number> {
  const free: number[] = [];
  while (free.length < portsOfStory) {
    nextPort = nextPort >= lastPort ? firstPort : nextPort + 1;
    if (await isFree(nextPort)) free.push(nextPort);
  }
  const moved = new Map<number, number>();
  return (port) => {
    const own = moved.get(port) ?? free[moved.size];
    if (own === undefined) throw new Error(`a story asks for more than ${portsOfStory} ports`);
    moved.set(port, own);
    return own;
  };
}

const withPorts = (network: PodNetwork, portFor: (port: number) => number): PodNetwork => ({
  httpGet: (request) => network.httpGet({ ...request, port: portFor(request.port) }),
  tcpConnect: (host, port, timeout) => network.tcpConnect(host, portFor(port), timeout),
  grpcHealth: (host, port, service, timeout) => network.grpcHealth(host, portFor(port), service, timeout),
});

async function textOf(body: ApiBody): Promise<string> {
  if (body.kind === "text") return body.text;
  if (body.kind === "bytes") return new TextDecoder().decode(body.bytes);
  if (body.kind !== "byteStream") return "";
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
