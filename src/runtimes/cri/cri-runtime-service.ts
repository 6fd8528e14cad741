// The runtime half of CRI: sandboxes and containers, over a gRPC connection.

import { mkdir, rm } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { type Clock, type Instant, type Millis, millis, seconds } from "../../base/time.ts";
import {
  type ContainerConfig,
  type ContainerFilter,
  type ContainerId,
  type ContainerStats,
  type ContainerStatus,
  type ExecSyncResult,
  ExecTimeoutError,
  type LogLine,
  type PodSandboxConfig,
  type PodSandboxStatus,
  type PortForwarding,
  type ReadLogOptions,
  type RuntimeCapabilities,
  type RuntimeCondition,
  type RuntimeEvent,
  RuntimeNotFoundError,
  type RuntimeService,
  type RuntimeVersion,
  type SandboxId,
  type StreamCall,
  type StreamRequest,
} from "../runtime-service.ts";
import { containerStatsOf, containerStatusOf, criContainerConfig } from "./container-mapping.ts";
import { readCriLog } from "./cri-log.ts";
import { type EventObserver, listenToContainerd, listenToCri } from "./cri-events.ts";
import { ExecPatience } from "./exec-patience.ts";
import { ContainerState, RuntimeService as CriRuntimeServiceDescription } from "./gen/cri.ts";
import type { GrpcConnection } from "./grpc-connection.ts";
import { GrpcError } from "./grpc-error.ts";
import { conditionsOf } from "./runtime-mapping.ts";
import { criSandboxConfig, sandboxStatusOf } from "./sandbox-mapping.ts";
import { StatusCache } from "./status-cache.ts";
import { forwardPorts, streamProcess } from "./streaming-client.ts";

const methods = CriRuntimeServiceDescription.method;

/** Where events come from: containerd's own service (1.6 has no other), CRI's GetContainerEvents, or nowhere. */
export type EventSource = "containerd" | "cri" | "none";

export interface CriConnection {
  readonly connection: GrpcConnection;
  readonly clock: Clock;
  readonly requestTimeout: Millis;
}

/** The reason of an exited container may still become OOMKilled for a moment; after that its status never changes. */
const exitedStatusSettles: Millis = seconds(10);

export class CriRuntimeService implements RuntimeService {
  readonly capabilities: RuntimeCapabilities = { podAddresses: true, images: true, mounts: true, limits: true };
  readonly subscribe?: NonNullable<RuntimeService["subscribe"]>;
  readonly #connection: GrpcConnection;
  readonly #clock: Clock;
  readonly #requestTimeout: Millis;
  readonly #containers = new StatusCache<ContainerId, ContainerStatus>();
  readonly #sandboxes = new StatusCache<SandboxId, PodSandboxStatus>();
  /** CRI's container status does not name its sandbox. */
  readonly #sandboxOf = new Map<ContainerId, SandboxId>();
  readonly #exitBells = new Map<ContainerId, Set<() => void>>();

  constructor(shared: CriConnection, events: EventSource) {
    this.#connection = shared.connection;
    this.#clock = shared.clock;
    this.#requestTimeout = shared.requestTimeout;
    if (events !== "none") this.subscribe = (listener) => this.#listen(events, listener);
  }

  async version(): Promise<RuntimeVersion> {
    const { runtimeName, runtimeVersion } = await this.#connection.unary(methods.version, {}, this.#limit());
    return { runtimeName, runtimeVersion };
  }

  async status(): Promise<readonly RuntimeCondition[]> {
    return conditionsOf(await this.#connection.unary(methods.status, {}, this.#limit()));
  }

  async runPodSandbox(config: PodSandboxConfig): Promise<SandboxId> {
    await mkdir(config.logDirectory, { recursive: true });
    const request = { config: criSandboxConfig(config) };
    // Twice the time of other calls, as upstream: it may have to fetch the sandbox's image.
    const limit = this.#limit(this.#requestTimeout);
    const { podSandboxId } = await this.#connection.unary(methods.runPodSandbox, request, limit);
    this.#sandboxes.expect(podSandboxId as SandboxId);
    return podSandboxId as SandboxId;
  }

  async stopPodSandbox(id: SandboxId): Promise<void> {
    await unlessGone(this.#connection.unary(methods.stopPodSandbox, { podSandboxId: id }, this.#limit()));
    this.#sandboxes.drop(id);
  }

  async removePodSandbox(id: SandboxId): Promise<void> {
    const remove = () =>
      unlessGone(this.#connection.unary(methods.removePodSandbox, { podSandboxId: id }, this.#limit()));
    try {
      await remove();
    } catch (error) {
      if (!(error instanceof GrpcError) || error.code === "Unavailable") throw error;
      // CRI asks for a stopped sandbox; not every runtime stops it by itself.
      await this.stopPodSandbox(id);
      await remove();
    }
    this.#sandboxes.forget(id);
    for (const [containerId, sandboxId] of this.#sandboxOf) if (sandboxId === id) this.#forgetContainer(containerId);
  }

  async podSandboxStatus(id: SandboxId): Promise<PodSandboxStatus> {
    const { status } = await found(
      "sandbox",
      id,
      this.#connection.unary(methods.podSandboxStatus, { podSandboxId: id }, this.#limit()),
    );
    if (status === undefined) throw new RuntimeNotFoundError("sandbox", id);
    const ours = sandboxStatusOf(status);
    this.#sandboxes.keep(id, status.state, ours);
    return ours;
  }

  /** One call for the list, and one for each sandbox that is new or has changed its state: a list has no addresses. */
  async listPodSandboxes(labels?: Readonly<Record<string, string>>): Promise<readonly PodSandboxStatus[]> {
    const filter = labels === undefined ? {} : { filter: { labelSelector: { ...labels } } };
    const { items } = await this.#connection.unary(methods.listPodSandbox, filter, this.#limit());
    if (labels === undefined) this.#sandboxes.retain(new Set(items.map(({ id }) => id as SandboxId)));
    const statuses = await Promise.all(
      items.map(
        async ({ id, state }) =>
          this.#sandboxes.known(id as SandboxId, state) ?? orGone(this.podSandboxStatus(id as SandboxId)),
      ),
    );
    return statuses.filter((status) => status !== undefined);
  }

  async createContainer(
    sandboxId: SandboxId,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
  ): Promise<ContainerId> {
    await mkdir(dirname(join(sandboxConfig.logDirectory, config.logPath)), { recursive: true });
    const { containerId } = await this.#connection.unary(
      methods.createContainer,
      {
        podSandboxId: sandboxId,
        config: criContainerConfig(config),
        sandboxConfig: criSandboxConfig(sandboxConfig),
      },
      this.#limit(),
    );
    this.#sandboxOf.set(containerId as ContainerId, sandboxId);
    return containerId as ContainerId;
  }

  async startContainer(id: ContainerId): Promise<void> {
    await found("container", id, this.#connection.unary(methods.startContainer, { containerId: id }, this.#limit()));
  }

  async stopContainer(id: ContainerId, timeout: Millis): Promise<void> {
    // CRI counts in whole seconds. Where the time is up before a full one, a second stop without patience ends the first.
    const early = timeout % 1000 === 0 ? undefined : this.#clock.setTimer(timeout, () => void this.#killEarly(id));
    try {
      await this.#stop(id, timeout);
    } finally {
      early?.cancel();
    }
  }

  async removeContainer(id: ContainerId): Promise<void> {
    await unlessGone(this.#connection.unary(methods.removeContainer, { containerId: id }, this.#limit()));
    this.#forgetContainer(id);
  }

  async containerStatus(id: ContainerId): Promise<ContainerStatus> {
    const [{ status }, sandboxId] = await Promise.all([
      found("container", id, this.#connection.unary(methods.containerStatus, { containerId: id }, this.#limit())),
      this.#findSandboxOf(id),
    ]);
    if (status === undefined || sandboxId === undefined) throw new RuntimeNotFoundError("container", id);
    const ours = containerStatusOf(status, sandboxId);
    if (isFinal(ours, this.#clock.now())) this.#containers.keep(id, status.state, ours);
    return ours;
  }

  /** One call for the list, and one for each container that is new or has changed its state: a list has no exit codes. */
  async listContainers(filter?: ContainerFilter): Promise<readonly ContainerStatus[]> {
    const { containers } = await this.#connection.unary(
      methods.listContainers,
      { filter: { podSandboxId: filter?.sandboxId ?? "", labelSelector: { ...filter?.labels } } },
      this.#limit(),
    );
    for (const { id, podSandboxId } of containers) this.#sandboxOf.set(id as ContainerId, podSandboxId as SandboxId);
    if (filter?.sandboxId === undefined && filter?.labels === undefined) {
      const ids = new Set(containers.map(({ id }) => id as ContainerId));
      this.#containers.retain(ids);
      // One that was made meanwhile is looked up again when it is asked for.
      for (const id of this.#sandboxOf.keys()) if (!ids.has(id)) this.#sandboxOf.delete(id);
    }
    const statuses = await Promise.all(
      containers.map(
        async ({ id, state }) =>
          this.#containers.known(id as ContainerId, state) ?? orGone(this.containerStatus(id as ContainerId)),
      ),
    );
    return statuses.filter((status) => status !== undefined);
  }

  async execSync(id: ContainerId, command: readonly string[], timeout?: Millis): Promise<ExecSyncResult> {
    const limit = timeout === undefined || timeout <= 0 ? undefined : timeout;
    const request = { containerId: id, cmd: [...command], timeout: limit === undefined ? 0n : wholeSeconds(limit) };
    const patience = new ExecPatience(this.#clock, command, limit, async () => {
      await this.version();
    });
    try {
      const options = { timeout: "none", signal: patience.signal } as const;
      const call = this.#connection.unary(methods.execSync, request, options);
      const { stdout, stderr, exitCode } = await found("container", id, call);
      return { stdout, stderr, exitCode };
    } catch (error) {
      if (limit !== undefined && error instanceof GrpcError && error.code === "DeadlineExceeded") {
        throw new ExecTimeoutError(command, limit);
      }
      throw error;
    } finally {
      patience.end();
    }
  }

  async exec(id: ContainerId, command: readonly string[], request: StreamRequest): Promise<StreamCall> {
    const asked = { containerId: id, cmd: [...command], ...request };
    const { url } = await found("container", id, this.#connection.unary(methods.exec, asked, this.#limit()));
    return (streams) => streamProcess(url, request, streams);
  }

  async attach(id: ContainerId, request: StreamRequest): Promise<StreamCall> {
    const asked = { containerId: id, ...request };
    const { url } = await found("container", id, this.#connection.unary(methods.attach, asked, this.#limit()));
    return (streams) => streamProcess(url, request, streams);
  }

  async portForward(id: SandboxId): Promise<PortForwarding> {
    const getUrl = async (): Promise<string> => {
      const asked = { podSandboxId: id, port: [] };
      return (await found("sandbox", id, this.#connection.unary(methods.portForward, asked, this.#limit()))).url;
    };
    // Told now if it cannot be; a URL is good for a minute only, so the one that is used is asked for when it is needed.
    await getUrl();
    return forwardPorts(getUrl);
  }

  async containerStats(filter?: ContainerFilter): Promise<readonly ContainerStats[]> {
    const request = { filter: { podSandboxId: filter?.sandboxId ?? "", labelSelector: { ...filter?.labels } } };
    const { stats } = await this.#connection.unary(methods.listContainerStats, request, this.#limit());
    return stats.flatMap((one) => containerStatsOf(one) ?? []);
  }

  readLog(logPath: string, containerId: ContainerId | undefined, options: ReadLogOptions): AsyncIterable<LogLine> {
    return readCriLog(logPath, options, {
      clock: this.#clock,
      hasEnded: () => this.#hasEnded(containerId),
      onExit: (ring) => this.#onExit(containerId, ring),
    });
  }

  async removeLogs(logDirectory: string): Promise<void> {
    const path = normalize(logDirectory);
    if (!isAbsolute(path) || dirname(path) === path) throw new Error(`not a folder of logs: ${logDirectory}`);
    await rm(path, { recursive: true, force: true });
  }

  #limit(more: Millis = millis(0)): { readonly timeout: Millis } {
    return { timeout: millis(this.#requestTimeout + more) };
  }

  async #stop(id: ContainerId, timeout: Millis): Promise<void> {
    const request = { containerId: id, timeout: wholeSeconds(timeout) };
    await unlessGone(this.#connection.unary(methods.stopContainer, request, this.#limit(timeout)));
    this.#containers.drop(id);
  }

  async #killEarly(id: ContainerId): Promise<void> {
    try {
      await this.#stop(id, millis(0));
    } catch (error) {
      // The stop that it was to shorten goes on, kills a part of a second later and reports what is wrong.
      if (!(error instanceof GrpcError)) throw error;
    }
  }

  #forgetContainer(id: ContainerId): void {
    this.#containers.forget(id);
    this.#sandboxOf.delete(id);
  }

  async #findSandboxOf(id: ContainerId): Promise<SandboxId | undefined> {
    const known = this.#sandboxOf.get(id);
    if (known !== undefined) return known;
    const { containers } = await this.#connection.unary(methods.listContainers, { filter: { id } }, this.#limit());
    const sandboxId = containers.find((container) => container.id === id)?.podSandboxId as SandboxId | undefined;
    if (sandboxId !== undefined) this.#sandboxOf.set(id, sandboxId);
    return sandboxId;
  }

  async #hasEnded(id: ContainerId | undefined): Promise<boolean> {
    if (id === undefined) return true;
    const status = await orGone(this.containerStatus(id));
    return status === undefined || status.state.kind === "exited" || status.state.kind === "unknown";
  }

  #onExit(id: ContainerId | undefined, ring: () => void): () => void {
    if (id === undefined) return () => {};
    const bells = this.#exitBells.get(id) ?? new Set();
    this.#exitBells.set(id, bells.add(ring));
    return () => {
      bells.delete(ring);
      if (bells.size === 0) this.#exitBells.delete(id);
    };
  }

  #listen(
    source: Exclude<EventSource, "none">,
    listener: { event(event: RuntimeEvent): void; lost(reason: string): void },
  ): { close(): void } {
    const observer: EventObserver = {
      event: (event) => {
        if (event.containerId !== undefined) this.#containers.drop(event.containerId);
        if (event.sandboxId !== undefined && event.containerId === undefined) this.#sandboxes.drop(event.sandboxId);
        listener.event(event);
        if (event.kind !== "containerExited" || event.containerId === undefined) return;
        for (const ring of this.#exitBells.get(event.containerId) ?? []) ring();
      },
      lost: (reason) => listener.lost(reason),
      kindOf: (id) => this.#kindOf(id),
      sandboxOf: (id) => this.#sandboxOf.get(id),
      hasStarted: async (id) => (await this.#containerState(id)) !== ContainerState.CONTAINER_CREATED,
      hasExited: async (id) => {
        const state = await this.#containerState(id);
        return state !== ContainerState.CONTAINER_CREATED && state !== ContainerState.CONTAINER_RUNNING;
      },
      hasStopped: async (id) => {
        const status = await orGone(this.podSandboxStatus(id));
        return status === undefined || status.state === "notReady";
      },
    };
    switch (source) {
      case "containerd":
        return listenToContainerd(this.#connection, this.#clock, observer);
      case "cri":
        return listenToCri(this.#connection, observer);
    }
  }

  /** Tells sandboxes from containers: containerd's tasks are both. */
  async #kindOf(id: string): Promise<"sandbox" | "container" | "stranger"> {
    if (this.#sandboxOf.has(id as ContainerId)) return "container";
    if (this.#sandboxes.has(id as SandboxId)) return "sandbox";
    const { items } = await this.#connection.unary(methods.listPodSandbox, { filter: { id } }, this.#limit());
    if (items.some((item) => item.id === id)) {
      this.#sandboxes.expect(id as SandboxId);
      return "sandbox";
    }
    return (await this.#findSandboxOf(id as ContainerId)) === undefined ? "stranger" : "container";
  }

  /** `undefined` for one that is gone. */
  async #containerState(id: ContainerId): Promise<ContainerState | undefined> {
    const request = { containerId: id };
    const response = await orGone(
      found("container", id, this.#connection.unary(methods.containerStatus, request, this.#limit())),
    );
    return response?.status?.state;
  }
}

/** May this status be kept until the state changes? */
function isFinal(status: ContainerStatus, now: Instant): boolean {
  switch (status.state.kind) {
    case "created":
    case "running":
      return true;
    case "exited":
      return now - status.state.finishedAt > exitedStatusSettles;
    case "unknown":
      return false;
  }
}

/** CRI counts seconds; a rest becomes a whole one, so nothing is cut short. */
const wholeSeconds = (wait: Millis): bigint => BigInt(Math.max(0, Math.ceil(wait / 1000)));

async function found<T>(what: "sandbox" | "container", id: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof GrpcError && error.code === "NotFound") throw new RuntimeNotFoundError(what, id);
    throw error;
  }
}

/** Stopping or removing what is gone is done already. */
async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof GrpcError) || error.code !== "NotFound") throw error;
  }
}

/** Between a list and a closer look things may vanish. */
async function orGone<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof RuntimeNotFoundError) return undefined;
    throw error;
  }
}
