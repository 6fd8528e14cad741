// Services: what is filled in when it is left out (pod-lifecycle 13.9).

import type { Draft } from "../../draft.ts";
import type { Service, ServicePort, ServiceSpec } from "../../generated/core-v1.ts";

/** How long a client stays with one Pod under `sessionAffinity: ClientIP`, in seconds. */
export const defaultAffinitySeconds = 10_800;

/** The Service with every default; applying it again changes nothing. Addresses and node ports are not defaults: the registry allocates them. */
export function defaultService(service: Draft<Service>): Service {
  return {
    ...service,
    spec: defaultSpec(service.spec ?? {}),
    status: service.status ?? { loadBalancer: {} },
  } as Service;
}

function defaultSpec(spec: Draft<ServiceSpec>): Draft<ServiceSpec> {
  const type = orElse(spec.type, "ClusterIP");
  const sessionAffinity = orElse(spec.sessionAffinity, "None");
  const { sessionAffinityConfig, ...others } = spec;
  const affinityConfig =
    sessionAffinity === "ClientIP"
      ? { clientIP: { timeoutSeconds: sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds } }
      : sessionAffinity === "None"
        ? undefined
        : sessionAffinityConfig;
  return {
    ...others,
    type,
    sessionAffinity,
    ...(affinityConfig !== undefined && { sessionAffinityConfig: affinityConfig }),
    ...(spec.ports !== undefined && { ports: spec.ports.map(defaultPort) }),
    ...(isExternallyAccessible(type, spec.externalIPs) && {
      externalTrafficPolicy: orElse(spec.externalTrafficPolicy, "Cluster"),
    }),
    ...((type === "ClusterIP" || type === "NodePort" || type === "LoadBalancer") && {
      internalTrafficPolicy: spec.internalTrafficPolicy ?? "Cluster",
    }),
    ...(type === "LoadBalancer" && { allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true }),
  };
}

function defaultPort(port: Draft<ServicePort>): Draft<ServicePort> {
  const { targetPort } = port;
  return {
    ...port,
    protocol: orElse(port.protocol, "TCP"),
    targetPort: targetPort === undefined || targetPort === 0 || targetPort === "" ? (port.port ?? 0) : targetPort,
  };
}

/** Whether traffic from outside the cluster can come in through this Service. */
export function isExternallyAccessible(type: string, externalIps: readonly unknown[] | undefined): boolean {
  return type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && (externalIps ?? []).length > 0);
}

/** Whether a Service of this type has an address inside the cluster. */
export function needsClusterIp(type: string): boolean {
  return type === "ClusterIP" || type === "NodePort" || type === "LoadBalancer";
}

function orElse<T extends string>(value: T | undefined, otherwise: T): T {
  return value === undefined || (value as string) === "" ? otherwise : value;
}
