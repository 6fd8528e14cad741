// What the scheduler believes about the nodes: what the API server told it, and the Pods it has just placed and not yet seen there.

import type { Node, Pod } from "../api/index.ts";
import { NodeInfo, type PodInfo, podInfo } from "./node-info.ts";

interface PlacedPod {
  readonly info: PodInfo;
  readonly nodeName: string;
  /** Placed by this scheduler; the API server has not confirmed it yet. */
  readonly assumed: boolean;
}

export class SchedulerCache {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #pods = new Map<string, PlacedPod>();
  #ordered: readonly NodeInfo[] | undefined;

  /** All nodes, zones taking turns, so that a search that stops early has still seen every zone. */
  nodes(): readonly NodeInfo[] {
    this.#ordered ??= zonesInTurn([...this.#nodes.values()]);
    return this.#ordered;
  }

  setNode(node: Node): void {
    const known = this.#nodes.get(node.metadata.name);
    if (known !== undefined) {
      if (zoneOf(known.node) !== zoneOf(node)) this.#ordered = undefined;
      known.update(node);
      return;
    }
    const info = new NodeInfo(node);
    // Pods may be known before their node.
    for (const placed of this.#pods.values()) if (placed.nodeName === info.name) info.add(placed.info);
    this.#nodes.set(info.name, info);
    this.#ordered = undefined;
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
    this.#ordered = undefined;
  }

  /** Counts the Pod where the scheduler has decided to put it. */
  assume(info: PodInfo, nodeName: string): void {
    this.#place({ info, nodeName, assumed: true });
  }

  isAssumed(uid: string): boolean {
    return this.#pods.get(uid)?.assumed ?? false;
  }

  /** The API server says that the Pod is on this node: it is now beyond doubt. */
  setPod(pod: Pod, nodeName: string): void {
    this.#place({ info: podInfo(pod), nodeName, assumed: false });
  }

  /** The Pod is on no node any more, or never came to be on the assumed one. Answers whether it was counted. */
  removePod(uid: string): boolean {
    const placed = this.#pods.get(uid);
    if (placed === undefined) return false;
    this.#nodes.get(placed.nodeName)?.remove(uid);
    this.#pods.delete(uid);
    return true;
  }

  #place(placed: PlacedPod): void {
    const { uid } = placed.info.pod.metadata;
    this.removePod(uid);
    this.#pods.set(uid, placed);
    this.#nodes.get(placed.nodeName)?.add(placed.info);
  }
}

/** Region and zone of a node; nodes without have their own. */
function zoneOf({ metadata }: Node): string {
  const labels = metadata.labels ?? {};
  return `${labels["topology.kubernetes.io/region"] ?? ""}/${labels["topology.kubernetes.io/zone"] ?? ""}`;
}

function zonesInTurn(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const info of nodes) {
    const zone = zoneOf(info.node);
    const members = zones.get(zone);
    if (members === undefined) zones.set(zone, [info]);
    else members.push(info);
  }
  if (zones.size <= 1) return nodes;
  const ordered: NodeInfo[] = [];
  for (let turn = 0; ordered.length < nodes.length; turn++) {
    for (const members of zones.values()) {
      const info = members[turn];
      if (info !== undefined) ordered.push(info);
    }
  }
  return ordered;
}
