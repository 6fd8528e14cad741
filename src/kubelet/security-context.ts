// Who a container runs as and what it may do: the Pod's wishes, overridden by the container's own.

import type { Container, EphemeralContainer, Pod, SeccompProfile } from "../api/generated/core-v1.ts";
import type {
  ContainerId,
  ContainerSecurityContext,
  ImageStatus,
  NamespaceOptions,
  SandboxSecurityContext,
  SecurityProfile,
} from "../runtimes/runtime-service.ts";
import { isHostNetwork, podDescription } from "./pod-containers.ts";

const maskedPaths = [
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
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** `target`: the container whose processes an ephemeral container joins. */
export function containerSecurityContext(
  pod: Pod,
  container: Container | EphemeralContainer,
  image: ImageStatus | undefined,
  target: ContainerId | undefined,
): ContainerSecurityContext {
  const own = container.securityContext;
  const ofPod = pod.spec.securityContext;
  const privileged = own?.privileged === true;
  const runAsGroup = own?.runAsGroup ?? ofPod.runAsGroup;
  const seccomp = securityProfile(own?.seccompProfile ?? ofPod.seccompProfile);
  const groups = supplementalGroups(pod);
  const unmasked = privileged || own?.procMount === "Unmasked";
  return {
    namespaceOptions: namespaceOptions(pod, target),
    ...(own?.capabilities === undefined
      ? {}
      : { capabilities: { add: own.capabilities.add ?? [], drop: own.capabilities.drop ?? [] } }),
    privileged,
    ...runAs(pod, container, image),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    readonlyRootfs: own?.readOnlyRootFilesystem === true,
    supplementalGroups: groups,
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
    ...(seccomp === undefined ? {} : { seccomp }),
  };
}

/** Refuses root where the spec forbids it. @throws Error with the text for CreateContainerConfigError */
export function verifyRunsAsNonRoot(
  pod: Pod,
  container: Container | EphemeralContainer,
  image: ImageStatus | undefined,
): void {
  const own = container.securityContext;
  const ofPod = pod.spec.securityContext;
  if ((own?.runAsNonRoot ?? ofPod.runAsNonRoot) !== true) return;
  const where = `(pod: "${podDescription(pod)}", container: ${container.name})`;
  const runAsUser = own?.runAsUser ?? ofPod.runAsUser;
  if (runAsUser === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  if (image === undefined) return;
  const { uid, username = "" } = image;
  if (uid === undefined && username !== "") {
    throw new Error(
      `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root ${where}`,
    );
  }
  // An image that names no user runs as root.
  if ((uid ?? 0) === 0) throw new Error(`container has runAsNonRoot and image will run as root ${where}`);
}

export function sandboxSecurityContext(pod: Pod): SandboxSecurityContext {
  const ofPod = pod.spec.securityContext;
  const seccomp = securityProfile(ofPod.seccompProfile);
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return {
    namespaceOptions: namespaceOptions(pod, undefined),
    ...(ofPod.runAsUser === undefined ? {} : { runAsUser: ofPod.runAsUser }),
    ...(ofPod.runAsGroup === undefined ? {} : { runAsGroup: ofPod.runAsGroup }),
    supplementalGroups: supplementalGroups(pod),
    privileged: containers.some((container) => container.securityContext?.privileged === true),
    seccomp: seccomp ?? { profileType: "RuntimeDefault" },
  };
}

export function namespaceOptions(pod: Pod, target: ContainerId | undefined): NamespaceOptions {
  const { spec } = pod;
  const pid = spec.hostPID === true ? "NODE" : spec.shareProcessNamespace === true ? "POD" : "CONTAINER";
  return {
    network: isHostNetwork(pod) ? "NODE" : "POD",
    ipc: spec.hostIPC === true ? "NODE" : "POD",
    ...(target === undefined ? { pid } : { pid: "TARGET", targetId: target }),
  };
}

function runAs(
  pod: Pod,
  container: Container | EphemeralContainer,
  image: ImageStatus | undefined,
): Pick<ContainerSecurityContext, "runAsUser" | "runAsUsername"> {
  const asked = container.securityContext?.runAsUser ?? pod.spec.securityContext.runAsUser ?? image?.uid;
  if (asked !== undefined) return { runAsUser: asked };
  const name = image?.username ?? "";
  return name === "" ? {} : { runAsUsername: name };
}

function supplementalGroups(pod: Pod): readonly number[] {
  const { fsGroup, supplementalGroups: groups } = pod.spec.securityContext;
  return [...(groups ?? []), ...(fsGroup === undefined ? [] : [fsGroup])];
}

function securityProfile(profile: SeccompProfile | undefined): SecurityProfile | undefined {
  if (profile === undefined) return undefined;
  return {
    profileType: profile.type,
    ...(profile.localhostProfile === undefined ? {} : { localhostRef: profile.localhostProfile }),
  };
}
