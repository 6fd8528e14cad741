// A Pod fits where its requests do, and where one more Pod does; it is better placed where more would be left over (pod-lifecycle 9.4, 11.3).

import type { Node, Pod } from "../../../api/index.ts";
import { NodeInfo } from "../../node-info.ts";
import { type FilterPlugin, type ScorePlugin, maxNodeScore } from "../../plugin.ts";
import { type Resources, asksForNothing, assumedRequestsOf, parseResources, requestsOf } from "../../resources.ts";

const name = "NodeResourcesFit";

export const nodeResourcesFit: FilterPlugin & ScorePlugin = {
  name,
  prepare(pod) {
    const requests = requestsOf(pod);
    return {
      kind: "filter",
      test(node) {
        const { reasons, unresolvable } = lacking(requests, node);
        return reasons.length === 0 ? undefined : { plugin: name, reasons, unresolvable };
      },
    };
  },
  wakesOn(event, pod) {
    switch (event.kind) {
      case "nodeAdded":
        return fitsAlone(pod, event.node);
      case "nodeUpdated":
        return (
          event.changes.has("allocatable") &&
          fitsAlone(pod, event.node) &&
          (offersMore(pod, event.previous, event.node) || !fitsAlone(pod, event.previous))
        );
      case "assignedPodDeleted":
        return true;
      case "assignedPodScaledDown":
        return asksForSomethingFreed(requestsOf(pod), requestsOf(event.previous), requestsOf(event.pod));
      case "nodeDeleted":
      case "assignedPodAdded":
      case "volumesChanged":
      case "assignedPodRelabeled":
        return false;
    }
  },
  wakesOnPodChange: (changes) => changes.has("requests"),
  prepareScore(pod) {
    const wanted = assumedRequestsOf(pod);
    return {
      score({ allocatable, assumed }) {
        const shares = [
          leftOver(allocatable.cpuMillis, assumed.cpuMillis + wanted.cpuMillis),
          leftOver(allocatable.memoryBytes, assumed.memoryBytes + wanted.memoryBytes),
        ].filter((share) => share !== undefined);
        return shares.length === 0 ? 0 : Math.floor(shares.reduce((sum, share) => sum + share, 0) / shares.length);
      },
    };
  },
};

/** What the node has too little of. Beyond what it has even when empty, nobody's leaving helps. */
export function lacking(wanted: Resources, node: NodeInfo): { reasons: readonly string[]; unresolvable: boolean } {
  const reasons: string[] = [];
  let unresolvable = false;
  if (node.podCount + 1 > node.allocatablePods) reasons.push("Too many pods");
  const check = (resource: string, want: number, offered: number, requested: number): void => {
    if (want === 0 || want <= offered - requested) return;
    reasons.push(`Insufficient ${resource}`);
    if (want > offered) unresolvable = true;
  };
  const { allocatable, requested } = node;
  check("cpu", wanted.cpuMillis, allocatable.cpuMillis, requested.cpuMillis);
  check("memory", wanted.memoryBytes, allocatable.memoryBytes, requested.memoryBytes);
  check(
    "ephemeral-storage",
    wanted.ephemeralStorageBytes,
    allocatable.ephemeralStorageBytes,
    requested.ephemeralStorageBytes,
  );
  for (const [resource, want] of Object.entries(wanted.others)) {
    check(resource, want, allocatable.others[resource] ?? 0, requested.others[resource] ?? 0);
  }
  return { reasons, unresolvable };
}

/** Of 100, how much of the node would be unused; `undefined` if the node offers none. */
function leftOver(offered: number, used: number): number | undefined {
  if (offered === 0) return undefined;
  return used > offered ? 0 : Math.floor(((offered - used) * maxNodeScore) / offered);
}

/** Whether the Pod would fit if the node were empty. Which Pods are there is seen when it is tried. */
function fitsAlone(pod: Pod, node: Node): boolean {
  return lacking(requestsOf(pod), new NodeInfo(node)).reasons.length === 0;
}

function offersMore(pod: Pod, previous: Node, node: Node): boolean {
  const wanted = requestsOf(pod);
  const before = parseResources(previous.status.allocatable);
  const now = parseResources(node.status.allocatable);
  if (podsOf(node) > podsOf(previous)) return true;
  return asksForSomethingFreed(wanted, now, before);
}

const podsOf = (node: Node): number => Number(node.status.allocatable?.["pods"] ?? 0);

/** Whether something that is wanted is in `larger` more than in `smaller`. */
function asksForSomethingFreed(wanted: Resources, larger: Resources, smaller: Resources): boolean {
  if (asksForNothing(wanted)) return false;
  return (
    (wanted.cpuMillis > 0 && larger.cpuMillis > smaller.cpuMillis) ||
    (wanted.memoryBytes > 0 && larger.memoryBytes > smaller.memoryBytes) ||
    (wanted.ephemeralStorageBytes > 0 && larger.ephemeralStorageBytes > smaller.ephemeralStorageBytes) ||
    Object.entries(wanted.others).some(
      ([resource, want]) => want > 0 && (larger.others[resource] ?? 0) > (smaller.others[resource] ?? 0),
    )
  );
}
