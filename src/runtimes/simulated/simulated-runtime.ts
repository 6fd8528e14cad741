// A machine with a container runtime that exists only in memory: sandboxes, containers, images and logs behave as declared, on the clock that
// is given. The same declarations, seed and calls give the same life, to the byte.

import type { Clock, Instant, Millis } from "../../base/time.ts";
import type { Random, RandomStream } from "../../base/random.ts";
import type { NodeFilesystem } from "../node-filesystem.ts";
import type {
  ContainerConfig,
  ContainerFilter,
  ContainerId,
  ContainerRuntime,
  ContainerStats,
  ContainerStatus,
  ExecSyncResult,
  LogLine,
  PodSandboxConfig,
  PodSandboxStatus,
  ReadLogOptions,
  RuntimeCondition,
  RuntimeEvent,
  RuntimeService,
  RuntimeVersion,
  SandboxId,
  StreamCall,
} from "../runtime-service.ts";
import { RuntimeNotFoundError } from "../runtime-service.ts";
import type { ImageBehaviour } from "./behaviour.ts";
import type { SandboxAddresses, SandboxNetwork } from "./endpoint.ts";
import type { Latencies, RuntimeListener, SimulatedFaults } from "./faults.ts";
import { CallGate, unavailable } from "./faults.ts";
import { Labelled } from "./labelled.ts";
import { SimulatedContainer } from "./simulated-container.ts";
import { SimulatedImages } from "./simulated-images.ts";
import { attachStream, execStream } from "./simulated-streams.ts";

export interface SimulatedRuntimeOptions {
  readonly clock: Clock;
  /** Ids are drawn from its stream `runtime`. */
  readonly random: Random;
  /** What the registry has, by image name. */
  readonly images?: Readonly<Record<string, ImageBehaviour>>;
  /** What becomes of other images: the registry says `not found` (if absent), or they run for ever, healthy. */
  readonly unknownImages?: "notFound" | "runForEver";
  readonly network: SandboxNetwork;
  readonly addresses: SandboxAddresses;
  /** The node's own address, for sandboxes on the host's network. */
  readonly nodeAddress?: string;
  /** The node's disk: mounts and termination messages meet there. */
  readonly files: NodeFilesystem;
  /** How long calls take; no time if absent. */
  readonly latencies?: Latencies;
  /** Told of everything that happens on the machine, at once and also while the runtime is away: a witness whom no kubelet stands before. */
  readonly witness?: (event: MachineEvent) => void;
}

/** What happens on a machine: what a runtime tells, and what it does not. */
export interface MachineEvent extends Omit<RuntimeEvent, "kind"> {
  readonly kind: RuntimeEvent["kind"] | "sandboxStarted" | "sandboxRemoved" | "containerStopping" | "containerRemoved";
}

/** What there is on a machine at one moment. */
export interface MachineContents {
  readonly sandboxes: readonly PodSandboxStatus[];
  readonly containers: readonly ContainerStatus[];
  /** Paths of logs, also of containers that were removed. */
  readonly logPaths: readonly string[];
}

/** The simulated runtime and what a test can do to it besides. */
export interface SimulatedRuntime extends ContainerRuntime {
  readonly faults: SimulatedFaults;
  /** Adds an image to the registry, or changes what containers started from it do from now on. */
  declareImage(name: string, behaviour: ImageBehaviour): void;
  /** What there is on the machine now, whether or not its runtime answers. */
  contents(): MachineContents;
  container(id: ContainerId): ContainerStatus | undefined;
  sandbox(id: SandboxId): PodSandboxStatus | undefined;
  /** Opens the runtime once more, as a kubelet does that was started again: containers have run on meanwhile. */
  reopen(): SimulatedRuntime;
}

export function createSimulatedRuntime(options: SimulatedRuntimeOptions): SimulatedRuntime {
  return openOn(new SimulatedMachine(options));
}

function openOn(machine: SimulatedMachine): SimulatedRuntime {
  const door = new SimulatedRuntimeService(machine);
  return {
    runtime: door,
    images: machine.images,
    faults: machine,
    declareImage: (name, behaviour) => machine.images.declare(name, behaviour),
    contents: () => machine.contents(),
    container: (id) => machine.containers.get(id)?.status(),
    sandbox: (id) => {
      const sandbox = machine.sandboxes.get(id);
      return sandbox && sandboxStatus(sandbox);
    },
    reopen: () => openOn(machine),
    close: async () => door.close(),
  };
}

interface SimulatedSandbox {
  readonly id: SandboxId;
  readonly config: PodSandboxConfig;
  readonly createdAt: Instant;
  readonly network: ReturnType<SandboxNetwork["attach"]> | undefined;
  readonly address: string | undefined;
  state: "ready" | "notReady";
}

/** What outlives a kubelet: the containers, the images, the logs. */
class SimulatedMachine implements SimulatedFaults {
  readonly options: SimulatedRuntimeOptions;
  readonly gate: CallGate;
  readonly images: SimulatedImages;
  readonly sandboxes = new Map<SandboxId, SimulatedSandbox>();
  readonly sandboxesByLabel = new Labelled<SimulatedSandbox>();
  readonly containers = new Map<ContainerId, SimulatedContainer>();
  readonly containersByLabel = new Labelled<SimulatedContainer>();
  /** Containers by the path of their log, also removed ones. */
  readonly logs = new Map<string, SimulatedContainer>();
  readonly listeners = new Set<RuntimeListener>();
  readonly #ids: RandomStream;

  constructor(options: SimulatedRuntimeOptions) {
    this.options = options;
    this.gate = new CallGate(options.clock, options.latencies ?? {});
    this.images = new SimulatedImages(
      options.clock,
      this.gate,
      options.images ?? {},
      options.unknownImages ?? "notFound",
    );
    this.#ids = options.random.stream("runtime");
  }

  newId(): string {
    return (this.#ids.uuid() + this.#ids.uuid()).replaceAll("-", "");
  }

  contents(): MachineContents {
    return {
      sandboxes: [...this.sandboxes.values()].map(sandboxStatus),
      containers: [...this.containers.values()].map((container) => container.status()),
      logPaths: [...this.logs.keys()],
    };
  }

  emit(event: RuntimeEvent): void {
    this.options.witness?.(event);
    if (this.gate.isDown) return;
    for (const listener of this.listeners) listener.event(event);
  }

  runSandbox(config: PodSandboxConfig): SandboxId {
    const { addresses, network, nodeAddress, clock } = this.options;
    const onHost = config.securityContext.namespaceOptions.network === "NODE";
    const address = onHost ? undefined : addresses.allocate();
    const reachable = onHost ? nodeAddress : address;
    const sandbox: SimulatedSandbox = {
      id: this.newId() as SandboxId,
      config,
      createdAt: clock.now(),
      network: reachable === undefined ? undefined : network.attach(reachable),
      address,
      state: "ready",
    };
    this.sandboxes.set(sandbox.id, sandbox);
    this.sandboxesByLabel.add(sandbox, config.labels);
    this.options.witness?.({ kind: "sandboxStarted", sandboxId: sandbox.id });
    return sandbox.id;
  }

  addContainer(container: SimulatedContainer): void {
    const { id, config } = container.parts;
    this.containers.set(id, container);
    this.containersByLabel.add(container, config.labels);
    this.logs.set(container.logPath, container);
  }

  removeContainer(id: ContainerId): void {
    const container = this.containers.get(id);
    if (container === undefined) return;
    this.containersByLabel.delete(container);
    this.containers.delete(id);
    this.options.witness?.({ kind: "containerRemoved", containerId: id, sandboxId: container.parts.sandboxId });
  }

  removeSandbox(sandbox: SimulatedSandbox): void {
    this.sandboxesByLabel.delete(sandbox);
    this.sandboxes.delete(sandbox.id);
    this.options.witness?.({ kind: "sandboxRemoved", sandboxId: sandbox.id });
  }

  async stopSandbox(sandbox: SimulatedSandbox): Promise<void> {
    for (const container of this.containersIn(sandbox.id)) await container.kill(9);
    this.closeSandbox(sandbox);
  }

  /** Takes a sandbox off the network. */
  closeSandbox(sandbox: SimulatedSandbox): void {
    if (sandbox.state === "notReady") return;
    sandbox.state = "notReady";
    sandbox.network?.detach();
    if (sandbox.address !== undefined) this.options.addresses.release(sandbox.address);
    this.emit({ kind: "sandboxStopped", sandboxId: sandbox.id });
  }

  containersIn(id: SandboxId): readonly SimulatedContainer[] {
    return [...this.containers.values()].filter((container) => container.parts.sandboxId === id);
  }

  failNext(...failure: Parameters<SimulatedFaults["failNext"]>): void {
    this.gate.failNext(...failure);
  }

  hang(method: Parameters<SimulatedFaults["hang"]>[0]): { release(): void } {
    return this.gate.hang(method);
  }

  down(): void {
    this.gate.isDown = true;
    const listeners = [...this.listeners];
    this.listeners.clear();
    for (const listener of listeners) listener.lost(unavailable);
  }

  up(): void {
    this.gate.isDown = false;
  }

  killContainer(id: ContainerId, signal = 9): void {
    void this.containers.get(id)?.kill(signal);
  }

  outOfMemory(id: ContainerId): void {
    void this.containers.get(id)?.outOfMemory();
  }

  powerLoss(): void {
    this.down();
    for (const container of this.containers.values()) void container.lose();
    for (const sandbox of this.sandboxes.values()) this.closeSandbox(sandbox);
  }
}

/** One kubelet's door to the machine. */
class SimulatedRuntimeService implements RuntimeService {
  readonly capabilities = { podAddresses: true, images: true, mounts: true, limits: true };
  readonly #machine: SimulatedMachine;
  readonly #own = new Set<RuntimeListener>();

  constructor(machine: SimulatedMachine) {
    this.#machine = machine;
  }

  async version(): Promise<RuntimeVersion> {
    await this.#machine.gate.pass("version");
    return { runtimeName: "simulated", runtimeVersion: "1.0.0" };
  }

  async status(): Promise<readonly RuntimeCondition[]> {
    await this.#machine.gate.pass("status");
    return [
      { type: "RuntimeReady", status: true, reason: "", message: "" },
      { type: "NetworkReady", status: true, reason: "", message: "" },
    ];
  }

  async runPodSandbox(config: PodSandboxConfig): Promise<SandboxId> {
    await this.#machine.gate.pass("runPodSandbox");
    return this.#machine.runSandbox(config);
  }

  async stopPodSandbox(id: SandboxId): Promise<void> {
    await this.#machine.gate.pass("stopPodSandbox");
    const sandbox = this.#machine.sandboxes.get(id);
    if (sandbox !== undefined) await this.#machine.stopSandbox(sandbox);
  }

  async removePodSandbox(id: SandboxId): Promise<void> {
    await this.#machine.gate.pass("removePodSandbox");
    const sandbox = this.#machine.sandboxes.get(id);
    if (sandbox === undefined) return;
    await this.#machine.stopSandbox(sandbox);
    for (const container of this.#machine.containersIn(id)) this.#machine.removeContainer(container.parts.id);
    this.#machine.removeSandbox(sandbox);
  }

  async podSandboxStatus(id: SandboxId): Promise<PodSandboxStatus> {
    await this.#machine.gate.pass("podSandboxStatus");
    const sandbox = this.#machine.sandboxes.get(id);
    if (sandbox === undefined) throw new RuntimeNotFoundError("sandbox", id);
    return sandboxStatus(sandbox);
  }

  async listPodSandboxes(labels: Readonly<Record<string, string>> = {}): Promise<readonly PodSandboxStatus[]> {
    await this.#machine.gate.pass("listPodSandboxes");
    return this.#machine.sandboxesByLabel.matching(labels).map(sandboxStatus);
  }

  async createContainer(
    sandboxId: SandboxId,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
  ): Promise<ContainerId> {
    const machine = this.#machine;
    await machine.gate.pass("createContainer");
    const sandbox = machine.sandboxes.get(sandboxId);
    if (sandbox === undefined) throw new RuntimeNotFoundError("sandbox", sandboxId);
    if (sandbox.state === "notReady") throw new Error(`sandbox "${sandboxId}" is not ready`);
    const image = machine.images.find(config.imageRef);
    if (image === undefined) throw new RuntimeNotFoundError("image", config.imageRef);
    if (image.behaviour.createError !== undefined) throw new Error(image.behaviour.createError);
    const { clock, files } = machine.options;
    const id = machine.newId() as ContainerId;
    const container = new SimulatedContainer({
      id,
      sandboxId,
      config,
      sandboxConfig,
      image: image.behaviour,
      imageName: image.name,
      clock,
      files,
      emit: (event) => machine.emit(event),
      listen: (endpoint) => sandbox.network?.listen(endpoint) ?? { close: () => undefined },
    });
    machine.addContainer(container);
    return id;
  }

  async startContainer(id: ContainerId): Promise<void> {
    await this.#machine.gate.pass("startContainer");
    await this.#container(id).start();
  }

  async stopContainer(id: ContainerId, timeout: Millis): Promise<void> {
    await this.#machine.gate.pass("stopContainer");
    this.#machine.options.witness?.({ kind: "containerStopping", containerId: id });
    await this.#machine.containers.get(id)?.stop(timeout);
  }

  async removeContainer(id: ContainerId): Promise<void> {
    await this.#machine.gate.pass("removeContainer");
    await this.#machine.containers.get(id)?.kill(9);
    this.#machine.removeContainer(id);
  }

  async containerStatus(id: ContainerId): Promise<ContainerStatus> {
    await this.#machine.gate.pass("containerStatus");
    return this.#container(id).status();
  }

  async listContainers(filter: ContainerFilter = {}): Promise<readonly ContainerStatus[]> {
    await this.#machine.gate.pass("listContainers");
    return this.#matching(filter).map((container) => container.status());
  }

  async execSync(id: ContainerId, command: readonly string[], timeout?: Millis): Promise<ExecSyncResult> {
    await this.#machine.gate.pass("execSync");
    return await this.#container(id).exec(command, timeout);
  }

  async exec(id: ContainerId, command: readonly string[]): Promise<StreamCall> {
    await this.#machine.gate.pass("exec");
    return execStream(this.#container(id), command);
  }

  async attach(id: ContainerId): Promise<StreamCall> {
    await this.#machine.gate.pass("attach");
    return attachStream(this.#container(id));
  }

  async containerStats(filter: ContainerFilter = {}): Promise<readonly ContainerStats[]> {
    await this.#machine.gate.pass("containerStats");
    return this.#matching(filter)
      .filter((container) => container.isRunning)
      .map((container) => container.stats());
  }

  async *readLog(
    logPath: string,
    _containerId: ContainerId | undefined,
    options: ReadLogOptions,
  ): AsyncGenerator<LogLine> {
    const container = this.#machine.logs.get(logPath);
    if (container === undefined) {
      throw new Error(
        `failed to try resolving symlinks in path "${logPath}": lstat ${logPath}: no such file or directory`,
      );
    }
    if (container.log !== undefined) yield* container.log.read(options);
  }

  async removeLogs(logDirectory: string): Promise<void> {
    await this.#machine.gate.pass("removeLogs");
    const { logs } = this.#machine;
    if (logs.delete(logDirectory)) return; // one file
    const folder = `${logDirectory.replace(/\/$/, "")}/`;
    for (const path of logs.keys()) if (path.startsWith(folder)) logs.delete(path);
  }

  subscribe(listener: RuntimeListener): { close(): void } {
    if (this.#machine.gate.isDown) {
      listener.lost(unavailable);
      return { close: () => undefined };
    }
    this.#machine.listeners.add(listener);
    this.#own.add(listener);
    return {
      close: () => {
        this.#machine.listeners.delete(listener);
        this.#own.delete(listener);
      },
    };
  }

  /** Ends this door's event streams; the machine goes on. */
  close(): void {
    for (const listener of this.#own) this.#machine.listeners.delete(listener);
    this.#own.clear();
  }

  #container(id: ContainerId): SimulatedContainer {
    const container = this.#machine.containers.get(id);
    if (container === undefined) throw new RuntimeNotFoundError("container", id);
    return container;
  }

  #matching(filter: ContainerFilter): readonly SimulatedContainer[] {
    const containers = this.#machine.containersByLabel.matching(filter.labels ?? {});
    const { sandboxId } = filter;
    return sandboxId === undefined
      ? containers
      : containers.filter((container) => container.parts.sandboxId === sandboxId);
  }
}

function sandboxStatus(sandbox: SimulatedSandbox): PodSandboxStatus {
  const { id, config, createdAt, state, address } = sandbox;
  return {
    id,
    metadata: config.metadata,
    state,
    createdAt,
    ips: state === "ready" && address !== undefined ? [address] : [],
    network: config.securityContext.namespaceOptions.network,
    labels: config.labels,
    annotations: config.annotations,
  };
}
