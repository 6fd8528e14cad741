// What has become of every container, as the machines show it: also of those that were removed since.

import type { Pod } from "../../../api/index.ts";
import type { Instant } from "../../../base/time.ts";
import type { ContainerStatus } from "../../../runtimes/runtime-service.ts";
import type { MachineSighting } from "../inhabitant.ts";
import { nameOf, type WorldView } from "../world-view.ts";

/** A start or an end of a container that belongs to a Pod. */
export interface ContainerSighting {
  readonly kind: "started" | "exited";
  readonly at: Instant;
  readonly uid: string;
  readonly name: string;
  readonly container: ContainerStatus;
  /** As it is in the API, or was last. */
  readonly pod: Pod | undefined;
  readonly isInApi: boolean;
  /** `pod default/web-7 [app-0]` */
  readonly subject: string;
}

const podUidLabel = "io.kubernetes.pod.uid";

/** The sighting of a container's start or end; `undefined` for everything else. */
export function containerSighting(sighting: MachineSighting, view: WorldView): ContainerSighting | undefined {
  const { kind, node, at, containerId } = sighting;
  if ((kind !== "containerStarted" && kind !== "containerExited") || containerId === undefined) return undefined;
  const container = view.machines.get(node)?.container(containerId);
  const uid = container?.labels[podUidLabel];
  if (container === undefined || uid === undefined) return undefined;
  const { name } = container.metadata;
  const pod = view.lastSeen<Pod>(uid);
  return {
    kind: kind === "containerStarted" ? "started" : "exited",
    at,
    uid,
    name,
    container,
    pod,
    isInApi: view.object(uid) !== undefined,
    subject: `${pod === undefined ? uid : nameOf(pod)} [${name}]`,
  };
}
