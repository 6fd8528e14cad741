// The tables of what connects Pods: services, endpoints, ingresses, network policies.

import type { EndpointSlice } from "../../api/generated/discovery-v1.ts";
import type { Endpoints, LoadBalancerIngress, Service } from "../../api/generated/core-v1.ts";
import type { Ingress, IngressClass, NetworkPolicy } from "../../api/generated/networking-v1.ts";
import { compareCodePoints } from "../../base/ordered-keys.ts";
import { labelsText, selectorText } from "./selector-text.ts";
import type { Printed } from "./table-printer.ts";
import { ageColumn, atMost, nameColumn, orElse, printerOf } from "./table-printer.ts";

/** More addresses or ports than this are only counted. */
const shown = 3;

export const servicePrinter = printerOf<Service>([
  nameColumn,
  { name: "Type", description: "How the service is offered", cell: ({ spec }) => spec?.type ?? "" },
  {
    name: "Cluster-IP",
    description: "Address inside the cluster",
    cell: ({ spec }) => orElse(spec?.clusterIPs?.[0] ?? spec?.clusterIP, "<none>"),
  },
  { name: "External-IP", description: "Addresses for the world outside", cell: externalIpText },
  { name: "Port(s)", description: "Ports, with those of the nodes", cell: servicePortsText },
  ageColumn,
  { name: "Selector", wide: true, description: "Which Pods answer", cell: ({ spec }) => labelsText(spec?.selector) },
]);

function externalIpText({ spec, status }: Printed<Service>): string {
  const external = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case "ClusterIP":
    case "NodePort":
      return orElse(external.join(","), "<none>");
    case "LoadBalancer":
      return orElse([...ingressAddresses(status?.loadBalancer?.ingress), ...external].join(","), "<pending>");
    case "ExternalName":
      return spec.externalName ?? "";
    case undefined:
      return "<unknown>";
  }
}

function servicePortsText({ spec }: Printed<Service>): string {
  const ports = (spec?.ports ?? []).map(({ port = 0, nodePort = 0, protocol = "TCP" }) =>
    nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return orElse(ports.join(","), "<none>");
}

/** Addresses or, where there are none, names; each once, sorted. */
function ingressAddresses(
  ingress: readonly Printed<Pick<LoadBalancerIngress, "ip" | "hostname">>[] | undefined,
): string[] {
  const addresses = (ingress ?? []).map(({ ip, hostname }) => orElse(ip, hostname ?? ""));
  return [...new Set(addresses)].filter((address) => address !== "").toSorted(compareCodePoints);
}

export const endpointsPrinter = printerOf<Endpoints>([
  nameColumn,
  { name: "Endpoints", description: "Addresses and ports that are ready", cell: endpointsText },
  ageColumn,
]);

function endpointsText({ subsets }: Printed<Endpoints>): string {
  const all = (subsets ?? []).flatMap(({ addresses, ports }) => {
    const ips = (addresses ?? []).map(({ ip }) => ip ?? "");
    if ((ports ?? []).length === 0) return ips; // a headless service may have no ports
    return (ports ?? []).flatMap(({ port }) =>
      ips.map((ip) => (ip.includes(":") ? `[${ip}]:${port ?? 0}` : `${ip}:${port ?? 0}`)),
    );
  });
  return orElse(atMost(shown, all), "<none>");
}

export const endpointSlicePrinter = printerOf<EndpointSlice>([
  nameColumn,
  { name: "AddressType", description: "Family of the addresses", cell: ({ addressType }) => addressType ?? "" },
  {
    name: "Ports",
    description: "Ports of every endpoint",
    cell: ({ ports }) => {
      const texts = (ports ?? []).map(({ port, name }) => String(port ?? name ?? "*"));
      return orElse(atMost(shown, texts), "<unset>");
    },
  },
  {
    name: "Endpoints",
    description: "Addresses of the endpoints",
    cell: ({ endpoints }) => {
      const addresses = (endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
      return orElse(atMost(shown, addresses), "<unset>");
    },
  },
  ageColumn,
]);

export const ingressPrinter = printerOf<Ingress>([
  nameColumn,
  { name: "Class", description: "Which controller serves it", cell: ({ spec }) => spec?.ingressClassName ?? "<none>" },
  {
    name: "Hosts",
    description: "Host names that are served",
    cell: ({ spec }) => {
      const hosts = (spec?.rules ?? []).flatMap(({ host }) => (host === undefined || host === "" ? [] : [host]));
      return orElse(atMost(shown, hosts), "*");
    },
  },
  {
    name: "Address",
    description: "Where it can be reached",
    cell: ({ status }) => ingressAddresses(status?.loadBalancer?.ingress).join(","),
  },
  {
    name: "Ports",
    description: "Ports that are served",
    cell: ({ spec }) => ((spec?.tls ?? []).length > 0 ? "80, 443" : "80"),
  },
  ageColumn,
]);

export const ingressClassPrinter = printerOf<IngressClass>([
  nameColumn,
  { name: "Controller", description: "Who serves the class", cell: ({ spec }) => spec?.controller ?? "" },
  {
    name: "Parameters",
    description: "Object with the controller's settings",
    cell: ({ spec }) => {
      const { parameters } = spec ?? {};
      if (parameters === undefined) return "<none>";
      const group = orElse(parameters.apiGroup, "");
      return `${parameters.kind ?? ""}${group === "" ? "" : `.${group}`}/${parameters.name ?? ""}`;
    },
  },
  ageColumn,
]);

export const networkPolicyPrinter = printerOf<NetworkPolicy>([
  nameColumn,
  { name: "Pod-Selector", description: "Which Pods it is for", cell: ({ spec }) => selectorText(spec?.podSelector) },
  ageColumn,
]);
