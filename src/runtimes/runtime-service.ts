// The seam between a node's agent and whatever runs containers, in the words of CRI v1 (cri-v1.md). Three makers: simulated, process, cri (containerd).
// `contract.ts` is the one suite that all of them pass.

import type { ByteDuplex, ProcessStreams } from "../base/byte-stream.ts";
import type { Instant, Millis } from "../base/time.ts";

export type SandboxId = string & { readonly __id: "sandbox" };
export type ContainerId = string & { readonly __id: "container" };

export interface RuntimeVersion {
  /** `containerd`, `process`, `simulated`: the prefix of a containerID (`containerd://…`). */
  readonly runtimeName: string;
  readonly runtimeVersion: string;
}

export interface RuntimeCondition {
  readonly type: "RuntimeReady" | "NetworkReady";
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

/** What a runtime cannot give; the kubelet refuses or warns by these before it starts anything. */
export interface RuntimeCapabilities {
  /** Each sandbox has an address of its own. If not, Pods share the node's address and ports. */
  readonly podAddresses: boolean;
  /** Images are pulled and give the root file system. If not, `image` is only a name. */
  readonly images: boolean;
  /** Files of the host can appear at any path inside the container. */
  readonly mounts: boolean;
  /** CPU and memory limits are enforced. */
  readonly limits: boolean;
}

export type PortProtocol = "TCP" | "UDP" | "SCTP";

export interface PortMapping {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIP?: string;
}

/** Where a namespace comes from: the Pod's sandbox, the container alone, the node, or another container. */
export type NamespaceMode = "POD" | "CONTAINER" | "NODE" | "TARGET";

export interface NamespaceOptions {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  /** The container whose PID namespace is joined when `pid` is TARGET. */
  readonly targetId?: ContainerId;
}

export interface SecurityProfile {
  readonly profileType: "RuntimeDefault" | "Unconfined" | "Localhost";
  readonly localhostRef?: string;
}

export interface SandboxSecurityContext {
  readonly namespaceOptions: NamespaceOptions;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly readonlyRootfs?: boolean;
  readonly supplementalGroups?: readonly number[];
  readonly privileged?: boolean;
  readonly seccomp?: SecurityProfile;
}

export interface PodSandboxMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
}

export interface PodSandboxConfig {
  readonly metadata: PodSandboxMetadata;
  readonly hostname: string;
  /** Host folder that container log paths are relative to. */
  readonly logDirectory: string;
  readonly dns?: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
  readonly portMappings: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cgroupParent?: string;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly securityContext: SandboxSecurityContext;
}

export interface PodSandboxStatus {
  readonly id: SandboxId;
  readonly metadata: PodSandboxMetadata;
  readonly state: "ready" | "notReady";
  readonly createdAt: Instant;
  /** One per family; empty for a sandbox on the host's network. A runtime without Pod addresses tells the address that all Pods share, or none. */
  readonly ips: readonly string[];
  readonly network: NamespaceMode;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly propagation: "None" | "HostToContainer" | "Bidirectional";
}

export interface ContainerResources {
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  readonly memoryLimitInBytes?: number;
  readonly oomScoreAdj?: number;
}

export interface ContainerSecurityContext {
  readonly namespaceOptions: NamespaceOptions;
  readonly capabilities?: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly privileged?: boolean;
  readonly runAsUser?: number;
  readonly runAsUsername?: string;
  readonly runAsGroup?: number;
  readonly readonlyRootfs?: boolean;
  readonly supplementalGroups?: readonly number[];
  readonly noNewPrivileges?: boolean;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly seccomp?: SecurityProfile;
}

export interface ContainerMetadata {
  readonly name: string;
  /** The restart count of this instance: 0 for the first. */
  readonly attempt: number;
}

export interface ContainerConfig {
  readonly metadata: ContainerMetadata;
  /** What the image service called the image after pulling (`imageRef`); for a runtime without images, the name in the spec. */
  readonly imageRef: string;
  /** The name in the Pod's spec. */
  readonly userSpecifiedImage: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Relative to the sandbox's log directory: `<container>/<restartCount>.log`. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly resources: ContainerResources;
  readonly securityContext: ContainerSecurityContext;
}

/** A container is in one of these states; each holds only what is true in it. */
export type ContainerRuntimeState =
  | { readonly kind: "created" }
  | { readonly kind: "running"; readonly startedAt: Instant }
  | {
      readonly kind: "exited";
      readonly startedAt: Instant;
      readonly finishedAt: Instant;
      /** 128 + N for a process killed by signal N. */
      readonly exitCode: number;
      /** `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerCannotRun`, `Unknown`. */
      readonly reason: string;
      readonly message: string;
    }
  /** The runtime cannot say. */
  | { readonly kind: "unknown" };

export interface ContainerStatus {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly metadata: ContainerMetadata;
  readonly state: ContainerRuntimeState;
  readonly createdAt: Instant;
  /** The image's readable name, as the runtime resolved it. */
  readonly image: string;
  /** Digest or id of the image. */
  readonly imageRef: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Absolute host path of the log. */
  readonly logPath: string;
  readonly resources?: ContainerResources;
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] };
}

export interface ContainerFilter {
  readonly sandboxId?: SandboxId;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ExecSyncResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

/** `execSync` was given a time-out and it passed; the process was killed. */
export class ExecTimeoutError extends Error {
  constructor(command: readonly string[], timeout: Millis) {
    super(`command timed out: "${command.join(" ")}" timed out after ${timeout / 1000}s`);
    this.name = "ExecTimeoutError";
  }
}

/** The runtime does not know the id. */
export class RuntimeNotFoundError extends Error {
  constructor(what: "sandbox" | "container" | "image", id: string) {
    super(`${what} "${id}" not found`);
    this.name = "RuntimeNotFoundError";
  }
}

/** The runtime was asked for something that it cannot do; the text says what to do instead. */
export class RuntimeUnsupportedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RuntimeUnsupportedError";
  }
}

/** The streams that a client wants. With `tty` stderr is not asked for: a terminal has one output. */
export interface StreamRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/**
 * Carries a prepared stream out: resolves with the exit code when the process has ended and all its output has been taken (0 for `attach`), rejects with
 * the reason when it could not be started. When the signal of the streams says that the client is gone, its input ends, its output is
 * no longer taken, and a terminal is hung up; what the process does then is its own business, and the promise settles soon.
 */
export type StreamCall = (streams: ProcessStreams) => Promise<number>;

/** Connections into one sandbox. */
export interface PortForwarding {
  /** To a port of the sandbox's own loopback. Rejects, or the source throws, with a text that is fit for the client. */
  connect(port: number): Promise<ByteDuplex>;
  /** Ends all connections. */
  close(): void;
}

export interface ContainerStats {
  readonly id: ContainerId;
  readonly timestamp: Instant;
  /** Since the container started. */
  readonly cpuUsageNanoSeconds: bigint;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
}

/** Something happened that a kubelet wants to look at now instead of at its next relist. */
export interface RuntimeEvent {
  readonly kind: "containerStarted" | "containerExited" | "containerOutOfMemory" | "sandboxStopped";
  readonly containerId?: ContainerId;
  readonly sandboxId?: SandboxId;
}

export interface LogLine {
  readonly time: Instant;
  readonly stream: "stdout" | "stderr";
  /** Without the line end. */
  readonly text: Uint8Array;
  /** The line goes on in the next entry (the runtime cut it). */
  readonly partial: boolean;
}

export interface ReadLogOptions {
  /** Stay and deliver what is written until the container has ended and all is read. */
  readonly follow: boolean;
  /** Begin at the n-th line from the end. */
  readonly tailLines?: number;
  /** Leave out what is older. */
  readonly since?: Instant;
  readonly signal?: AbortSignal;
}

/**
 * Runs sandboxes and containers. Every call is idempotent where CRI says so: stopping what is stopped and removing what is gone succeed.
 * Calls reject with an Error whose message is fit for an event ("failed to create containerd task: …").
 */
export interface RuntimeService {
  readonly capabilities: RuntimeCapabilities;
  version(): Promise<RuntimeVersion>;
  status(): Promise<readonly RuntimeCondition[]>;

  /** Makes and starts a sandbox; on failure nothing is left behind. */
  runPodSandbox(config: PodSandboxConfig): Promise<SandboxId>;
  /** Stops all containers in it by force and gives its network back. */
  stopPodSandbox(id: SandboxId): Promise<void>;
  /** Also removes all containers in it. Stops it first if needed. */
  removePodSandbox(id: SandboxId): Promise<void>;
  /** @throws RuntimeNotFoundError */
  podSandboxStatus(id: SandboxId): Promise<PodSandboxStatus>;
  listPodSandboxes(labels?: Readonly<Record<string, string>>): Promise<readonly PodSandboxStatus[]>;

  createContainer(sandboxId: SandboxId, config: ContainerConfig, sandboxConfig: PodSandboxConfig): Promise<ContainerId>;
  /** A process that cannot be started leaves the container exited (`StartError`, 128) and rejects. */
  startContainer(id: ContainerId): Promise<void>;
  /** Stop signal, up to `timeout` for it to end, then KILL. Resolves when it has ended. Zero kills at once. */
  stopContainer(id: ContainerId, timeout: Millis): Promise<void>;
  /** Removes also a running one, by force. Its log file stays. */
  removeContainer(id: ContainerId): Promise<void>;
  /** @throws RuntimeNotFoundError */
  containerStatus(id: ContainerId): Promise<ContainerStatus>;
  listContainers(filter?: ContainerFilter): Promise<readonly ContainerStatus[]>;

  /** Runs a command in a running container. @throws ExecTimeoutError; other errors mean that it could not be run. No time-out if absent. */
  execSync(id: ContainerId, command: readonly string[], timeout?: Millis): Promise<ExecSyncResult>;
  /**
   * Prepares a command with streams in a running container; nothing runs before the call is carried out.
   * @throws RuntimeNotFoundError, RuntimeUnsupportedError, Error if the container does not run
   */
  exec?(id: ContainerId, command: readonly string[], request: StreamRequest): Promise<StreamCall>;
  /**
   * Prepares to join the streams of a running container's own process, from now on.
   * @throws RuntimeNotFoundError, RuntimeUnsupportedError, Error if the container does not run
   */
  attach?(id: ContainerId, request: StreamRequest): Promise<StreamCall>;
  /** @throws RuntimeNotFoundError, Error if the sandbox is not ready */
  portForward?(id: SandboxId): Promise<PortForwarding>;
  containerStats(filter?: ContainerFilter): Promise<readonly ContainerStats[]>;

  /** Reads a container's log by the absolute path of its status, also of one that was removed while its log is still there. */
  readLog(logPath: string, containerId: ContainerId | undefined, options: ReadLogOptions): AsyncIterable<LogLine>;
  /** Removes log files and folders under the sandbox log directory. Removing what is not there succeeds. */
  removeLogs(logDirectory: string): Promise<void>;

  /**
   * Events as they happen. The stream may break (the runtime restarts): `lost` is called once, the caller relists and subscribes again.
   * A runtime without events returns undefined; the kubelet relists every second then.
   */
  subscribe?(listener: { event(event: RuntimeEvent): void; lost(reason: string): void }): { close(): void };
}

export interface ImageSpec {
  /** A reference with tag or digest. */
  readonly image: string;
}

export interface ImageStatus {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  /** The image's user: a number if it has one, else a name. */
  readonly uid?: number;
  readonly username?: string;
}

export interface ImageAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

export interface ImageService {
  /** `undefined` if the image is not present. */
  imageStatus(spec: ImageSpec): Promise<ImageStatus | undefined>;
  /** Pulls and returns the reference to create containers from. Tries without credentials if none are given. */
  pullImage(spec: ImageSpec, auths: readonly ImageAuth[], sandboxConfig: PodSandboxConfig): Promise<string>;
  listImages(): Promise<readonly ImageStatus[]>;
  removeImage(spec: ImageSpec): Promise<void>;
}

/** A runtime and its images: what a node runs Pods on. */
export interface ContainerRuntime {
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  close(): Promise<void>;
}
