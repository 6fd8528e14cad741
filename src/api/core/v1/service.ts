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

/** Advice about fields that are accepted and do not do what their names say. */
export function serviceWarnings(service: Service): string[] {
  const { spec } = service;
  const warnings: string[] = [];
  if (isHeadless(service)) {
    const ignored = 'is ignored when spec.clusterIP is "None"';
    if ((spec.loadBalancerIP ?? "") !== "") warnings.push(`spec.loadBalancerIP ${ignored}`);
    if ((spec.externalIPs ?? []).length > 0) warnings.push(`spec.externalIPs ${ignored}`);
    if (spec.sessionAffinity !== "None") warnings.push("spec.SessionAffinity is ignored for headless services");
  }
  if (spec.type === "LoadBalancer" && (spec.loadBalancerIP ?? "") !== "") {
    warnings.push("spec.loadBalancerIP is not acted on: a load balancer has the addresses of the nodes");
  }
  if ((spec.loadBalancerSourceRanges ?? []).length > 0) {
    warnings.push("spec.loadBalancerSourceRanges is not acted on: clients from everywhere are let in");
  }
  return warnings;
}

/** Whether traffic from outside the cluster can come in through this Service. */
export function isExternallyAccessible(type: string, externalIps: readonly unknown[] | undefined): boolean {
  return type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && (externalIps ?? []).length > 0);
}

/** Whether a Service of this type has an address inside the cluster. */
export function needsClusterIp(type: string): boolean {
  return type === "ClusterIP" || type === "NodePort" || type === "LoadBalancer";
}

/** Whether the Service asked to have no address: its name leads straight to the Pods. */
export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIPs?.[0] === "None";
}

/** Whether load balancers must ask the nodes which of them have Pods of the Service. */
export function needsHealthCheck({ spec }: Service): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** Whether ports on the nodes belong to this type of Service. */
export function needsNodePorts(type: string): boolean {
  return type === "NodePort" || type === "LoadBalancer";
}

function orElse<T extends string>(value: T | undefined, otherwise: T): T {
  return value === undefined || (value as string) === "" ? otherwise : value;
}
