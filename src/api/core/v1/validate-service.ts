// Services: what is refused, in upstream's words (pod-lifecycle 13.9).

import type { Service, ServicePort } from "../../generated/core-v1.ts";
import { checkName, checkOneOf, checkRequiredOneOf } from "../../meta/field-checks.ts";
import { child, duplicate, type FieldError, forbidden, index, invalid, required } from "../../meta/field-errors.ts";
import { sameJson } from "../../meta/json-object.ts";
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  ipAddressProblems,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems,
} from "../../meta/names.ts";
import { validateLabels } from "../../meta/label-selector.ts";
import { isExternallyAccessible, isHeadless, needsClusterIp, needsHealthCheck } from "./service.ts";
import { validateClusterIps, validateClusterIpsUpdate } from "./service-addresses.ts";
import { specialAddressErrors } from "./special-addresses.ts";

/** The port of the kubelet, which a load balancer must not open to the world. */
const kubeletPort = 10_250;
const longestAffinitySeconds = 86_400;

const onlyForLoadBalancers = "may only be used when `type` is 'LoadBalancer'";

export function validateService(service: Service): FieldError[] {
  const { spec } = service;
  const ports = spec.ports ?? [];
  return [
    ...validateType(service),
    ...validatePorts(ports),
    ...(spec.selector === undefined ? [] : validateLabels(spec.selector, "spec.selector")),
    ...validateAffinity(service),
    ...validateClusterIps(service),
    ...(spec.externalIPs ?? []).flatMap((ip, i) => validateExternalIp(ip, index("spec.externalIPs", i))),
    ...checkRequiredOneOf("spec.type", spec.type, ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]),
    ...(spec.type === "ClusterIP" ? ports.flatMap(nodePortOfClusterIp) : []),
    ...duplicatePorts(ports),
    ...validateLoadBalancerFields(service),
    ...validateTrafficPolicies(service),
  ];
}

export function validateServiceUpdate(next: Service, old: Service): FieldError[] {
  return [...validateClusterIpsUpdate(next, old), ...loadBalancerClassChange(next, old), ...validateService(next)];
}

export function validateServiceStatusUpdate({ spec, status }: Service): FieldError[] {
  const ingress = status.loadBalancer?.ingress ?? [];
  const path = "status.loadBalancer.ingress";
  if (spec.type !== "LoadBalancer" && ingress.length > 0) {
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return ingress.flatMap(({ ip = "", hostname = "", ipMode }, i) => [
    ...(ip === "" ? [] : checkName(child(index(path, i), "ip"), ip, ipAddressProblems)),
    ...(ip === "" && ipMode !== undefined
      ? [forbidden(child(index(path, i), "ipMode"), "may not be specified when `ip` is not set")]
      : checkOneOf(child(index(path, i), "ipMode"), ipMode, ["Proxy", "VIP"])),
    ...(hostname === "" ? [] : validateIngressHostname(hostname, child(index(path, i), "hostname"))),
  ]);
}

function validateIngressHostname(hostname: string, path: string): FieldError[] {
  const errors = checkName(path, hostname, dns1123SubdomainProblems);
  if (ipAddressProblems(hostname).length === 0) {
    errors.push(invalid(path, hostname, "must be a DNS name, not an IP address"));
  }
  return errors;
}

/** What each type of Service demands and excludes. */
function validateType(service: Service): FieldError[] {
  const { spec } = service;
  const ports = spec.ports ?? [];
  const errors: FieldError[] = [];
  if (ports.length === 0 && !isHeadless(service) && spec.type !== "ExternalName") errors.push(required("spec.ports"));
  switch (spec.type) {
    case "LoadBalancer":
      ports.forEach(({ port }, i) => {
        if (port !== kubeletPort) return;
        const text = `may not expose port ${kubeletPort} externally since it is used by kubelet`;
        errors.push(invalid(index("spec.ports", i), port, text));
      });
      errors.push(...headlessErrors(service));
      return errors;
    case "NodePort":
      return [...errors, ...headlessErrors(service)];
    case "ExternalName":
      return [...errors, ...validateExternalName(service)];
    case "ClusterIP":
      return errors;
  }
  return errors; // a value that is not one of the type's
}

function headlessErrors(service: Service): FieldError[] {
  if (!isHeadless(service)) return [];
  return [invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${service.spec.type} services`)];
}

function validateExternalName({ spec }: Service): FieldError[] {
  const excluded = "may not be set for ExternalName services";
  const errors: FieldError[] = [];
  if ((spec.clusterIPs ?? []).length > 0) errors.push(forbidden("spec.clusterIPs", excluded));
  if ((spec.ipFamilies ?? []).length > 0) errors.push(forbidden("spec.ipFamilies", excluded));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden("spec.ipFamilyPolicy", excluded));
  // A dot at the end says that the name is complete.
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name === "") errors.push(required("spec.externalName"));
  else errors.push(...checkName("spec.externalName", name, dns1123SubdomainProblems));
  return errors;
}

function validatePorts(ports: readonly ServicePort[]): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, i) => {
    const path = index("spec.ports", i);
    const errors: FieldError[] = [];
    const { name = "" } = port;
    if (name === "") {
      if (ports.length > 1) errors.push(required(child(path, "name")));
    } else {
      errors.push(...checkName(child(path, "name"), name, dns1123LabelProblems));
      if (names.has(name)) errors.push(duplicate(child(path, "name"), name));
      names.add(name);
    }
    errors.push(...portNumberProblems(port.port).map((problem) => invalid(child(path, "port"), port.port, problem)));
    errors.push(...checkRequiredOneOf(child(path, "protocol"), port.protocol, ["SCTP", "TCP", "UDP"]));
    errors.push(...validateTargetPort(port.targetPort, child(path, "targetPort")));
    if (port.appProtocol !== undefined) {
      errors.push(...checkName(child(path, "appProtocol"), port.appProtocol, qualifiedNameProblems));
    }
    return errors;
  });
}

function validateTargetPort(port: number | string, path: string): FieldError[] {
  if (typeof port === "string") return checkName(path, port, portNameProblems);
  return portNumberProblems(port).map((problem) => invalid(path, port, problem));
}

function nodePortOfClusterIp({ nodePort = 0 }: ServicePort, i: number): FieldError[] {
  if (nodePort === 0) return [];
  return [forbidden(child(index("spec.ports", i), "nodePort"), "may not be used when `type` is 'ClusterIP'")];
}

function duplicatePorts(ports: readonly ServicePort[]): FieldError[] {
  const errors: FieldError[] = [];
  const nodePorts = new Set<string>();
  ports.forEach(({ protocol, nodePort = 0 }, i) => {
    if (nodePort === 0) return;
    if (nodePorts.has(`${protocol}/${nodePort}`)) {
      errors.push(duplicate(child(index("spec.ports", i), "nodePort"), nodePort));
    }
    nodePorts.add(`${protocol}/${nodePort}`);
  });
  const numbers = new Set<string>();
  ports.forEach(({ protocol, port }, i) => {
    if (numbers.has(`${protocol}/${port}`)) {
      // Upstream shows its own type here, with every field of it.
      const shown = { Name: "", Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
      errors.push(duplicate(index("spec.ports", i), shown));
    }
    numbers.add(`${protocol}/${port}`);
  });
  return errors;
}

function validateAffinity({ spec }: Service): FieldError[] {
  const errors = checkRequiredOneOf("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"]);
  const path = "spec.sessionAffinityConfig";
  const config = spec.sessionAffinityConfig;
  switch (spec.sessionAffinity) {
    case "None":
      if (config !== undefined) errors.push(forbidden(path, "must not be set when session affinity is None"));
      return errors;
    case "ClientIP": {
      const when = "when session affinity type is ClientIP";
      if (config === undefined) return [...errors, required(path, when)];
      if (config.clientIP === undefined) return [...errors, required(child(path, "clientIP"), when)];
      const { timeoutSeconds } = config.clientIP;
      const field = child(path, "clientIP", "timeoutSeconds");
      if (timeoutSeconds === undefined) return [...errors, required(field, when)];
      if (timeoutSeconds <= 0 || timeoutSeconds > longestAffinitySeconds) {
        errors.push(invalid(field, timeoutSeconds, `must be greater than 0 and less than ${longestAffinitySeconds}`));
      }
      return errors;
    }
  }
  return errors; // a value that is not one of the type's
}

function validateExternalIp(ip: string, path: string): FieldError[] {
  const problems = checkName(path, ip, ipAddressProblems);
  return problems.length > 0 ? problems : specialAddressErrors(ip, path);
}

function validateLoadBalancerFields({ spec }: Service): FieldError[] {
  const errors: FieldError[] = [];
  const isLoadBalancer = spec.type === "LoadBalancer";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !isLoadBalancer) {
    errors.push(forbidden("spec.loadBalancerSourceRanges", onlyForLoadBalancers));
  }
  ranges.forEach((range, i) => {
    if (isCidr(range.trim())) return;
    const text = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
    errors.push(invalid(index("spec.loadBalancerSourceRanges", i), range, text));
  });
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer) {
    errors.push(forbidden("spec.allocateLoadBalancerNodePorts", onlyForLoadBalancers));
  }
  if (spec.loadBalancerClass !== undefined) {
    if (isLoadBalancer) {
      errors.push(...checkName("spec.loadBalancerClass", spec.loadBalancerClass, qualifiedNameProblems));
    } else errors.push(forbidden("spec.loadBalancerClass", onlyForLoadBalancers));
  }
  return errors;
}

function loadBalancerClassChange({ spec: next }: Service, { spec: old }: Service): FieldError[] {
  if (next.type !== "LoadBalancer" || old.type !== "LoadBalancer") return [];
  if (sameJson(next.loadBalancerClass, old.loadBalancerClass)) return [];
  return [invalid("spec.loadBalancerClass", next.loadBalancerClass, "may not change once set")];
}

function validateTrafficPolicies(service: Service): FieldError[] {
  const { spec } = service;
  const errors: FieldError[] = [];
  const external = spec.externalTrafficPolicy ?? "";
  const policies = ["Cluster", "Local"];
  if (isExternallyAccessible(spec.type, spec.externalIPs)) {
    errors.push(...checkRequiredOneOf("spec.externalTrafficPolicy", external, policies));
  } else if (external !== "") {
    const text = "may only be set for externally-accessible services";
    errors.push(invalid("spec.externalTrafficPolicy", external, text));
  }
  const { healthCheckNodePort = 0 } = spec;
  if (!needsHealthCheck(service)) {
    if (healthCheckNodePort !== 0) {
      const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      errors.push(invalid("spec.healthCheckNodePort", healthCheckNodePort, text));
    }
  } else if (healthCheckNodePort === 0) errors.push(required("spec.healthCheckNodePort"));
  else {
    const problems = portNumberProblems(healthCheckNodePort);
    errors.push(...problems.map((problem) => invalid("spec.healthCheckNodePort", healthCheckNodePort, problem)));
  }
  if (spec.internalTrafficPolicy === undefined && needsClusterIp(spec.type)) {
    errors.push(required("spec.internalTrafficPolicy"));
  }
  errors.push(...checkOneOf("spec.internalTrafficPolicy", spec.internalTrafficPolicy, policies));
  const distributions = ["PreferClose", "PreferSameNode", "PreferSameZone"];
  return [...errors, ...checkOneOf("spec.trafficDistribution", spec.trafficDistribution, distributions)];
}

function isCidr(text: string): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  if (rest.length > 0 || ipAddressProblems(address).length > 0 || !/^\d{1,3}$/.test(length)) return false;
  return Number(length) <= (address.includes(":") ? 128 : 32);
}
