// The small files that the kubelet writes for a Pod, and what it reads of the node for them.

import type { Pod } from "../api/generated/core-v1.ts";
import { parseResolverFile, type PodDns, podDns } from "./dns-config.ts";
import { hostNetworkHostsFile, podHostsFile } from "./hosts-file.ts";
import { type PodHostname, podHostname } from "./hostname.ts";
import type { KubeletParts } from "./kubelet-parts.ts";
import { isHostNetwork } from "./pod-containers.ts";

export class PodFiles {
  readonly #parts: KubeletParts;

  constructor(parts: KubeletParts) {
    this.#parts = parts;
  }

  /** The folders that every Pod has. */
  async makeDirectories(pod: Pod): Promise<void> {
    const { filesystem, paths } = this.#parts;
    const folder = paths.pod(pod.metadata.uid);
    await filesystem.makeDirectory(folder, 0o750);
    await filesystem.makeDirectory(`${folder}/volumes`, 0o750);
    await filesystem.makeDirectory(`${folder}/plugins`, 0o750);
  }

  /** Writes the Pod's hosts file anew and answers with its path. */
  async writeHosts(pod: Pod, podIPs: readonly string[]): Promise<string> {
    const { filesystem, paths } = this.#parts;
    const aliases = pod.spec.hostAliases ?? [];
    const text = isHostNetwork(pod)
      ? hostNetworkHostsFile(await this.#read("/etc/hosts"), aliases)
      : podHostsFile(podIPs, this.hostname(pod), aliases);
    const path = paths.etcHosts(pod.metadata.uid);
    await filesystem.writeFile(path, new TextEncoder().encode(text), 0o644);
    return path;
  }

  /** @throws Error if the name is too long for the kernel */
  hostname(pod: Pod): PodHostname {
    const { node } = this.#parts;
    return podHostname(pod, node.clusterDomain, node.name);
  }

  async dns(pod: Pod): Promise<PodDns> {
    const { node } = this.#parts;
    return podDns(pod, {
      node: parseResolverFile(await this.#read("/etc/resolv.conf")),
      clusterDns: node.clusterDns ?? [],
      clusterDomain: node.clusterDomain,
    });
  }

  async #read(path: string): Promise<string> {
    const content = await this.#parts.filesystem.readFile(path);
    return content === undefined ? "" : new TextDecoder().decode(content);
  }
}
