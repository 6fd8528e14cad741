// A whole cluster on a virtual clock: the very same API server, scheduler, controllers and kubelets as anywhere else, over the store in memory and
// simulated machines. One seed gives one life; the transcript shows it to the byte.

import type { Status } from "../api/index.ts";
import type { ApiBody, JsonObject, RequestHandler, UserInfo } from "../api/wire/request.ts";
import { StatusError } from "../api/wire/status-error.ts";
import { type Random, SeededRandom } from "../base/random.ts";
import { formatNanoTime, hours, type Instant, type Millis } from "../base/time.ts";
import type { Client, Transport } from "../client/client.ts";
import { type Cluster, type ClusterOptions, startCluster } from "../cluster/cluster.ts";
import { AddressRange } from "../network/ipam.ts";
import type { PodNetwork } from "../network/pod-network.ts";
import { NodeView } from "../network/simulated/node-view.ts";
import { SimulatedNetwork } from "../network/simulated/simulated-network.ts";
import type { ImageBehaviour } from "../runtimes/simulated/behaviour.ts";
import type { Latencies, SimulatedFaults } from "../runtimes/simulated/faults.ts";
import { MemoryFilesystem } from "../runtimes/simulated/memory-filesystem.ts";
import type { ContainerRuntime } from "../runtimes/runtime-service.ts";
import {
  createSimulatedRuntime,
  type MachineEvent,
  type SimulatedRuntime,
} from "../runtimes/simulated/simulated-runtime.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Revision, StoreEvent } from "../store/store.ts";
import { BreakableRoad } from "./breakable-road.ts";
import { LimitedStore } from "./limited-store.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface SimulatedClusterOptions {
  readonly seed: number | string;
  /** Resolves when every promise that can settle has settled; the host gives it. */
  readonly settle: () => Promise<void>;
  /** The way of a part to the API server: where faults of the network and of the server are put. */
  readonly transportFor?: ClusterOptions["transportFor"];
  /** Told of every change in the store, in order, inside the transaction that makes it. It must not throw. */
  readonly witness?: (event: StoreEvent) => void;
  /** One of its own if absent. */
  readonly clock?: VirtualClock;
}

export interface SimulatedNodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** Quantities; 4 CPUs, 8Gi and 110 Pods unless told otherwise. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly latencies?: Latencies;
  /** Runs a proxy: calls from the node's `network` reach Services by their addresses. */
  readonly services?: boolean;
  /** The folder of the node's static Pods. */
  readonly staticPodPath?: string;
  /** Told of everything that happens on the machine. */
  readonly witness?: (event: MachineEvent) => void;
  /** Stands between the kubelet and the runtime. */
  readonly runtimeFor?: (direct: ContainerRuntime) => ContainerRuntime;
}

/** The disk that the cluster's state lies on, and the machine's clock. */
export interface SimulatedGround {
  /** From now on nothing can be written. */
  fillDisk(): void;
  freeDisk(): void;
  /** No time passes; what waits goes on waiting as long as it was going to. */
  putClockForward(by: Millis): void;
}

/** One simulated machine with its kubelet. */
export interface SimulatedNode {
  readonly name: string;
  readonly faults: SimulatedFaults;
  readonly filesystem: MemoryFilesystem;
  readonly runtime: SimulatedRuntime;
  /** Cuts the node off from the API server. Its kubelet and its Pods live on. */
  cutOff(): void;
  /** Mends what `cutOff` cut. */
  reconnect(): void;
  /** The network as clients on this node see it. */
  readonly network: PodNetwork;
  /** Ends the kubelet as if its process had died; containers run on. */
  stopKubelet(): Promise<void>;
  /** Starts a kubelet on the machine as it is now. */
  startKubelet(): Promise<void>;
}

/** How long a call may take on the virtual clock before the simulation takes it for stuck. */
const callLimit: Millis = hours(1);

const administrator: UserInfo = { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };

export class SimulatedCluster {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly client: Client;
  readonly handle: RequestHandler;
  readonly nodes = new Map<string, SimulatedNode>();
  /** What parts complained about. */
  readonly complaints: string[];
  readonly #cluster: Cluster;
  readonly #store: LimitedStore;
  readonly #network: SimulatedNetwork;
  readonly #images: Map<string, ImageBehaviour>;
  readonly #transcript: string[];

  private constructor(
    clock: VirtualClock,
    random: Random,
    cluster: Cluster,
    store: LimitedStore,
    transcript: string[],
    complaints: string[],
  ) {
    this.clock = clock;
    this.random = random;
    this.#cluster = cluster;
    this.#store = store;
    this.client = cluster.client(administrator, "lifepod-simulation");
    this.handle = cluster.handle;
    this.#network = new SimulatedNetwork(clock);
    this.#images = new Map();
    this.#transcript = transcript;
    this.complaints = complaints;
  }

  static async start(options: SimulatedClusterOptions): Promise<SimulatedCluster> {
    const clock = options.clock ?? new VirtualClock(options.settle);
    const random = new SeededRandom(options.seed);
    const store = new LimitedStore(new MemoryStore({ clock }));
    const transcript: string[] = [];
    const complaints: string[] = [];
    store.watch(
      { prefix: "", after: store.revision() as Revision },
      {
        batch({ revision, events }) {
          for (const event of events) {
            options.witness?.(event);
            transcript.push(
              `${formatNanoTime(clock.now())} ${revision} ${event.kind} ${event.key} ${event.kind === "put" ? event.current.value : ""}`,
            );
          }
        },
      },
    );
    const cluster = await drive(
      clock,
      startCluster({
        clock,
        random,
        store,
        authorityCertificate: "simulated",
        log: (message) => complaints.push(message),
        transportFor: (part, direct) => stoppable(clock, part, options.transportFor?.(part, direct) ?? direct),
      }),
    );
    const simulated = new SimulatedCluster(clock, random, cluster, store, transcript, complaints);
    await clock.settle();
    return simulated;
  }

  /** Declares what containers of an image do; also for nodes that are there already. */
  image(name: string, behaviour: ImageBehaviour): void {
    this.#images.set(name, behaviour);
    for (const node of this.nodes.values()) node.runtime.declareImage(name, behaviour);
  }

  async addNode(name: string, options: SimulatedNodeOptions = {}): Promise<SimulatedNode> {
    const filesystem = new MemoryFilesystem();
    const number = this.nodes.size + 1;
    const address = `192.168.0.${number}`;
    const { clock, random } = this;
    let runtime = createSimulatedRuntime({
      clock,
      random: new SeededRandom(`${random.stream(`node/${name}`).uuid()}`),
      images: Object.fromEntries(this.#images),
      network: this.#network,
      addresses: new AddressRange(`10.244.${number}.0/24`),
      nodeAddress: address,
      files: filesystem,
      ...(options.latencies !== undefined && { latencies: options.latencies }),
      ...(options.witness !== undefined && { witness: options.witness }),
    });
    const road = new BreakableRoad();
    const view = new NodeView({ network: this.#network, clock, random, nodeAddress: address });
    const startKubelet = async (): Promise<void> => {
      await drive(
        clock,
        this.#cluster.addNode({
          node: {
            name,
            labels: {
              "kubernetes.io/hostname": name,
              "kubernetes.io/os": "linux",
              "kubernetes.io/arch": "amd64",
              ...options.labels,
            },
            addresses: [
              { type: "InternalIP", address },
              { type: "Hostname", address: name },
            ],
            capacity: { cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi", pods: "110", ...options.capacity },
            systemInfo: {
              machineID: name,
              systemUUID: name,
              bootID: name,
              kernelVersion: "6.1.0",
              osImage: "simulated",
              operatingSystem: "linux",
              architecture: "amd64",
            },
            ...(options.staticPodPath !== undefined && { staticPodPath: options.staticPodPath }),
            rootDirectory: `/var/lib/lifepod/${name}`,
            podLogsDirectory: "/var/log/pods",
            clusterDomain: "cluster.local",
          },
          runtime: options.runtimeFor?.(runtime) ?? runtime,
          network: view,
          ...(options.services === true && { services: view }),
          filesystem,
          road: (handle) => road.to(handle),
        }),
      );
    };
    const node: SimulatedNode = {
      name,
      filesystem,
      network: view,
      get faults() {
        return runtime.faults;
      },
      get runtime() {
        return runtime;
      },
      cutOff: () => road.cut(),
      reconnect: () => road.mend(),
      stopKubelet: async () => {
        await drive(clock, this.#cluster.stopNode(name));
        runtime = runtime.reopen();
      },
      startKubelet,
    };
    this.nodes.set(name, node);
    await startKubelet();
    return node;
  }

  /** What lies under the cluster, to make it fail. */
  get ground(): SimulatedGround {
    return {
      fillDisk: () => {
        this.#store.isFull = true;
      },
      freeDisk: () => {
        this.#store.isFull = false;
      },
      putClockForward: (by) => this.clock.putForward(by),
    };
  }

  /** Ends the controllers and starts them anew. */
  restartControllers(): Promise<void> {
    return drive(this.clock, this.#cluster.restartControllers());
  }

  restartScheduler(): Promise<void> {
    return drive(this.clock, this.#cluster.restartScheduler());
  }

  /** Forgets the history up to now: watches that have to go on from before are told that it is gone (410). */
  async forgetHistory(): Promise<void> {
    await this.#store.compact(this.#store.revision() as Revision);
  }

  /** Lets virtual time pass. */
  async elapse(wait: Millis): Promise<void> {
    await this.clock.advance(wait);
  }

  /** Lets time pass until the next moment at which anything happens; `false`, and no time passes, if there is none up to the limit. */
  async step(limit: Instant): Promise<boolean> {
    const next = this.clock.nextDue();
    if (next === undefined || next > limit) return false;
    await this.clock.advanceTo(next);
    return true;
  }

  /** Waits for a promise while letting as much virtual time pass as it needs. */
  call<T>(promise: Promise<T>): Promise<T> {
    return drive(this.clock, promise);
  }

  /** Everything that was ever stored, with the moment and the revision: a life to the byte. */
  transcript(): string {
    return this.#transcript.join("\n");
  }

  /** One object as it stands; `undefined` if there is none. */
  async object(path: string): Promise<JsonObject | undefined> {
    const answer = await this.call(
      this.handle({ method: "GET", path, query: new URLSearchParams(), headers: {}, user: administrator }),
    );
    return answer.status === 200 && answer.body.kind === "object" ? answer.body.object : undefined;
  }

  /**
   * What a container wrote, as text.
   * @param path the Pod's `log` subresource
   * @throws StatusError as the API server words it
   */
  async logs(path: string, options: Readonly<Record<string, string | number | boolean>>): Promise<string> {
    const query = new URLSearchParams(
      Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const answer = await this.call(this.handle({ method: "GET", path, query, headers: {}, user: administrator }));
    if (answer.body.kind === "object") throw new StatusError(answer.body.object as unknown as Status);
    return this.call(textOf(answer.body));
  }

  /** Ends all parts and the store. Nothing of them waits any more; only containers that still run do. */
  async stop(): Promise<void> {
    await drive(this.clock, this.#cluster.stop());
    await this.#store.close();
  }
}

/** A part that calls and calls without letting time pass gets no answer any more, so that the clock can say who it is. */
function stoppable(clock: VirtualClock, part: string, transport: Transport): Transport {
  return (request) =>
    clock.mayGoOn(() => `${part} ${request.method} ${request.path}`)
      ? transport(request)
      : new Promise(() => undefined);
}

async function textOf(body: ApiBody): Promise<string> {
  const decoder = new TextDecoder();
  switch (body.kind) {
    case "text":
      return body.text;
    case "bytes":
      return decoder.decode(body.bytes);
    case "byteStream": {
      let text = "";
      for await (const chunk of body.chunks) text += decoder.decode(chunk, { stream: true });
      return text;
    }
    case "empty":
    case "object":
    case "watch":
    case "session":
      return "";
  }
}

async function drive<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  if (!(await clock.advanceUntil(() => settled, callLimit)))
    throw new Error(`a call did not come to an end within ${callLimit / 1000} s of virtual time`);
  return promise;
}
