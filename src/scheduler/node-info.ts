// One node as the scheduler sees it: its offer, and the sum of what is promised there. Sums are kept up as Pods come and go, never made anew.

import type { Node, Pod } from "../api/index.ts";
import { type HostPort, conflicts, hostPortsOf } from "./host-ports.ts";
import {
  type Resources,
  addResources,
  assumedRequestsOf,
  noResources,
  parseResources,
  requestsOf,
  subtractResources,
} from "./resources.ts";

/** A Pod with what is computed from it once. */
export interface PodInfo {
  readonly pod: Pod;
  readonly requests: Resources;
  /** For comparing nodes only. */
  readonly assumed: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly hostPorts: readonly HostPort[];
}

export function podInfo(pod: Pod): PodInfo {
  return { pod, requests: requestsOf(pod), assumed: assumedRequestsOf(pod), hostPorts: hostPortsOf(pod) };
}

export class NodeInfo {
  #node: Node;
  #allocatable: Resources;
  #allocatablePods: number;
  #requested: Resources = noResources;
  #assumedCpuMillis = 0;
  #assumedMemoryBytes = 0;
  readonly #pods = new Map<string, PodInfo>();
  readonly #hostPorts: HostPort[] = [];
  /** The Pods here that care about which Pods are near. */
  readonly #choosyPods = new Map<string, PodInfo>();

  constructor(node: Node) {
    this.#node = node;
    this.#allocatable = parseResources(node.status.allocatable);
    this.#allocatablePods = allocatablePods(node);
  }

  get node(): Node {
    return this.#node;
  }

  get name(): string {
    return this.#node.metadata.name;
  }

  get allocatable(): Resources {
    return this.#allocatable;
  }

  /** How many Pods the node takes. */
  get allocatablePods(): number {
    return this.#allocatablePods;
  }

  /** The sum of what the Pods here ask for. */
  get requested(): Resources {
    return this.#requested;
  }

  /** The sum of what the Pods here are thought to use; for comparing nodes. */
  get assumed(): { readonly cpuMillis: number; readonly memoryBytes: number } {
    return { cpuMillis: this.#assumedCpuMillis, memoryBytes: this.#assumedMemoryBytes };
  }

  get podCount(): number {
    return this.#pods.size;
  }

  pods(): IterableIterator<PodInfo> {
    return this.#pods.values();
  }

  /** The Pods here with affinity or anti-affinity to other Pods. */
  choosyPods(): ReadonlyMap<string, PodInfo> {
    return this.#choosyPods;
  }

  hasPortConflict(wanted: readonly HostPort[]): boolean {
    return conflicts(wanted, this.#hostPorts);
  }

  update(node: Node): void {
    if (node.status.allocatable !== this.#node.status.allocatable) {
      this.#allocatable = parseResources(node.status.allocatable);
      this.#allocatablePods = allocatablePods(node);
    }
    this.#node = node;
  }

  add(info: PodInfo): void {
    this.#pods.set(info.pod.metadata.uid, info);
    this.#requested = addResources(this.#requested, info.requests);
    this.#assumedCpuMillis += info.assumed.cpuMillis;
    this.#assumedMemoryBytes += info.assumed.memoryBytes;
    this.#hostPorts.push(...info.hostPorts);
    const { podAffinity, podAntiAffinity } = info.pod.spec.affinity ?? {};
    if (podAffinity !== undefined || podAntiAffinity !== undefined) this.#choosyPods.set(info.pod.metadata.uid, info);
  }

  remove(uid: string): void {
    const info = this.#pods.get(uid);
    if (info === undefined) return;
    this.#pods.delete(uid);
    this.#choosyPods.delete(uid);
    this.#requested = subtractResources(this.#requested, info.requests);
    this.#assumedCpuMillis -= info.assumed.cpuMillis;
    this.#assumedMemoryBytes -= info.assumed.memoryBytes;
    for (const port of info.hostPorts) this.#hostPorts.splice(this.#hostPorts.indexOf(port), 1);
  }

  /** The same node without the Pods that `leaves` names: what it would be if they were gone. */
  without(leaves: (info: PodInfo) => boolean): NodeInfo {
    const left = new NodeInfo(this.#node);
    for (const info of this.#pods.values()) if (!leaves(info)) left.add(info);
    return left;
  }
}

function allocatablePods(node: Node): number {
  return Number(node.status.allocatable?.["pods"] ?? 0);
}
