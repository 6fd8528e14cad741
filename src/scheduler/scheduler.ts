// The scheduler: watches Pods and nodes, takes the next Pod that waits, decides where it goes, and tells the API server. The decision is
// schedule-pod.ts, the order of the Pods scheduling-queue.ts; here is what acts on them.

import type { Namespace, Node, Pod, PodDisruptionBudget } from "../api/index.ts";
import { isReason } from "../api/wire/status-error.ts";
import type { Random, RandomStream } from "../base/random.ts";
import { type Clock, elapsed, millis } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { keyOf } from "../client/controller.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import { type Informer, type InformerChange, createInformer } from "../client/informer.ts";
import { carryOutPreemption } from "./carry-out-preemption.ts";
import { nodeChanges, podChanges } from "./cluster-event.ts";
import { conditionPatch } from "./condition-patch.ts";
import { diagnosisMessage, noNodesMessage } from "./diagnosis.ts";
import { podInfo } from "./node-info.ts";
import { Nominations, priorityOf } from "./nominations.ts";
import type { SchedulingProfile } from "./plugin.ts";
import type { Preemption } from "./preempt.ts";
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
  readonly #nominations = new Nominations();
  readonly #queue: SchedulingQueue;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #namespaces: Informer<Namespace>;
  readonly #volumes: VolumeBinder;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #bindings = new Set<Promise<void>>();
  /** Preemptions that are being carried out. */
  readonly #preemptions = new Set<Promise<void>>();
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
    this.#budgets = createInformer({ resource: client.podDisruptionBudgets, name: "scheduler/budgets", ...shared });
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
    await Promise.all([...this.#bindings, ...this.#preemptions]);
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
        this.#nominations.remove(queued.uid);
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
        this.#preempt(pod, decision.preemption);
        await this.#reportFailure(
          pod,
          "Unschedulable",
          diagnosisMessage(decision.diagnosis),
          nominationAfter(decision.preemption),
        );
        return;
      case "noNodes":
        this.#queue.fail(queued, "noNodes");
        this.#nominations.remove(queued.uid);
        await this.#reportFailure(pod, "Unschedulable", noNodesMessage, null);
        return;
    }
  }

  /** Begins to make room, and goes on: the Pod is not tried again before all have been told to leave. */
  #preempt(pod: Pod, preemption: Preemption): void {
    const { uid } = pod.metadata;
    if (preemption.kind === "none") {
      if (preemption.endsNomination) this.#nominations.remove(uid);
      return;
    }
    const { nodeName, victims } = preemption;
    const outdone = [...this.#nominations.on(nodeName)]
      .map((info) => info.pod)
      .filter((other) => priorityOf(other) < priorityOf(pod));
    for (const { metadata } of outdone) this.#nominations.remove(metadata.uid);
    this.#nominations.set(pod, nodeName);
    this.#queue.hold(uid);
    const { client, clock, recorder, onFailure } = this.#options;
    const carriedOut = carryOutPreemption({ preemptor: pod, nodeName, victims, outdone }, { client, clock, recorder })
      .then(
        () => this.#queue.release(uid, { again: false }),
        (error: unknown) => {
          onFailure?.(error);
          this.#queue.release(uid, { again: true });
        },
      )
      .finally(() => this.#preemptions.delete(carriedOut));
    this.#preemptions.add(carriedOut);
  }

  #decide(pod: Pod): SchedulingDecision {
    return schedulePod(pod, {
      nodes: this.#cache.nodes(),
      namespaceLabels: (namespace) => this.#namespaces.lister.get(namespace)?.metadata.labels,
      volumes: this.#volumes.lookup,
      profile: this.#profile,
      random: this.#random,
      start: this.#start,
      nominations: this.#nominations,
      budgets: this.#budgets.lister.list(),
    });
  }

  #informers(): readonly Pick<Informer<Pod>, "start" | "whenSynced" | "hasSynced" | "stop">[] {
    return [this.#nodes, this.#pods, this.#namespaces, this.#budgets, ...this.#volumes.informers()];
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

  /**
   * Says why the Pod is not scheduled: an event each time, the condition when it changes (pod-lifecycle 11.3).
   * @param nomination the node where room is being made; null: nowhere; undefined: as it was
   */
  async #reportFailure(
    pod: Pod,
    reason: "Unschedulable" | "SchedulerError",
    message: string,
    nomination?: string | null,
  ): Promise<void> {
    const { client, clock, recorder, onFailure } = this.#options;
    recorder.record(pod, { type: "Warning", reason: "FailedScheduling", message });
    const condition = conditionPatch(pod, { type: "PodScheduled", status: "False", reason, message }, clock.now());
    const moves = nomination !== undefined && (nomination ?? "") !== (pod.status.nominatedNodeName ?? "");
    if (condition === undefined && !moves) return;
    const patch = { status: { ...condition?.status, ...(moves && { nominatedNodeName: nomination }) } };
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
        this.#nominations.remove(uid);
        this.#cache.setPod(pod, pod.spec.nodeName as string);
        if (change.kind === "updated" && this.#roleOf(change.previous) === "assigned") {
          this.#assignedPodChanged(change.previous, pod);
        } else this.#queue.wake({ kind: "assignedPodAdded", pod });
        return;
      }
      case "waiting":
        // Placed and bound, only the news of it is not here yet: it must not be placed twice.
        if (this.#cache.isAssumed(uid) && !this.#queue.has(uid)) return;
        this.#nominations.observe(pod, change.kind === "updated" ? change.previous : undefined);
        this.#queue.set(pod);
        return;
      case "foreign":
        return;
      case "over":
        this.#queue.remove(uid);
        // Who was to come counted as being there for Pods that are not more important.
        {
          const wasNominated = this.#nominations.nodeOf(uid) !== undefined;
          this.#nominations.remove(uid);
          if (this.#cache.removePod(uid) || wasNominated) this.#queue.wake({ kind: "assignedPodDeleted", pod });
        }
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

/** What a preemption makes of the Pod's nomination; undefined leaves it. */
function nominationAfter(preemption: Preemption): string | null | undefined {
  if (preemption.kind === "victims") return preemption.nodeName;
  return preemption.endsNomination ? null : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
