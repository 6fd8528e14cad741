// The scheduler: watches Pods and nodes, takes the next Pod that waits, decides where it goes, and tells the API server. The decision is
// schedule-pod.ts, the order of the Pods scheduling-queue.ts; here is what acts on them.

import type { Namespace, Node, Pod, PodCondition } from "../api/index.ts";
import { isReason } from "../api/wire/status-error.ts";
import type { Random, RandomStream } from "../base/random.ts";
import { type Clock, type Instant, elapsed, formatTime, millis } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { keyOf } from "../client/controller.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import { type Informer, type InformerChange, createInformer } from "../client/informer.ts";
import { nodeChanges, podChanges } from "./cluster-event.ts";
import { diagnosisMessage, noNodesMessage } from "./diagnosis.ts";
import { podInfo } from "./node-info.ts";
import type { SchedulingProfile } from "./plugin.ts";
import { defaultProfile } from "./plugins/default-profile.ts";
import { asksForLess, requestsOf } from "./resources.ts";
import { type SchedulingDecision, schedulePod } from "./schedule-pod.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { type QueuedPod, SchedulingQueue } from "./scheduling-queue.ts";
import { VolumeBinder } from "./volume-binder.ts";
import type { VolumeStep } from "./plugins/volume-binding/pod-volumes.ts";

/** Bindings that may be under way at once. */
export const bindingLimit = 256;

/** How long one turn of the loop may keep the thread to itself. On a virtual clock a turn takes no time. */
export const longestTurn = millis(10);

export interface SchedulerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** Reports as `default-scheduler`. */
  readonly recorder: EventRecorder;
  readonly profile?: SchedulingProfile;
  /** Told about what went wrong outside; the scheduler goes on by itself. */
  readonly onFailure?: (error: unknown) => void;
}

export interface RunningScheduler {
  /** Resolves when the scheduler knows the cluster and is about to look at its first Pod. */
  whenSynced(): Promise<void>;
  /** How many Pods wait, and where. */
  queueCounts(): ReturnType<SchedulingQueue["counts"]>;
  /** Takes no further Pod; resolves when the bindings under way have been answered. */
  stop(): Promise<void>;
}

export function startScheduler(options: SchedulerOptions): RunningScheduler {
  const scheduler = new Scheduler(options);
  scheduler.start();
  return scheduler;
}

class Scheduler implements RunningScheduler {
  readonly #options: SchedulerOptions;
  readonly #profile: SchedulingProfile;
  readonly #random: RandomStream;
  readonly #cache = new SchedulerCache();
  readonly #queue: SchedulingQueue;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #namespaces: Informer<Namespace>;
  readonly #volumes: VolumeBinder;
  readonly #bindings = new Set<Promise<void>>();
  #start = 0;
  #endPause: (() => void) | undefined;
  #onBindingEnd: (() => void) | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: SchedulerOptions) {
    const { client, clock, random, onFailure } = options;
    this.#options = options;
    this.#profile = options.profile ?? defaultProfile;
    this.#random = random.stream("scheduler");
    this.#queue = new SchedulingQueue({ clock, filters: this.#profile.filters });
    const shared = { clock, random, ...(onFailure === undefined ? {} : { onFailure }) };
    this.#nodes = createInformer({ resource: client.nodes, name: "scheduler/nodes", ...shared });
    this.#pods = createInformer({ resource: client.pods, name: "scheduler/pods", ...shared });
    this.#namespaces = createInformer({ resource: client.namespaces, name: "scheduler/namespaces", ...shared });
    this.#volumes = new VolumeBinder({
      client,
      clock,
      random,
      ...(onFailure === undefined ? {} : { onFailure }),
      onEvent: (event) => this.#queue.wake(event),
    });
    this.#nodes.onAny((change) => this.#nodeChanged(change));
    this.#pods.onAny((change) => this.#podChanged(change));
  }

  start(): void {
    for (const informer of this.#informers()) informer.start();
    this.#loop = this.#run();
  }

  async whenSynced(): Promise<void> {
    await Promise.all(this.#informers().map((informer) => informer.whenSynced()));
  }

  queueCounts(): ReturnType<SchedulingQueue["counts"]> {
    return this.#queue.counts();
  }

  async stop(): Promise<void> {
    for (const informer of this.#informers()) informer.stop();
    this.#queue.close();
    this.#volumes.stop();
    this.#endPause?.();
    if (this.#informers().every((informer) => informer.hasSynced())) await this.#loop;
    await Promise.all(this.#bindings);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    await this.whenSynced();
    let busy = 0;
    for (let queued = await this.#queue.next(); queued !== undefined; queued = await this.#queue.next()) {
      const began = clock.now();
      await this.#scheduleOne(queued);
      if (this.#bindings.size >= bindingLimit) await new Promise<void>((goOn) => (this.#onBindingEnd = goOn));
      busy += elapsed(began, clock.now());
      if (busy < longestTurn) continue;
      busy = 0;
      await this.#giveWay();
    }
  }

  /** Lets everyone else run: promises alone never give way to sockets and timers. */
  #giveWay(): Promise<void> {
    return new Promise((goOn) => {
      const timer = this.#options.clock.setTimer(millis(0), goOn, "scheduler: gives way");
      this.#endPause = () => {
        timer.cancel();
        goOn();
      };
    });
  }

  async #scheduleOne(queued: QueuedPod): Promise<void> {
    const { pod } = queued;
    if (pod.metadata.deletionTimestamp !== undefined) {
      const message = `skip schedule deleting pod: ${keyOf(pod)}`;
      this.#options.recorder.record(pod, { type: "Warning", reason: "FailedScheduling", message });
      this.#queue.remove(queued.uid);
      return;
    }
    let decision: SchedulingDecision;
    try {
      decision = this.#decide(pod);
    } catch (error) {
      this.#queue.fail(queued, "error");
      await this.#reportFailure(pod, "SchedulerError", messageOf(error));
      return;
    }
    switch (decision.kind) {
      case "placed": {
        this.#start = decision.nextStart;
        this.#cache.assume(podInfo(pod), decision.node.name);
        const volumes = this.#volumes.assume(pod, decision.node.node);
        const binding = this.#bind(queued, pod, decision.node.name, volumes).finally(() => {
          this.#bindings.delete(binding);
          this.#onBindingEnd?.();
        });
        this.#bindings.add(binding);
        return;
      }
      case "unschedulable":
        this.#queue.reject(queued, decision.diagnosis.rejectedBy);
        await this.#reportFailure(pod, "Unschedulable", diagnosisMessage(decision.diagnosis));
        return;
      case "noNodes":
        this.#queue.fail(queued, "noNodes");
        await this.#reportFailure(pod, "Unschedulable", noNodesMessage);
        return;
    }
  }

  #decide(pod: Pod): SchedulingDecision {
    return schedulePod(pod, {
      nodes: this.#cache.nodes(),
      namespaceLabels: (namespace) => this.#namespaces.lister.get(namespace)?.metadata.labels,
      volumes: this.#volumes.lookup,
      profile: this.#profile,
      random: this.#random,
      start: this.#start,
    });
  }

  #informers(): readonly Pick<Informer<Pod>, "start" | "whenSynced" | "hasSynced" | "stop">[] {
    return [this.#nodes, this.#pods, this.#namespaces, ...this.#volumes.informers()];
  }

  /** Tells the API server; never rejects. */
  async #bind(
    queued: QueuedPod,
    pod: Pod,
    nodeName: string,
    volumes: readonly VolumeStep[] | undefined,
  ): Promise<void> {
    const { client, recorder } = this.#options;
    const { name, namespace, uid } = pod.metadata;
    if (volumes !== undefined) {
      try {
        await this.#volumes.bind(volumes, nodeName, () => this.#queue.has(uid));
      } catch (error) {
        await this.#bindingFailed(queued, pod, error, 'PreBind plugin "VolumeBinding"');
        return;
      }
    }
    try {
      await client.pods.createSubresource(name, namespace, "binding", {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name, namespace, uid },
        target: { kind: "Node", name: nodeName },
      });
    } catch (error) {
      await this.#bindingFailed(queued, pod, error, 'Bind plugin "DefaultBinder"');
      return;
    }
    this.#queue.remove(uid);
    const message = `Successfully assigned ${keyOf(pod)} to ${nodeName}`;
    recorder.record(pod, { type: "Normal", reason: "Scheduled", message });
  }

  async #bindingFailed(queued: QueuedPod, pod: Pod, error: unknown, where: string): Promise<void> {
    // The place that was kept for the Pod is free again, for others too.
    if (this.#cache.isAssumed(queued.uid)) {
      this.#cache.removePod(queued.uid);
      this.#queue.wake({ kind: "assignedPodDeleted", pod });
    }
    if (!this.#queue.has(queued.uid)) return; // gone meanwhile, or bound by somebody else
    this.#queue.fail(queued, "error");
    if (isReason(error, "NotFound")) return; // gone; the news of it is on its way
    await this.#reportFailure(pod, "SchedulerError", `running ${where}: ${messageOf(error)}`);
  }

  /** Says why the Pod is not scheduled: an event each time, the condition when it changes (pod-lifecycle 11.3). */
  async #reportFailure(pod: Pod, reason: "Unschedulable" | "SchedulerError", message: string): Promise<void> {
    const { client, clock, recorder, onFailure } = this.#options;
    recorder.record(pod, { type: "Warning", reason: "FailedScheduling", message });
    const patch = conditionPatch(pod, { type: "PodScheduled", status: "False", reason, message }, clock.now());
    if (patch === undefined) return;
    try {
      await client.pods.patch(pod.metadata.name, pod.metadata.namespace, "strategic", patch, "status");
    } catch (error) {
      // The next attempt writes it again; a Pod that is gone needs none.
      if (!isReason(error, "NotFound")) onFailure?.(error);
    }
  }

  #nodeChanged(change: InformerChange<Node>): void {
    const { object: node } = change;
    switch (change.kind) {
      case "added":
        this.#cache.setNode(node);
        this.#queue.wake({ kind: "nodeAdded", node });
        return;
      case "updated": {
        this.#cache.setNode(node);
        const { previous } = change;
        const changes = nodeChanges(previous, node);
        if (changes.size > 0) this.#queue.wake({ kind: "nodeUpdated", node, previous, changes });
        return;
      }
      case "deleted":
        this.#cache.removeNode(node.metadata.name);
        this.#queue.wake({ kind: "nodeDeleted", node });
        return;
    }
  }

  #podChanged(change: InformerChange<Pod>): void {
    const { object: pod } = change;
    const { uid } = pod.metadata;
    const role = change.kind === "deleted" ? "over" : this.#roleOf(pod);
    switch (role) {
      case "assigned": {
        this.#queue.remove(uid);
        this.#cache.setPod(pod, pod.spec.nodeName as string);
        if (change.kind === "updated" && this.#roleOf(change.previous) === "assigned") {
          this.#assignedPodChanged(change.previous, pod);
        } else this.#queue.wake({ kind: "assignedPodAdded", pod });
        return;
      }
      case "waiting":
        // Placed and bound, only the news of it is not here yet: it must not be placed twice.
        if (this.#cache.isAssumed(uid) && !this.#queue.has(uid)) return;
        this.#queue.set(pod);
        return;
      case "foreign":
        return;
      case "over":
        this.#queue.remove(uid);
        if (this.#cache.removePod(uid)) this.#queue.wake({ kind: "assignedPodDeleted", pod });
        return;
    }
  }

  #assignedPodChanged(previous: Pod, pod: Pod): void {
    const changes = podChanges(previous, pod);
    if (changes.has("labels")) this.#queue.wake({ kind: "assignedPodRelabeled", pod, previous });
    if (changes.has("requests") && asksForLess(requestsOf(pod), requestsOf(previous))) {
      this.#queue.wake({ kind: "assignedPodScaledDown", pod, previous });
    }
  }

  /** What a Pod is to this scheduler. A Pod that has finished uses nothing any more. */
  #roleOf({ spec, status }: Pod): "assigned" | "waiting" | "foreign" | "over" {
    if (status.phase === "Succeeded" || status.phase === "Failed") return "over";
    if ((spec.nodeName ?? "") !== "") return "assigned";
    return spec.schedulerName === this.#profile.schedulerName ? "waiting" : "foreign";
  }
}

/** The patch that gives the Pod the condition; `undefined` if it says so already. The time moves only when the status does. */
export function conditionPatch(pod: Pod, wanted: PodCondition, now: Instant): object | undefined {
  const known = pod.status.conditions?.find(({ type }) => type === wanted.type);
  if (
    known?.status === wanted.status &&
    known.reason === wanted.reason &&
    (known.message ?? "") === (wanted.message ?? "")
  ) {
    return undefined;
  }
  const { generation } = pod.metadata;
  const condition: PodCondition = {
    ...wanted,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(known?.status === wanted.status ? {} : { lastTransitionTime: formatTime(now) }),
  };
  return { status: { conditions: [condition] } };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
