// Pods for which room is being made on a node: other Pods of no higher priority must take them for placed there (pod-lifecycle 11.5).

import { type PodInfo, podInfo } from "./node-info.ts";
import type { Pod } from "../api/index.ts";

export class Nominations {
  readonly #nodes = new Map<string, string>();
  readonly #byNode = new Map<string, Map<string, PodInfo>>();

  get size(): number {
    return this.#nodes.size;
  }

  /** The Pod is to come to this node. */
  set(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata;
    this.remove(uid);
    this.#nodes.set(uid, nodeName);
    const there = this.#byNode.get(nodeName) ?? new Map<string, PodInfo>();
    there.set(uid, podInfo(pod));
    this.#byNode.set(nodeName, there);
  }

  /**
   * News of a Pod that waits. An update that knows of no nomination, before and after, does not take back one that was just made.
   * @param previous undefined if the Pod is new
   */
  observe(pod: Pod, previous: Pod | undefined): void {
    const { nominatedNodeName: node = "" } = pod.status;
    const known = this.#nodes.get(pod.metadata.uid);
    if (node !== "") this.set(pod, node);
    else if (known !== undefined && (previous?.status.nominatedNodeName ?? "") === "") this.set(pod, known);
    else this.remove(pod.metadata.uid);
  }

  remove(uid: string): void {
    const node = this.#nodes.get(uid);
    if (node === undefined) return;
    this.#nodes.delete(uid);
    const there = this.#byNode.get(node);
    there?.delete(uid);
    if (there?.size === 0) this.#byNode.delete(node);
  }

  /** Where the Pod is to come to. */
  nodeOf(uid: string): string | undefined {
    return this.#nodes.get(uid);
  }

  on(nodeName: string): Iterable<PodInfo> {
    return this.#byNode.get(nodeName)?.values() ?? [];
  }

  /** Those on the node whom a Pod must respect: of its own priority or above, itself not. */
  before(pod: Pod, nodeName: string): readonly PodInfo[] {
    const there = this.#byNode.get(nodeName);
    if (there === undefined) return [];
    return [...there.values()].filter(
      (info) => info.pod.metadata.uid !== pod.metadata.uid && priorityOf(info.pod) >= priorityOf(pod),
    );
  }
}

export function priorityOf({ spec }: Pod): number {
  return spec.priority ?? 0;
}
