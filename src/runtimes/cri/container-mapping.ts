// Containers in our words and in CRI's.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ContainerConfig,
  ContainerId,
  ContainerResources,
  ContainerRuntimeState,
  ContainerSecurityContext,
  ContainerStats,
  ContainerStatus,
  Mount,
  SandboxId,
} from "../runtime-service.ts";
import {
  type ContainerConfigSchema,
  ContainerState,
  type ContainerStats as CriContainerStats,
  type ContainerStatus as CriContainerStatus,
  type LinuxContainerResources,
  type LinuxContainerSecurityContextSchema,
  MountPropagation,
} from "./gen/cri.ts";
import { criNamespaceOptions, criSecurityProfile, instantOf, int64Value, present } from "./runtime-mapping.ts";

/** What a kubelet wants → the message that a runtime takes. */
export function criContainerConfig(config: ContainerConfig): MessageInitShape<typeof ContainerConfigSchema> {
  return {
    metadata: { ...config.metadata },
    image: { image: config.imageRef, userSpecifiedImage: config.userSpecifiedImage },
    command: [...config.command],
    args: [...config.args],
    workingDir: config.workingDir,
    envs: config.envs.map(({ key, value }) => ({ key, value })),
    mounts: config.mounts.map(({ containerPath, hostPath, readonly, propagation }) => ({
      containerPath,
      hostPath,
      readonly,
      propagation: criPropagation[propagation],
    })),
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: criResources(config.resources),
      securityContext: criContainerSecurityContext(config.securityContext),
    },
  };
}

const criPropagation: Readonly<Record<Mount["propagation"], MountPropagation>> = {
  None: MountPropagation.PROPAGATION_PRIVATE,
  HostToContainer: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

/** In CRI zero means "leave it to the runtime". */
function criResources(resources: ContainerResources) {
  return {
    cpuPeriod: BigInt(resources.cpuPeriod ?? 0),
    cpuQuota: BigInt(resources.cpuQuota ?? 0),
    cpuShares: BigInt(resources.cpuShares ?? 0),
    memoryLimitInBytes: BigInt(resources.memoryLimitInBytes ?? 0),
    oomScoreAdj: BigInt(resources.oomScoreAdj ?? 0),
  };
}

function criContainerSecurityContext(
  context: ContainerSecurityContext,
): MessageInitShape<typeof LinuxContainerSecurityContextSchema> {
  return {
    namespaceOptions: criNamespaceOptions(context.namespaceOptions),
    capabilities: {
      addCapabilities: [...(context.capabilities?.add ?? [])],
      dropCapabilities: [...(context.capabilities?.drop ?? [])],
    },
    privileged: context.privileged ?? false,
    runAsUsername: context.runAsUsername ?? "",
    readonlyRootfs: context.readonlyRootfs ?? false,
    supplementalGroups: (context.supplementalGroups ?? []).map(BigInt),
    noNewPrivs: context.noNewPrivileges ?? false,
    maskedPaths: [...(context.maskedPaths ?? defaultMaskedPaths)],
    readonlyPaths: [...(context.readonlyPaths ?? defaultReadonlyPaths)],
    ...present({
      runAsUser: context.runAsUser === undefined ? undefined : int64Value(context.runAsUser),
      runAsGroup: context.runAsGroup === undefined ? undefined : int64Value(context.runAsGroup),
      seccomp: context.seccomp === undefined ? undefined : criSecurityProfile(context.seccomp),
    }),
  };
}

/** CRI takes an empty list as "hide nothing", so `procMount: Default` has to be spelled out. */
const defaultMaskedPaths: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

const defaultReadonlyPaths: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/** What a runtime reports → our status. CRI's container status does not say which sandbox it belongs to. */
export function containerStatusOf(status: CriContainerStatus, sandboxId: SandboxId): ContainerStatus {
  const resources = status.resources?.linux;
  const user = status.user?.linux;
  return {
    id: status.id as ContainerId,
    sandboxId,
    metadata: { name: status.metadata?.name ?? "", attempt: status.metadata?.attempt ?? 0 },
    state: containerStateOf(status),
    createdAt: instantOf(status.createdAt),
    image: status.image?.image ?? "",
    imageRef: status.imageRef,
    labels: status.labels,
    annotations: status.annotations,
    logPath: status.logPath,
    ...(resources === undefined ? {} : { resources: resourcesOf(resources) }),
    ...(user === undefined
      ? {}
      : {
          user: {
            uid: Number(user.uid),
            gid: Number(user.gid),
            supplementalGroups: user.supplementalGroups.map(Number),
          },
        }),
  };
}

function containerStateOf(status: CriContainerStatus): ContainerRuntimeState {
  // The wire may carry the number of a newer CRI.
  const state: number = status.state;
  switch (state) {
    case ContainerState.CONTAINER_CREATED:
      return { kind: "created" };
    case ContainerState.CONTAINER_RUNNING:
      return { kind: "running", startedAt: instantOf(status.startedAt) };
    case ContainerState.CONTAINER_EXITED:
      return {
        kind: "exited",
        startedAt: instantOf(status.startedAt),
        finishedAt: instantOf(status.finishedAt),
        exitCode: status.exitCode,
        reason: status.reason,
        message: status.message,
      };
    default:
      return { kind: "unknown" };
  }
}

function resourcesOf(resources: LinuxContainerResources): ContainerResources {
  const set = (value: bigint): number | undefined => (value === 0n ? undefined : Number(value));
  return present({
    cpuPeriod: set(resources.cpuPeriod),
    cpuQuota: set(resources.cpuQuota),
    cpuShares: set(resources.cpuShares),
    memoryLimitInBytes: set(resources.memoryLimitInBytes),
    oomScoreAdj: set(resources.oomScoreAdj),
  });
}

/** `undefined` for a container that the runtime has not measured (it is not running). */
export function containerStatsOf(stats: CriContainerStats): ContainerStats | undefined {
  const { attributes, cpu, memory } = stats;
  if (attributes === undefined || cpu === undefined || memory === undefined) return undefined;
  return {
    id: attributes.id as ContainerId,
    timestamp: instantOf(cpu.timestamp > memory.timestamp ? cpu.timestamp : memory.timestamp),
    cpuUsageNanoSeconds: cpu.usageCoreNanoSeconds?.value ?? 0n,
    memoryWorkingSetBytes: Number(memory.workingSetBytes?.value ?? 0n),
    // containerd before 1.7 may leave the total out; it is never below the working set.
    memoryUsageBytes: Number(memory.usageBytes?.value ?? memory.workingSetBytes?.value ?? 0n),
  };
}
