// Ports of the node that Pods claim for themselves.

import { isSidecar } from "../api/core/v1/pod-requests.ts";
import type { Pod, Protocol } from "../api/index.ts";

export interface HostPort {
  readonly ip: string;
  readonly protocol: Protocol;
  readonly port: number;
}

const everyAddress = "0.0.0.0";

/** The ports that the Pod claims: those of its containers and of its sidecars. */
export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  return [...sidecars, ...spec.containers].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [{ ip: hostIP === undefined || hostIP === "" ? everyAddress : hostIP, protocol, port: hostPort }],
    ),
  );
}

/** Whether one of `wanted` is taken. A claim on every address meets a claim on any. */
export function conflicts(wanted: readonly HostPort[], taken: readonly HostPort[]): boolean {
  return wanted.some((want) =>
    taken.some(
      ({ ip, protocol, port }) =>
        port === want.port &&
        protocol === want.protocol &&
        (ip === want.ip || ip === everyAddress || want.ip === everyAddress),
    ),
  );
}
