// What the runtime is told to make: sandboxes and containers (pod-lifecycle 4.4, 4.7).

import type { Container, EphemeralContainer, Pod } from "../api/generated/core-v1.ts";
import type {
  ContainerConfig,
  ContainerId,
  ImageStatus,
  Mount,
  PodSandboxConfig,
  PortMapping,
} from "../runtimes/runtime-service.ts";
import { containerAnnotations, containerLabels, sandboxLabels } from "./container-labels.ts";
import { containerResources } from "./container-resources.ts";
import type { ResolverConfig } from "./dns-config.ts";
import { expandAll, type Variable } from "./environment.ts";
import type { PodHostname } from "./hostname.ts";
import { containerLogPath } from "./node-paths.ts";
import { isHostNetwork, namespaceOf } from "./pod-containers.ts";
import { containerSecurityContext, sandboxSecurityContext } from "./security-context.ts";

export interface ContainerConfigInput {
  readonly restartCount: number;
  readonly imageRef: string;
  readonly image: ImageStatus | undefined;
  readonly variables: readonly Variable[];
  readonly mounts: readonly Mount[];
  readonly nodeMemoryBytes: number;
  /** The container whose processes an ephemeral container joins. */
  readonly target?: ContainerId;
}

export function containerConfig(
  pod: Pod,
  container: Container | EphemeralContainer,
  input: ContainerConfigInput,
): ContainerConfig {
  return {
    metadata: { name: container.name, attempt: input.restartCount },
    imageRef: input.imageRef,
    userSpecifiedImage: container.image,
    command: expandAll(container.command, input.variables),
    args: expandAll(container.args, input.variables),
    workingDir: container.workingDir ?? "",
    envs: input.variables,
    mounts: input.mounts,
    labels: containerLabels(pod, container.name),
    annotations: containerAnnotations(pod, container, input.restartCount),
    logPath: containerLogPath(container.name, input.restartCount),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    resources: containerResources(pod, container, input.nodeMemoryBytes),
    securityContext: containerSecurityContext(pod, container, input.image, input.target),
  };
}

export interface SandboxConfigInput {
  readonly attempt: number;
  readonly hostname: PodHostname;
  readonly logDirectory: string;
  readonly dns: ResolverConfig;
}

export function sandboxConfig(pod: Pod, input: SandboxConfigInput): PodSandboxConfig {
  const sysctls = pod.spec.securityContext.sysctls ?? [];
  return {
    metadata: {
      name: pod.metadata.name,
      namespace: namespaceOf(pod),
      uid: pod.metadata.uid,
      attempt: input.attempt,
    },
    hostname: isHostNetwork(pod) ? "" : input.hostname.kernelHostname,
    logDirectory: input.logDirectory,
    dns: { servers: input.dns.servers, searches: input.dns.searches, options: input.dns.options },
    portMappings: portMappings(pod),
    labels: sandboxLabels(pod),
    annotations: { ...pod.metadata.annotations },
    ...(sysctls.length === 0 ? {} : { sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])) }),
    securityContext: sandboxSecurityContext(pod),
  };
}

function portMappings(pod: Pod): readonly PortMapping[] {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter((each) => each.restartPolicy === "Always")]
    .flatMap((container) => container.ports ?? [])
    .map((port) => ({
      protocol: port.protocol,
      containerPort: port.containerPort,
      hostPort: port.hostPort ?? 0,
      ...(port.hostIP === undefined || port.hostIP === "" ? {} : { hostIP: port.hostIP }),
    }));
}
