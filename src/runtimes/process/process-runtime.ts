// Containers as plain processes of this machine. README.md in this folder says what that gives and what it does not.

import { randomBytes } from "node:crypto";
import type { FSWatcher } from "node:fs";
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock, Millis, Timer } from "../../base/time.ts";
import { seconds } from "../../base/time.ts";
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
  PortForwarding,
  ReadLogOptions,
  RuntimeCondition,
  RuntimeEvent,
  RuntimeService,
  RuntimeVersion,
  SandboxId,
  StreamCall,
  StreamRequest,
} from "../runtime-service.ts";
import { RuntimeNotFoundError, RuntimeUnsupportedError } from "../runtime-service.ts";
import type { ContainerRecord, SandboxRecord } from "./container-files.ts";
import { ContainerFiles } from "./container-files.ts";
import { defaultPath, whyNotExecutable } from "./executable.ts";
import { forwardPorts } from "./forward-ports.ts";
import { readLogIndex } from "./log-index.ts";
import { MountPoints } from "./mount-points.ts";
import type { ContainerSurroundings } from "./process-container.ts";
import { ProcessContainer } from "./process-container.ts";
import { ProcessImages } from "./process-images.ts";
import type { LogBound } from "./process-log.ts";
import { defaultLogBound, ProcessLog } from "./process-log.ts";
import { pageBytes, ProcessTable, ticksPerSecond } from "./process-table.ts";
import { watchQuietly } from "./quiet-watch.ts";
import { readProcessLog } from "./read-process-log.ts";
import type { Privileges } from "./requirements.ts";
import { commandLineOf, isRoot, refuseUnsupportedSandbox } from "./requirements.ts";

export interface ProcessRuntimeOptions {
  /** Holds the runtime's state; made if it is not there. Opening it again finds all containers. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  /**
   * Gives every Pod an address of its own on the loopback network, all of which Linux answers: processes of two Pods can listen on one port if each
   * does so on its Pod's address. Without it Pods have none.
   */
  readonly podAddresses?: PodAddresses;
  /** What runs for an image, before its arguments, when the container names no command. With or without a tag. */
  readonly images?: Readonly<Record<string, readonly string[]>>;
  /** How much of a log is kept. */
  readonly logBound?: LogBound;
  /** Told about troubles that no call can report. */
  readonly logger?: { warn(message: string): void };
}

/** Who gives addresses; `network/ipam.ts` has one. */
export interface PodAddresses {
  /** @throws Error when all are taken */
  allocate(): string;
  release(address: string): void;
  /** Says that an address is in use already. */
  take(address: string): void;
}

/** Exits are noticed at once; this look finds those that went unnoticed. */
const lookDistance = seconds(2);

/**
 * Opens the runtime and takes up what is there.
 * @throws RuntimeUnsupportedError if the machine lacks what it needs
 */
export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<ContainerRuntime> {
  const privileges: Privileges = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
  requireMachine(privileges);
  const service = new ProcessRuntimeService(options, privileges);
  await service.open();
  return {
    runtime: service,
    images: new ProcessImages(Object.keys(options.images ?? {})),
    close: async () => service.close(),
  };
}

function requireMachine(privileges: Privileges): void {
  if (process.platform !== "linux") {
    throw new RuntimeUnsupportedError(
      `the process runtime needs Linux, this is ${process.platform}; use a container runtime (--runtime containerd)`,
    );
  }
  const programs = ["sh", "env", "setsid", ...(isRoot(privileges) ? ["unshare", "nsenter", "mount", "setpriv"] : [])];
  const missing = programs.filter((program) => whyNotExecutable(program, defaultPath, "/", []) !== undefined);
  if (missing.length > 0) {
    throw new RuntimeUnsupportedError(
      `the process runtime needs ${missing.join(", ")} in ${defaultPath}; install util-linux and coreutils, or use a container runtime (--runtime containerd)`,
    );
  }
  accessSync("/proc/self/stat", constants.R_OK);
}

type Listener = { event(event: RuntimeEvent): void; lost(reason: string): void };

class ProcessRuntimeService implements RuntimeService, ContainerSurroundings {
  readonly capabilities: RuntimeService["capabilities"];
  readonly clock: Clock;
  readonly files: ContainerFiles;
  readonly table = new ProcessTable();
  readonly privileges: Privileges;
  readonly #options: ProcessRuntimeOptions;
  readonly #mountPoints: MountPoints;
  readonly #sandboxes = new Map<SandboxId, SandboxRecord>();
  readonly #containers = new Map<ContainerId, ProcessContainer>();
  /** The keepers of logs that may still grow. */
  readonly #logs = new Map<string, ProcessLog>();
  readonly #listeners = new Set<Listener>();
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;

  constructor(options: ProcessRuntimeOptions, privileges: Privileges) {
    this.#options = options;
    this.clock = options.clock;
    this.privileges = privileges;
    this.files = new ContainerFiles(options.stateDirectory);
    this.#mountPoints = new MountPoints(options.stateDirectory);
    this.capabilities = {
      podAddresses: options.podAddresses !== undefined,
      images: false,
      mounts: isRoot(privileges),
      limits: false,
    };
  }

  /** Takes up what is there. The watch begins first, so that no end falls between. */
  async open(): Promise<void> {
    const rebooted = this.files.noteBoot();
    this.#watcher = watchQuietly(
      this.files.exits,
      (name) => this.#containers.get(name as ContainerId)?.look(),
      (error) => this.trouble(error),
    );
    const found = this.files.sandboxes();
    if (!rebooted)
      for (const { address } of found) if (address !== undefined) this.#options.podAddresses?.take(address);
    for (const sandbox of found) this.#adoptSandbox(sandbox, rebooted);
    for (const record of this.files.containers()) {
      const container = new ProcessContainer(record, this);
      if (rebooted) container.noteReboot();
      this.#containers.set(record.id, container);
      await container.adopt();
    }
    // Without root there are no mounts, and the record of those that root's lifepods make is not ours to write.
    if (isRoot(this.privileges)) this.#mountPoints.keepOnly(new Set(this.#containers.keys()));
    this.#lookAround();
  }

  async version(): Promise<RuntimeVersion> {
    return { runtimeName: "process", runtimeVersion: readFileSync("/proc/sys/kernel/osrelease", "utf8").trim() };
  }

  async status(): Promise<readonly RuntimeCondition[]> {
    return [
      { type: "RuntimeReady", status: true, reason: "", message: "" },
      { type: "NetworkReady", status: true, reason: "", message: "" },
    ];
  }

  async runPodSandbox(config: PodSandboxConfig): Promise<SandboxId> {
    refuseUnsupportedSandbox(config);
    const record: SandboxRecord = {
      id: newId() as SandboxId,
      config,
      createdAt: this.clock.now(),
      state: "ready",
      ...this.#newAddress(config),
    };
    this.#saveSandbox(record);
    return record.id;
  }

  async stopPodSandbox(id: SandboxId): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    const { address, ...rest } = sandbox;
    if (sandbox.state === "ready") this.#saveSandbox({ ...rest, state: "notReady" });
    await Promise.all(this.#matching({ sandboxId: id }).map((container) => container.stop(seconds(0))));
    if (address !== undefined) this.#options.podAddresses?.release(address);
    if (sandbox.state === "ready") this.#emit({ kind: "sandboxStopped", sandboxId: id });
  }

  async removePodSandbox(id: SandboxId): Promise<void> {
    await this.stopPodSandbox(id);
    await Promise.all(this.#matching({ sandboxId: id }).map(({ record }) => this.removeContainer(record.id)));
    this.files.removeSandbox(id);
    this.#sandboxes.delete(id);
  }

  async podSandboxStatus(id: SandboxId): Promise<PodSandboxStatus> {
    return this.#sandboxStatus(this.#sandbox(id));
  }

  async listPodSandboxes(labels: Readonly<Record<string, string>> = {}): Promise<readonly PodSandboxStatus[]> {
    const matching = [...this.#sandboxes.values()].filter((sandbox) => hasLabels(sandbox.config.labels, labels));
    return matching.map((sandbox) => this.#sandboxStatus(sandbox));
  }

  async createContainer(
    sandboxId: SandboxId,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
  ): Promise<ContainerId> {
    const sandbox = this.#sandbox(sandboxId);
    if (sandbox.state === "notReady") throw new Error(`sandbox container "${sandboxId}" is not running`);
    const record: ContainerRecord = {
      id: newId() as ContainerId,
      sandboxId,
      config: this.#withResolver(sandbox.id, config, sandboxConfig),
      createdAt: this.clock.now(),
      logPath: join(sandboxConfig.logDirectory, config.logPath),
      commandLine: commandLineOf(config, this.#options.images ?? {}),
      hostname: sandboxConfig.hostname,
    };
    const container = new ProcessContainer(record, this);
    this.#mountPoints.claim(record.id, container.launch.mounts);
    this.files.saveContainer(record);
    this.#containers.set(record.id, container);
    return record.id;
  }

  async startContainer(id: ContainerId): Promise<void> {
    await this.#container(id).start();
  }

  async stopContainer(id: ContainerId, timeout: Millis): Promise<void> {
    await this.#containers.get(id)?.stop(timeout);
  }

  async removeContainer(id: ContainerId): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return;
    await container.stop(seconds(0));
    container.letGo();
    this.#containers.delete(id);
    this.#logs.delete(container.record.logPath);
    this.files.removeContainer(id);
    this.#mountPoints.release(id);
  }

  async containerStatus(id: ContainerId): Promise<ContainerStatus> {
    const container = this.#container(id);
    container.look();
    return container.status();
  }

  async listContainers(filter: ContainerFilter = {}): Promise<readonly ContainerStatus[]> {
    return this.#matching(filter).map((container) => container.status());
  }

  async execSync(id: ContainerId, command: readonly string[], timeout?: Millis): Promise<ExecSyncResult> {
    return await this.#container(id).exec(command, timeout);
  }

  async exec(id: ContainerId, command: readonly string[], request: StreamRequest): Promise<StreamCall> {
    return this.#container(id).stream(command, request);
  }

  async attach(id: ContainerId): Promise<StreamCall> {
    return await this.#container(id).attach();
  }

  async portForward(id: SandboxId): Promise<PortForwarding> {
    const { state, address } = this.#sandbox(id);
    if (state === "notReady") throw new Error(`sandbox container "${id}" is not running`);
    return forwardPorts(id, address);
  }

  async containerStats(filter: ContainerFilter = {}): Promise<readonly ContainerStats[]> {
    const running = this.#matching(filter).filter((container) => container.isRunning);
    return await Promise.all(
      running.map(async ({ record, process: leader }): Promise<ContainerStats> => {
        const members = await this.table.membersOf(record.id, leader);
        const sum = (of: (entry: (typeof members)[number]) => number): number =>
          members.reduce((total, entry) => total + of(entry), 0);
        const memory = sum((entry) => entry.residentPages) * pageBytes;
        return {
          id: record.id,
          timestamp: this.clock.now(),
          cpuUsageNanoSeconds: BigInt(sum((entry) => entry.cpuTicks)) * BigInt(1e9 / ticksPerSecond),
          memoryWorkingSetBytes: memory,
          memoryUsageBytes: memory,
        };
      }),
    );
  }

  readLog(logPath: string, _id: ContainerId | undefined, options: ReadLogOptions): AsyncIterable<LogLine> {
    return readProcessLog(logPath, () => this.#logs.get(logPath), options);
  }

  async removeLogs(logDirectory: string): Promise<void> {
    await rm(logDirectory, { recursive: true, force: true });
  }

  subscribe(listener: Listener): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => this.#listeners.delete(listener) };
  }

  async keepLog(path: string): Promise<ProcessLog> {
    // Somebody may have removed it under the container; that must not keep the others from being taken up.
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, "a", 0o640));
    const { notedBytes, keptFrom } = await readLogIndex(path);
    const log = new ProcessLog(
      path,
      this.clock,
      this.#options.logBound ?? defaultLogBound,
      { notedBytes, keptFrom },
      (error) => this.trouble(error),
    );
    this.#logs.set(path, log);
    return log;
  }

  started(container: ProcessContainer): void {
    const { id: containerId, sandboxId } = container.record;
    this.#emit({ kind: "containerStarted", containerId, sandboxId });
  }

  exited(container: ProcessContainer): void {
    const { id: containerId, sandboxId } = container.record;
    this.#emit({ kind: "containerExited", containerId, sandboxId });
  }

  trouble(error: Error): void {
    this.#options.logger?.warn(`process runtime: ${error.message}`);
  }

  /** Stops looking. Containers run on. */
  close(): void {
    this.#watcher?.close();
    this.#timer?.cancel();
    this.#listeners.clear();
    for (const container of this.#containers.values()) container.letGo();
  }

  #lookAround(): void {
    for (const container of this.#containers.values()) container.lookClosely();
    this.#timer = this.clock.setTimer(lookDistance, () => this.#lookAround(), "process runtime");
  }

  #emit(event: RuntimeEvent): void {
    for (const listener of this.#listeners) listener.event(event);
  }

  #saveSandbox(record: SandboxRecord): void {
    this.files.saveSandbox(record);
    this.#sandboxes.set(record.id, record);
  }

  /** A record of before a reboot has nothing that runs; one of a lifepod that gave no addresses gets one now. */
  #adoptSandbox(sandbox: SandboxRecord, rebooted: boolean): void {
    const { address, ...rest } = sandbox;
    if (rebooted) this.#saveSandbox({ ...rest, state: "notReady" });
    else if (sandbox.state === "ready" && address === undefined)
      this.#saveSandbox({ ...sandbox, ...this.#newAddress(sandbox.config) });
    else this.#sandboxes.set(sandbox.id, sandbox);
  }

  /** Names are resolved as the Pod asks, where the container can have a file of its own; else the machine's resolver file is all there is. */
  #withResolver(id: SandboxId, config: ContainerConfig, { dns }: PodSandboxConfig): ContainerConfig {
    const mayMount =
      isRoot(this.privileges) && !config.mounts.some(({ containerPath }) => containerPath === resolverFile);
    if (dns === undefined || dns.servers.length === 0 || !mayMount) return config;
    const hostPath = this.files.writeResolver(id, resolverText(dns));
    const mount = { containerPath: resolverFile, hostPath, readonly: false, propagation: "None" } as const;
    return { ...config, mounts: [...config.mounts, mount] };
  }

  #newAddress({ securityContext }: PodSandboxConfig): { readonly address?: string } {
    const { podAddresses } = this.#options;
    if (podAddresses === undefined || securityContext.namespaceOptions.network === "NODE") return {};
    return { address: podAddresses.allocate() };
  }

  #sandboxStatus({ id, config, createdAt, state, address }: SandboxRecord): PodSandboxStatus {
    const network = config.securityContext.namespaceOptions.network;
    return {
      id,
      metadata: config.metadata,
      state,
      createdAt,
      ips: address === undefined ? [] : [address],
      network,
      labels: config.labels,
      annotations: config.annotations,
    };
  }

  #sandbox(id: SandboxId): SandboxRecord {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) throw new RuntimeNotFoundError("sandbox", id);
    return sandbox;
  }

  #container(id: ContainerId): ProcessContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw new RuntimeNotFoundError("container", id);
    return container;
  }

  #matching(filter: ContainerFilter): readonly ProcessContainer[] {
    return [...this.#containers.values()].filter(
      ({ record }) =>
        (filter.sandboxId === undefined || record.sandboxId === filter.sandboxId) &&
        hasLabels(record.config.labels, filter.labels ?? {}),
    );
  }
}

function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

const resolverFile = "/etc/resolv.conf";

/** As container runtimes write it. */
function resolverText({ servers, searches, options }: NonNullable<PodSandboxConfig["dns"]>): string {
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}`]),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
  ];
  return `${lines.join("\n")}\n`;
}

const newId = (): string => randomBytes(32).toString("hex");
