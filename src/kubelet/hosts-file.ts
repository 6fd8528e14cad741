// The text of a Pod's /etc/hosts (pod-lifecycle 4.7.2).

import type { HostAlias } from "../api/generated/core-v1.ts";
import type { PodHostname } from "./hostname.ts";

/** For a Pod with addresses of its own. */
export function podHostsFile(ips: readonly string[], name: PodHostname, aliases: readonly HostAlias[]): string {
  const lines = [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...ips.map((ip) =>
      name.domain === "" ? `${ip}\t${name.hostname}` : `${ip}\t${name.hostname}.${name.domain}\t${name.hostname}`,
    ),
  ];
  return `${lines.join("\n")}\n${aliasLines(aliases)}`;
}

/** For a Pod on the node's network: the node's file and the aliases. */
export function hostNetworkHostsFile(nodeFile: string, aliases: readonly HostAlias[]): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${aliasLines(aliases)}`;
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return "";
  const lines = aliases.map((alias) => [alias.ip, ...(alias.hostnames ?? [])].join("\t"));
  return `\n# Entries added by HostAliases.\n${lines.join("\n")}\n`;
}
