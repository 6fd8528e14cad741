// A Pod's hostname and domain (pod-lifecycle 4.7.1).

import type { Pod } from "../api/generated/core-v1.ts";
import { isHostNetwork, namespaceOf } from "./pod-containers.ts";

export interface PodHostname {
  readonly hostname: string;
  /** Empty without a subdomain. */
  readonly domain: string;
  /** What the kernel is told. */
  readonly kernelHostname: string;
}

/** The longest name that the kernel takes. */
const longestKernelHostname = 64;
const longestHostname = 63;

/** @throws Error if the fully qualified name is asked for and too long */
export function podHostname(pod: Pod, clusterDomain: string, nodeHostname: string): PodHostname {
  if (isHostNetwork(pod)) return { hostname: nodeHostname, domain: "", kernelHostname: nodeHostname };
  const { spec } = pod;
  const hostname =
    spec.hostname !== undefined && spec.hostname !== ""
      ? spec.hostname
      : pod.metadata.name.slice(0, longestHostname).replace(/[-.]+$/, "");
  const domain =
    spec.subdomain !== undefined && spec.subdomain !== ""
      ? `${spec.subdomain}.${namespaceOf(pod)}.svc.${clusterDomain}`
      : "";
  const full = domain === "" ? hostname : `${hostname}.${domain}`;
  if (spec.setHostnameAsFQDN !== true) return { hostname, domain, kernelHostname: hostname };
  if (full.length > longestKernelHostname) {
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${longestKernelHostname} characters is the max, ${full.length} characters requested)`,
    );
  }
  return { hostname, domain, kernelHostname: full };
}
