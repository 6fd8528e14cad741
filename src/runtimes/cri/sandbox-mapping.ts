// Pod sandboxes in our words and in CRI's.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  PodSandboxConfig,
  PodSandboxMetadata,
  PodSandboxStatus,
  PortProtocol,
  SandboxId,
} from "../runtime-service.ts";
import {
  type PodSandboxConfigSchema,
  type PodSandboxMetadata as CriPodSandboxMetadata,
  PodSandboxState,
  type PodSandboxStatus as CriPodSandboxStatus,
  Protocol,
} from "./gen/cri.ts";
import {
  criNamespaceOptions,
  criSecurityProfile,
  instantOf,
  int64Value,
  namespaceModeOf,
  present,
} from "./runtime-mapping.ts";

/** What a kubelet wants → the message that a runtime takes. */
export function criSandboxConfig(config: PodSandboxConfig): MessageInitShape<typeof PodSandboxConfigSchema> {
  const context = config.securityContext;
  return {
    metadata: { ...config.metadata },
    // On the node's network the Pod has the node's name, and runtimes refuse another.
    hostname: context.namespaceOptions.network === "NODE" ? "" : config.hostname,
    logDirectory: config.logDirectory,
    ...(config.dns === undefined
      ? {}
      : {
          dnsConfig: {
            servers: [...config.dns.servers],
            searches: [...config.dns.searches],
            options: [...config.dns.options],
          },
        }),
    portMappings: config.portMappings.map(({ protocol, containerPort, hostPort, hostIP }) => ({
      protocol: criProtocol[protocol],
      containerPort,
      hostPort,
      hostIp: hostIP ?? "",
    })),
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    linux: {
      cgroupParent: config.cgroupParent ?? "",
      sysctls: { ...config.sysctls },
      securityContext: {
        namespaceOptions: criNamespaceOptions(context.namespaceOptions),
        readonlyRootfs: context.readonlyRootfs ?? false,
        privileged: context.privileged ?? false,
        supplementalGroups: (context.supplementalGroups ?? []).map(BigInt),
        ...present({
          runAsUser: context.runAsUser === undefined ? undefined : int64Value(context.runAsUser),
          runAsGroup: context.runAsGroup === undefined ? undefined : int64Value(context.runAsGroup),
          seccomp: context.seccomp === undefined ? undefined : criSecurityProfile(context.seccomp),
        }),
      },
    },
  };
}

/** What a runtime reports → our status. */
export function sandboxStatusOf(status: CriPodSandboxStatus): PodSandboxStatus {
  const ips = [status.network?.ip ?? "", ...(status.network?.additionalIps ?? []).map(({ ip }) => ip)];
  return {
    id: status.id as SandboxId,
    metadata: sandboxMetadataOf(status.metadata),
    state: status.state === PodSandboxState.SANDBOX_READY ? "ready" : "notReady",
    createdAt: instantOf(status.createdAt),
    ips: ips.filter((ip) => ip !== ""),
    network: namespaceModeOf(status.linux?.namespaces?.options?.network),
    labels: status.labels,
    annotations: status.annotations,
  };
}

function sandboxMetadataOf(metadata: CriPodSandboxMetadata | undefined): PodSandboxMetadata {
  return {
    name: metadata?.name ?? "",
    namespace: metadata?.namespace ?? "",
    uid: metadata?.uid ?? "",
    attempt: metadata?.attempt ?? 0,
  };
}

const criProtocol: Readonly<Record<PortProtocol, Protocol>> = {
  TCP: Protocol.TCP,
  UDP: Protocol.UDP,
  SCTP: Protocol.SCTP,
};
