// From Services and EndpointSlices to the routes of one node, as kube-proxy works them out.

import type { Service, ServicePort } from "../api/generated/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../api/generated/discovery-v1.ts";
import type { RouteEndpoint, RouteTarget, RoutingTable, ServiceRoute } from "../network/service-routes.ts";

/** Says which Service a slice belongs to. */
export const serviceNameLabel = "kubernetes.io/service-name";

/** A Service with this label is routed by somebody else. */
export const serviceProxyNameLabel = "service.kubernetes.io/service-proxy-name";

/** A Service or slice with this label has no virtual address. */
export const headlessLabel = "service.kubernetes.io/headless";

const defaultAffinitySeconds = 10_800;

/** The routes of the node called `nodeName`. Headless Services and those of type ExternalName have none. */
export function planRoutes(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  nodeName: string,
): RoutingTable {
  const slicesByService = slicesOfServices(slices);
  return services
    .filter(isRouted)
    .flatMap((service) => {
      const { namespace = "", name } = service.metadata;
      return routesOf(service, slicesByService.get(`${namespace}/${name}`) ?? [], nodeName);
    })
    .sort((a, b) => order(a.name, b.name) || order(a.protocol, b.protocol) || order(a.clusterIp, b.clusterIp));
}

/** Whether connections to the Service are this proxy's to carry. */
export function isRouted({ metadata, spec }: Service): boolean {
  const { clusterIP = "", type } = spec;
  const labels = metadata.labels ?? {};
  return (
    type !== "ExternalName" &&
    clusterIP !== "" &&
    clusterIP !== "None" &&
    !(serviceProxyNameLabel in labels) &&
    !(headlessLabel in labels)
  );
}

function slicesOfServices(slices: readonly EndpointSlice[]): ReadonlyMap<string, readonly EndpointSlice[]> {
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata.labels?.[serviceNameLabel];
    if (name === undefined) continue;
    const key = `${slice.metadata.namespace ?? ""}/${name}`;
    const known = byService.get(key);
    if (known === undefined) byService.set(key, [slice]);
    else known.push(slice);
  }
  return byService;
}

function routesOf(service: Service, slices: readonly EndpointSlice[], nodeName: string): readonly ServiceRoute[] {
  const { spec } = service;
  const clusterIps = spec.clusterIPs ?? [spec.clusterIP as string];
  return clusterIps.flatMap((clusterIp) =>
    (spec.ports ?? []).map((port) =>
      routeOf(service, port, clusterIp, candidatesOf(slices, port, clusterIp), nodeName),
    ),
  );
}

function routeOf(
  service: Service,
  port: ServicePort,
  clusterIp: string,
  candidates: readonly Candidate[],
  nodeName: string,
): ServiceRoute {
  const { spec, status } = service;
  const { namespace = "", name } = service.metadata;
  const isSameFamily = (address: string): boolean => isIpv6(address) === isIpv6(clusterIp);
  const everywhere = eligible(candidates);
  const here = eligible(candidates.filter((candidate) => candidate.nodeName === nodeName));
  const anywhere = everywhere.length > 0 || here.length > 0;
  const target = (policy: string | undefined): RouteTarget => {
    const endpoints = policy === "Local" ? here : everywhere;
    if (endpoints.length > 0) return { kind: "endpoints", endpoints };
    return anywhere ? { kind: "drop" } : { kind: "reject" };
  };
  const portName = port.name ?? "";
  const ingress = (status?.loadBalancer?.ingress ?? [])
    // `Proxy` means that the balancer's traffic must pass the balancer also when it comes from here.
    .filter(({ ip, ipMode }) => ip !== undefined && ipMode !== "Proxy")
    .map(({ ip }) => ip as string);
  return {
    name: portName === "" ? `${namespace}/${name}` : `${namespace}/${name}:${portName}`,
    namespace,
    service: name,
    protocol: port.protocol as ServiceRoute["protocol"],
    clusterIp,
    port: port.port,
    ...(port.nodePort !== undefined && port.nodePort !== 0 && { nodePort: port.nodePort }),
    externalIps: (spec.externalIPs ?? []).filter(isSameFamily),
    loadBalancerIps: ingress.filter(isSameFamily),
    loadBalancerSourceRanges: (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()).filter(isSameFamily),
    internal: target(spec.internalTrafficPolicy),
    external: target(spec.externalTrafficPolicy),
    keepsClientAddress: spec.externalTrafficPolicy === "Local",
    ...(spec.sessionAffinity === "ClientIP" && {
      affinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds,
    }),
  };
}

interface Candidate extends RouteEndpoint {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodeName: string | undefined;
}

/** The ready ones; if there are none, those that end but still serve: a last chance is better than none. */
function eligible(candidates: readonly Candidate[]): readonly RouteEndpoint[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  const chosen = ready.length > 0 ? ready : candidates.filter(({ serving, terminating }) => serving && terminating);
  return chosen.map(({ address, port }) => ({ address, port }));
}

/** All endpoints of a Service's port in the family of `clusterIp`, each once, in order. */
function candidatesOf(
  slices: readonly EndpointSlice[],
  servicePort: ServicePort,
  clusterIp: string,
): readonly Candidate[] {
  const family = isIpv6(clusterIp) ? "IPv6" : "IPv4";
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== family || headlessLabel in (slice.metadata.labels ?? {})) continue;
    for (const port of slice.ports ?? []) {
      const isSame =
        (port.name ?? "") === (servicePort.name ?? "") && (port.protocol ?? "TCP") === servicePort.protocol;
      if (!isSame || port.port === undefined) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const candidate = candidateOf(endpoint, port.port);
        if (candidate === undefined) continue;
        const key = `${candidate.address} ${candidate.port}`;
        const known = found.get(key);
        // While slices are rearranged an endpoint may stand in two; the one that says more is believed.
        if (known === undefined || (!known.ready && candidate.ready)) found.set(key, candidate);
      }
    }
  }
  return [...found.values()].sort((a, b) => order(a.address, b.address) || a.port - b.port);
}

function candidateOf({ addresses, conditions, nodeName }: Endpoint, port: number): Candidate | undefined {
  // The further addresses of an endpoint have no meaning that was ever agreed on.
  const address = addresses[0];
  if (address === undefined) return undefined;
  const ready = conditions?.ready ?? true;
  return {
    address,
    port,
    ready,
    serving: conditions?.serving ?? ready,
    terminating: conditions?.terminating ?? false,
    nodeName,
  };
}

const isIpv6 = (address: string): boolean => address.includes(":");

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
