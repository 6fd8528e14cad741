// What an update of a Service leaves unsaid: allocated values that stay, and values that go because the type no longer has them (pod-lifecycle 13.9).

import type { Service, ServicePort, ServiceSpec } from "../../generated/core-v1.ts";
import { sameJson } from "../../meta/json-object.ts";
import { isExternallyAccessible, needsClusterIp, needsHealthCheck, needsNodePorts } from "./service.ts";

/** The new Service with what was allocated to the old one, where a client left it out. */
export function keepAllocatedValues(next: Service, old: Service): Service {
  let spec = next.spec;
  if (needsClusterIp(old.spec.type) && needsClusterIp(spec.type)) {
    if ((spec.clusterIP ?? "") === "") spec = withValue(spec, "clusterIP", old.spec.clusterIP);
    if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === old.spec.clusterIP) {
      spec = withValue(spec, "clusterIPs", old.spec.clusterIPs);
    }
  }
  if (needsNodePorts(old.spec.type) && needsNodePorts(spec.type) && spec.ports !== undefined) {
    spec = { ...spec, ports: keepNodePorts(spec.ports, old.spec.ports ?? []) };
  }
  if (needsHealthCheck(old) && needsHealthCheck({ ...next, spec }) && (spec.healthCheckNodePort ?? 0) === 0) {
    spec = withValue(spec, "healthCheckNodePort", old.spec.healthCheckNodePort);
  }
  return spec === next.spec ? next : { ...next, spec };
}

/** Ports are known by their names; a number that another port has taken meanwhile is not given twice. */
function keepNodePorts(next: readonly ServicePort[], old: readonly ServicePort[]): readonly ServicePort[] {
  const before = new Set(old.map(({ nodePort = 0 }) => nodePort));
  const used = new Set(next.map(({ nodePort = 0 }) => nodePort).filter((port) => before.has(port)));
  const byName = new Map(old.map(({ name = "", nodePort = 0 }) => [name, nodePort]));
  return next.map((port) => {
    const kept = byName.get(port.name ?? "") ?? 0;
    if ((port.nodePort ?? 0) !== 0 || kept === 0 || used.has(kept)) return port;
    used.add(kept);
    return { ...port, nodePort: kept };
  });
}

/**
 * `clusterIP` and `clusterIPs` say the same: a client that knows only the first of them, or changed only one, gets the other made up.
 * @param old undefined for a new Service
 */
export function alignClusterIps(next: Service, old: Service | undefined): Service {
  const { clusterIP = "", clusterIPs = [] } = next.spec;
  const withIps = (ips: readonly string[] | undefined): Service => ({
    ...next,
    spec: withValue(next.spec, "clusterIPs", ips),
  });
  if (old === undefined) return clusterIP !== "" && clusterIPs.length === 0 ? withIps([clusterIP]) : next;
  const { clusterIP: oldIp = "", clusterIPs: oldIps = [] } = old.spec;
  if (clusterIP === oldIp) return clusterIPs.length === 0 && oldIps.length > 0 ? withIps(oldIps) : next;
  if (!sameJson(clusterIPs, oldIps)) return next;
  return withIps(clusterIP === "" ? undefined : [clusterIP]);
}

/**
 * Takes away what the new type has no use for: only what the old type had, what was filled in by the server, and what the client did not touch in the
 * same update (that is for validation to judge).
 */
export function dropUnusedFields(next: Service, old: Service): Service {
  let spec = next.spec;
  const drop = (...fields: readonly (keyof ServiceSpec)[]): void => {
    for (const field of fields) if (sameJson(spec[field], old.spec[field])) spec = withValue(spec, field, undefined);
  };
  if (needsClusterIp(old.spec.type) && !needsClusterIp(spec.type)) {
    const sameIps = sameJson(spec.clusterIPs, old.spec.clusterIPs) && spec.clusterIP === old.spec.clusterIP;
    if (sameIps) drop("clusterIP", "clusterIPs");
    drop("ipFamilies", "ipFamilyPolicy");
  }
  if (needsNodePorts(old.spec.type) && !needsNodePorts(spec.type) && sameNodePorts(spec, old.spec)) {
    spec = withValue(
      spec,
      "ports",
      spec.ports?.map(({ nodePort: _nodePort, ...port }) => port),
    );
  }
  if (needsHealthCheck(old) && !needsHealthCheck({ ...next, spec })) drop("healthCheckNodePort");
  if (old.spec.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    drop("allocateLoadBalancerNodePorts", "loadBalancerClass");
  }
  const wasAccessible = isExternallyAccessible(old.spec.type, old.spec.externalIPs);
  if (wasAccessible && !isExternallyAccessible(spec.type, spec.externalIPs)) drop("externalTrafficPolicy");
  return spec === next.spec ? next : { ...next, spec };
}

function sameNodePorts(next: ServiceSpec, old: ServiceSpec): boolean {
  const portsOf = ({ ports = [] }: ServiceSpec): readonly number[] =>
    [...new Set(ports.map(({ nodePort = 0 }) => nodePort).filter((port) => port !== 0))].toSorted((a, b) => a - b);
  return sameJson(portsOf(next), portsOf(old));
}

function withValue<Field extends keyof ServiceSpec>(
  spec: ServiceSpec,
  field: Field,
  value: ServiceSpec[Field] | undefined,
): ServiceSpec {
  const { [field]: _, ...others } = spec;
  return (value === undefined ? others : { ...others, [field]: value }) as ServiceSpec;
}
