// One node's agent: takes the Pods that are bound to its node and lives their lives with the runtime's help. Starts from what it finds: in the API, in the
// runtime, on the disk. It keeps nothing else, so that ending it at any moment loses nothing.

import type { Node, Pod } from "../api/generated/core-v1.ts";
import { createInformer, type Informer } from "../client/informer.ts";
import { admitPod } from "./admission.ts";
import { ownerLabels } from "./container-labels.ts";
import { type ContainerLogAnswer, type ContainerLogRequest, readContainerLog } from "./container-logs.ts";
import {
  allocatableOf,
  errorText,
  type KubeletDependencies,
  type KubeletNode,
  type KubeletParts,
} from "./kubelet-parts.ts";
import { NodeAgent } from "./node-agent.ts";
import { NodePaths } from "./node-paths.ts";
import { NodeWork } from "./node-work.ts";
import { orphanPod } from "./orphans.ts";
import { isTerminalPhase } from "./pod-containers.ts";
import { podEvent } from "./pod-events.ts";
import { openPodStream, type PodStreamAnswer, type PodStreamRequest } from "./pod-streams.ts";
import { PodWorker } from "./pod-worker.ts";
import { type RuntimePod, RuntimeWatcher } from "./runtime-watcher.ts";
import { isMirrorPod } from "./static-pod.ts";
import { StaticPods } from "./static-pods.ts";
import { type NodeUsage, UsageMeter } from "./usage-meter.ts";

export type {
  ContainerLogAnswer,
  ContainerLogRequest,
  KubeletDependencies,
  KubeletNode,
  PodStreamAnswer,
  PodStreamRequest,
};

/** `refused` carries plain text and an HTTP code. */
export type NodeUsageAnswer =
  | ({ readonly kind: "usage" } & NodeUsage)
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

export interface Kubelet {
  /** Ends the agent; its Pods go on running. */
  stop(): Promise<void>;
  containerLogs(request: ContainerLogRequest): Promise<ContainerLogAnswer>;
  /** What the node and its containers use. */
  usage(): Promise<NodeUsageAnswer>;
  /** Streams into a Pod: exec, attach, portforward. */
  podStream(request: PodStreamRequest): Promise<PodStreamAnswer>;
  /** Ends the Pods that the node runs by itself, for good: for whoever ends them all. */
  endStaticPods(): void;
}

/**
 * Starts a kubelet; resolves when the runtime has answered. Registration and Pods follow by themselves.
 * @example
 * const kubelet = await startKubelet({ client, clock, random, recorder, runtime, network, filesystem, node, log });
 */
export async function startKubelet(dependencies: KubeletDependencies): Promise<Kubelet> {
  const { node, runtime } = dependencies;
  const runtimeVersion = await runtime.runtime.version();
  const parts: KubeletParts = {
    ...dependencies,
    paths: new NodePaths(node.rootDirectory, node.podLogsDirectory),
    runtimeName: runtimeVersion.runtimeName,
    ownLabel: ownerLabels(node.name, node.rootDirectory),
  };
  const kubelet = new NodeKubelet(parts, (work, signal) => new NodeAgent(work, runtimeVersion, signal));
  kubelet.start();
  return kubelet;
}

class NodeKubelet implements Kubelet {
  readonly #parts: KubeletParts;
  readonly #stop = new AbortController();
  readonly #work: NodeWork;
  readonly #agent: NodeAgent;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #watcher: RuntimeWatcher;
  readonly #statics: StaticPods;
  readonly #meter: UsageMeter;
  /** By uid. */
  readonly #workers = new Map<string, PodWorker>();
  /** Pods seen for the first time that wait to be admitted together. */
  #arrivals: Pod[] = [];

  constructor(parts: KubeletParts, agentOf: (work: NodeWork, signal: AbortSignal) => NodeAgent) {
    const { client, clock, random, node, log } = parts;
    this.#parts = parts;
    this.#work = new NodeWork(parts, this.#stop.signal);
    this.#agent = agentOf(this.#work, this.#stop.signal);
    this.#meter = new UsageMeter(parts.runtime.runtime, clock, parts.ownLabel, node.machineUsage);
    const onFailure = (error: unknown): void => log(`following the API: ${errorText(error)}`);
    const name = `kubelet/${node.name}`;
    this.#pods = createInformer({
      resource: client.pods,
      clock,
      random,
      name: `${name}/pods`,
      fieldSelector: `spec.nodeName=${node.name}`,
      onFailure,
    });
    this.#nodes = createInformer({
      resource: client.nodes,
      clock,
      random,
      name: `${name}/node`,
      fieldSelector: `metadata.name=${node.name}`,
      onFailure,
    });
    this.#statics = new StaticPods(this.#work, {
      node: () => this.#agent.node,
      start: (pod) => this.#arrive(pod),
      shown: (pod, isNew) => {
        const worker = this.#workers.get(pod.metadata.uid);
        worker?.update(pod);
        if (isNew) worker?.retell();
      },
      end: (pod) => this.#leave(pod),
    });
    this.#watcher = new RuntimeWatcher({
      parts,
      changed: (uid) => this.#workers.get(uid)?.wake(),
      known: (uid) => this.#workers.get(uid)?.observed,
      uids: () => this.#workers.keys(),
      lookedAt: (succeeded) => this.#agent.runtimeLookedAt(succeeded),
      relisted: (pods) => this.#endOrphans(pods),
    });
  }

  start(): void {
    void this.#start().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#parts.log(`starting the kubelet: ${errorText(error)}`);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the kubelet was stopped"));
    this.#pods.stop();
    this.#nodes.stop();
    this.#watcher.stop();
    this.#statics.stop();
    this.#work.objects.stop();
    for (const worker of this.#workers.values()) worker.stop();
    this.#workers.clear();
  }

  async containerLogs(request: ContainerLogRequest): Promise<ContainerLogAnswer> {
    const key = `${request.namespace}/${request.pod}`;
    const known = this.#pods.lister.get(key);
    if (known === undefined) {
      return { kind: "refused", status: 404, message: `pod "${request.pod}" not found` };
    }
    const uid = this.#runningUid(known);
    const pod = this.#work.reporter.inApi(uid) ?? known;
    return readContainerLog(this.#parts, { ...pod, metadata: { ...pod.metadata, uid } }, request);
  }

  async usage(): Promise<NodeUsageAnswer> {
    try {
      return { kind: "usage", ...(await this.#meter.usage(this.#stop.signal)) };
    } catch (error) {
      return { kind: "refused", status: 500, message: errorText(error) };
    }
  }

  endStaticPods(): void {
    this.#statics.endAll();
  }

  /** What the Pod's containers and logs are known by: for a mirror the uid of the Pod behind it. */
  #runningUid(known: Pod): string {
    return (isMirrorPod(known) ? this.#statics.uidBehind(known) : undefined) ?? known.metadata.uid;
  }

  async podStream(request: PodStreamRequest): Promise<PodStreamAnswer> {
    const known = this.#pods.lister.get(`${request.pod.namespace}/${request.pod.name}`);
    if (known === undefined || known.metadata.uid !== request.pod.uid) {
      return { kind: "refused", status: 404, message: "pod does not exist" };
    }
    return openPodStream(this.#parts, { ...request, pod: { ...request.pod, uid: this.#runningUid(known) } });
  }

  async #start(): Promise<void> {
    await this.#agent.register();
    const { signal } = this.#stop;
    this.#agent.start();
    this.#nodes.onAny((change) => {
      if (change.kind !== "deleted") this.#agent.seenInApi(change.object);
    });
    this.#nodes.start();
    await this.#work.objects.start();
    signal.throwIfAborted();
    this.#pods.onAny((change) => {
      switch (change.kind) {
        case "added":
          this.#seen(change.object);
          return;
        case "updated":
          if (change.previous.metadata.uid !== change.object.metadata.uid) this.#gone(change.previous);
          this.#seen(change.object);
          return;
        case "deleted":
          this.#gone(change.object);
          return;
      }
    });
    this.#pods.start();
    await this.#pods.whenSynced();
    await this.#statics.start();
    await Promise.resolve(); // the first Pods are admitted one turn after they were listed
    signal.throwIfAborted();
    this.#watcher.start();
    await this.#removeLeftFolders();
  }

  #seen(pod: Pod): void {
    if (this.#stop.signal.aborted) return;
    if (isMirrorPod(pod)) {
      this.#statics.seen(pod);
      return;
    }
    this.#work.reporter.seenInApi(pod);
    const worker = this.#workers.get(pod.metadata.uid);
    if (worker === undefined) this.#arrive(pod);
    else worker.update(pod);
  }

  #arrive(pod: Pod): void {
    const { uid } = pod.metadata;
    if (this.#arrivals.length === 0) queueMicrotask(() => this.#admitArrivals());
    this.#arrivals = [...this.#arrivals.filter((arrival) => arrival.metadata.uid !== uid), pod];
  }

  #gone(pod: Pod): void {
    if (isMirrorPod(pod)) {
      this.#statics.gone(pod);
      return;
    }
    this.#work.reporter.forget(pod.metadata.uid);
    this.#leave(pod);
  }

  #leave(pod: Pod): void {
    const { uid } = pod.metadata;
    this.#arrivals = this.#arrivals.filter((arrival) => arrival.metadata.uid !== uid);
    const worker = this.#workers.get(uid);
    if (worker === undefined) this.#statics.ended(uid);
    else worker.remove(pod);
  }

  /** Those that came together are admitted oldest first (pod-lifecycle 4.2.1). */
  #admitArrivals(): void {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    if (this.#stop.signal.aborted) return;
    const byAge = [...arrivals].sort((a, b) => compare(ageKey(a), ageKey(b)));
    for (const pod of byAge) this.#admit(pod);
  }

  #admit(pod: Pod): void {
    const { node } = this.#agent;
    const ended = isTerminalPhase(pod.status.phase) || pod.metadata.deletionTimestamp !== undefined;
    if (ended || node === undefined) {
      this.#startWorker(pod, {});
      return;
    }
    const others = [...this.#workers.values()].filter((worker) => worker.isActive).map((worker) => worker.pod);
    const verdict = admitPod(pod, { node, allocatable: allocatableOf(this.#parts.node), others });
    if (verdict.kind === "admitted") {
      this.#startWorker(pod, {});
      return;
    }
    const { reason, message } = verdict;
    podEvent(this.#parts.recorder, pod, "Warning", reason, message);
    this.#startWorker(pod, { rejection: { reason, message } });
  }

  #startWorker(pod: Pod, options: { removed?: boolean; rejection?: { reason: string; message: string } }): void {
    const { uid } = pod.metadata;
    const worker = new PodWorker(this.#work, pod, options, () => {
      if (this.#workers.get(uid) === worker) this.#workers.delete(uid);
      this.#statics.ended(uid);
    });
    this.#workers.set(uid, worker);
    worker.update(pod);
  }

  /** Pods of this kubelet's that the API no longer has. */
  #endOrphans(pods: readonly RuntimePod[]): void {
    for (const pod of pods) {
      if (this.#workers.has(pod.uid) || this.#arrivals.some((arrival) => arrival.metadata.uid === pod.uid)) continue;
      this.#startWorker(orphanPod(pod), { removed: true });
    }
  }

  /** Folders and logs of Pods that ended while nobody watched. */
  async #removeLeftFolders(): Promise<void> {
    const { filesystem, paths, runtime } = this.#parts;
    await this.#watcher.relist();
    const uids = await filesystem.list(paths.pods);
    const left = uids.filter((uid) => !this.#workers.has(uid));
    if (left.length === 0) return;
    const logs = await filesystem.list(paths.logs);
    for (const uid of left) {
      for (const folder of logs.filter((name) => name.endsWith(`_${uid}`))) {
        await runtime.runtime.removeLogs(`${paths.logs}/${folder}`);
      }
      await filesystem.remove(paths.pod(uid));
    }
  }
}

function ageKey(pod: Pod): string {
  return `${pod.metadata.creationTimestamp} ${pod.metadata.namespace ?? ""}/${pod.metadata.name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
