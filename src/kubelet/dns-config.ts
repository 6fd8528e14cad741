// How a Pod resolves names (pod-lifecycle 4.7.3).

import type { Pod } from "../api/generated/core-v1.ts";
import { isHostNetwork, namespaceOf } from "./pod-containers.ts";

export interface ResolverConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface NodeDns {
  /** The node's own resolver file. */
  readonly node: ResolverConfig;
  /** Addresses of the cluster's DNS; empty if there is none. */
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
}

export interface PodDns extends ResolverConfig {
  /** Warning events: what did not fit, or what is missing. */
  readonly warnings: readonly { readonly reason: "DNSConfigForming" | "MissingClusterDNS"; readonly message: string }[];
}

const mostServers = 3;
const mostSearches = 32;
const longestSearches = 2048;

export function podDns(pod: Pod, node: NodeDns): PodDns {
  const warnings: { reason: "DNSConfigForming" | "MissingClusterDNS"; message: string }[] = [];
  const base = baseConfig(pod, node, warnings);
  const { dnsConfig } = pod.spec;
  const wanted: ResolverConfig = {
    servers: distinct([...base.servers, ...(dnsConfig?.nameservers ?? [])]),
    searches: distinct([...base.searches, ...(dnsConfig?.searches ?? [])]),
    options: mergedOptions(base.options, dnsConfig?.options ?? []),
  };
  return { ...fitted(wanted, warnings), options: wanted.options, warnings };
}

/** Reads a resolver file. */
export function parseResolverFile(text: string): ResolverConfig {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === "nameserver" && values[0] !== undefined) servers.push(values[0]);
    else if (keyword === "search") searches = values.map((value) => (value === "." ? value : value.replace(/\.$/, "")));
    else if (keyword === "options") options = values;
  }
  return { servers, searches, options };
}

type Warnings = { reason: "DNSConfigForming" | "MissingClusterDNS"; message: string }[];

function baseConfig(pod: Pod, node: NodeDns, warnings: Warnings): ResolverConfig {
  const { dnsPolicy } = pod.spec;
  if (dnsPolicy === "None") return { servers: [], searches: [], options: [] };
  if (dnsPolicy === "Default" || (dnsPolicy === "ClusterFirst" && isHostNetwork(pod))) return node.node;
  if (node.clusterDns.length === 0) {
    const described = `pod: "${pod.metadata.name}_${namespaceOf(pod)}(${pod.metadata.uid})"`;
    warnings.push({
      reason: "MissingClusterDNS",
      message: `${described}. kubelet does not have ClusterDNS IP configured and cannot create Pod using "${dnsPolicy}" policy. Falling back to "Default" policy.`,
    });
    return node.node;
  }
  const domain = node.clusterDomain;
  return {
    servers: node.clusterDns,
    searches: distinct([`${namespaceOf(pod)}.svc.${domain}`, `svc.${domain}`, domain, ...node.node.searches]),
    options: ["ndots:5"],
  };
}

function mergedOptions(
  base: readonly string[],
  own: readonly { readonly name?: string; readonly value?: string }[],
): readonly string[] {
  const byName = new Map(base.map((option) => [option.split(":")[0] ?? option, option]));
  for (const { name, value } of own) {
    if (name !== undefined) byName.set(name, value === undefined ? name : `${name}:${value}`);
  }
  return [...byName.values()];
}

function fitted(wanted: ResolverConfig, warnings: Warnings): Pick<ResolverConfig, "servers" | "searches"> {
  const servers = wanted.servers.slice(0, mostServers);
  if (servers.length < wanted.servers.length) {
    warnings.push({
      reason: "DNSConfigForming",
      message: `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(" ")}`,
    });
  }
  let searches = wanted.searches.slice(0, mostSearches);
  while (searches.join(" ").length > longestSearches) searches = searches.slice(0, -1);
  if (searches.length < wanted.searches.length) {
    warnings.push({
      reason: "DNSConfigForming",
      message: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(" ")}`,
    });
  }
  return { servers, searches };
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
