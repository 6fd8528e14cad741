// The life of one Pod on this node: look, decide, act, report, one operation at a time (pod-lifecycle 4.1, 8.2). Whatever wakes a worker says only
// "look"; what it sees says what to do, so that a worker of a kubelet that has just started goes on where the last one was.

import type { Pod, PodStatus } from "../api/generated/core-v1.ts";
import { sameJson } from "../api/meta/json-object.ts";
import { isReason } from "../api/wire/status-error.ts";
import { after, elapsed, type Instant, millis, parseTime, seconds, type Timer } from "../base/time.ts";
import { type BackOffEntry, earliest } from "./back-off.ts";
import { isKubeletCondition } from "./conditions.ts";
import type { StartError } from "./container-statuses.ts";
import { aliveContainers } from "./container-killer.ts";
import { withoutInterruptedStarts } from "./interrupted-start.ts";
import { errorText, nodeIps } from "./kubelet-parts.ts";
import { nothingObserved, type ObservedPod } from "./observed-pod.ts";
import { observePod, type ReadMessages } from "./observe.ts";
import { isTerminalPhase, namespaceOf, podDescription } from "./pod-containers.ts";
import { podEvent } from "./pod-events.ts";
import { PodProbes } from "./pod-probes.ts";
import { computePodStatus, deadlineExceededMessage, rejectedPodStatus } from "./pod-status.ts";
import { nextPodWork, type PodWork, type PodWorkInput, type TerminationCause } from "./pod-work.ts";
import { rejectionMessage } from "./admission.ts";
import { terminalPodStatus } from "./status-merge.ts";
import { PodSync, restoreBackOffs, type SyncMemory } from "./sync-pod.ts";
import type { NodeWork } from "./node-work.ts";

/** An operation was given up because the Pod's work has changed. */
class Superseded extends Error {
  constructor() {
    super("the Pod's work has changed");
    this.name = "Superseded";
  }
}

/** The runtime did not say what it has of the Pod. */
class Unseen extends Error {
  constructor(cause: unknown) {
    super(errorText(cause), { cause });
    this.name = "Unseen";
  }
}

/** A look that failed is taken again after this, as the look at everything would be. */
const nextLook = seconds(1);

export class PodWorker implements SyncMemory {
  readonly #node: NodeWork;
  readonly #sync: PodSync;
  readonly #probes: PodProbes;
  readonly #onGone: () => void;
  readonly #messages: ReadMessages = new Map();
  readonly startErrors = new Map<string, StartError>();
  readonly backOffs = new Map<string, BackOffEntry>();
  readonly retryAt = new Map<string, Instant>();
  #pod: Pod;
  #work: PodWork;
  #removed: boolean;
  #observed: ObservedPod = nothingObserved;
  #hasLooked = false;
  #status: PodStatus | undefined;
  #cleaned = false;
  #deleteSent = false;
  #stopped = false;
  #dirty = false;
  #running = false;
  #operation: AbortController | undefined;
  #timer: Timer | undefined;

  /** @param onGone called when nothing of the Pod is left on this node */
  constructor(
    node: NodeWork,
    pod: Pod,
    options: { removed?: boolean; rejection?: { reason: string; message: string } },
    onGone: () => void,
  ) {
    this.#node = node;
    this.#pod = pod;
    this.#removed = options.removed === true;
    this.#onGone = onGone;
    this.#sync = new PodSync(node, this);
    this.#probes = new PodProbes(node.parts, pod, node.startedAt, () => this.#probeResultChanged());
    const { rejection } = options;
    this.#work =
      rejection === undefined
        ? { phase: "syncing" }
        : {
            phase: "terminating",
            because: { kind: "rejected", ...rejection },
            gracePeriodSeconds: pod.spec.terminationGracePeriodSeconds,
            since: node.parts.clock.now(),
          };
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** What was seen of it last; `undefined` before the first look, and while it is being worked on. */
  get observed(): ObservedPod | undefined {
    return this.#hasLooked && !this.#running ? this.#observed : undefined;
  }

  /** Takes resources of the node: it was admitted and has not ended. */
  get isActive(): boolean {
    if (this.#work.phase === "terminated" || isTerminalPhase(this.#pod.status.phase)) return false;
    return !(this.#work.phase === "terminating" && this.#work.because.kind === "rejected");
  }

  /** The API has another state of the object. */
  update(pod: Pod): void {
    const before = this.#pod;
    if (pod.metadata.generation !== before.metadata.generation) this.retryAt.clear(); // what failed may now succeed
    this.#pod = pod;
    this.#advance({});
    // What this kubelet itself wrote is no news to it.
    if (!this.#hasLooked || this.#work.phase === "terminated" || !sameJson(wishesOf(before), wishesOf(pod)))
      this.wake();
  }

  /** The API shows the Pod by a new object: what is known of it is told again. */
  retell(): void {
    if (this.#status !== undefined) this.#report(this.#status, this.#work.phase !== "terminated");
  }

  /** The object has gone from the API. */
  remove(last: Pod): void {
    this.#pod = last;
    this.#removed = true;
    this.#node.reporter.forget(last.metadata.uid);
    this.#advance({});
    this.wake();
  }

  /** Look as soon as the operation at hand is over. */
  wake(): void {
    this.#dirty = true;
    if (!this.#running && !this.#stopped) void this.#run();
  }

  /** Ends the worker, not the Pod. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#probes.stop();
    this.#operation?.abort(new Superseded());
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#dirty && !this.#stopped) {
      this.#dirty = false;
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#operation = new AbortController();
      const { signal } = this.#operation;
      try {
        await this.#turn(signal);
      } catch (error) {
        if (!signal.aborted) this.#failed(error);
      }
      this.#operation = undefined;
    }
    this.#running = false;
  }

  #turn(signal: AbortSignal): Promise<void> {
    switch (this.#work.phase) {
      case "syncing":
        return this.#syncOnce(signal);
      case "terminating":
        return this.#terminate(this.#work, signal);
      case "terminated":
        return this.#cleanUp(this.#work, signal);
    }
  }

  async #syncOnce(signal: AbortSignal): Promise<void> {
    const { clock, recorder } = this.#node.parts;
    await this.#look(signal);
    const status = this.#makeStatus(false, undefined);
    const deadline = this.#deadline(status);
    if (deadline !== undefined && deadline <= clock.now() && !isTerminalPhase(status.phase)) {
      podEvent(recorder, this.#pod, "Normal", "DeadlineExceeded", deadlineExceededMessage);
      this.#advance({ deadlineExceeded: true });
      this.wake();
      return;
    }
    this.#report(status, true);
    if (isTerminalPhase(status.phase)) {
      this.#advance({ terminalPhase: true });
      this.wake();
      return;
    }
    const result = await this.#sync.perform(this.#pod, this.#observed, this.#probes.results, signal);
    if (result.lookAgain) this.wake();
    else this.#wakeAt(earliest(result.syncAgainAt, deadline));
  }

  async #terminate(work: PodWork & { phase: "terminating" }, signal: AbortSignal): Promise<void> {
    const { killer } = this.#node;
    await this.#look(signal);
    this.#report(this.#makeStatus(false, work.because), true);
    this.#probes.stopForTermination();
    const podIp = this.#status?.podIP ?? "";
    const request = { pod: this.#pod, observed: this.#observed, graceSeconds: work.gracePeriodSeconds, podIp };
    try {
      await killer.killPod(request, signal);
    } catch (error) {
      signal.throwIfAborted();
      podEvent(
        this.#node.parts.recorder,
        this.#pod,
        "Warning",
        "FailedKillPod",
        `error killing pod: ${errorText(error)}`,
      );
      throw error;
    }
    this.#probes.stop();
    await this.#look(signal);
    const left = aliveContainers(this.#observed);
    if (left.length > 0) {
      throw new Error(
        `detected running containers after a successful KillPod: ${left.map((each) => each.metadata.name).join(", ")}`,
      );
    }
    this.#status = this.#makeStatus(true, work.because);
    this.#advance({ allStopped: true });
    this.wake();
  }

  async #cleanUp(work: PodWork & { phase: "terminated" }, signal: AbortSignal): Promise<void> {
    const { reporter, mounter, puller } = this.#node;
    const { uid } = this.#pod.metadata;
    if (!this.#cleaned) {
      const status = this.#status ?? this.#makeStatus(true, work.because);
      this.#report(status, false);
      await mounter.unmountAll(uid);
      puller.forgetPod(uid);
      signal.throwIfAborted();
      this.#status = work.because.kind === "rejected" ? status : terminalPodStatus(this.#pod, status);
      this.#cleaned = true;
    }
    if (this.#removed) {
      await this.#purge();
      this.stop();
      this.#onGone();
      return;
    }
    if (this.#status !== undefined) this.#report(this.#status, false);
    await reporter.flushed(uid);
    signal.throwIfAborted();
    await this.#finalDelete();
  }

  /** The object may go when nothing of it is left here and the API knows how it ended (pod-lifecycle 8.2.8). */
  async #finalDelete(): Promise<void> {
    const { reporter, parts } = this.#node;
    const { name, uid, deletionTimestamp } = this.#pod.metadata;
    const api = reporter.inApi(uid);
    if (this.#deleteSent || deletionTimestamp === undefined) return;
    if (api === undefined || !isTerminalPhase(api.status.phase)) return;
    this.#deleteSent = true;
    try {
      await parts.client.pods.delete(name, namespaceOf(this.#pod), { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (isReason(error, "NotFound") || isReason(error, "Conflict")) return; // it went without us
      this.#deleteSent = false;
      throw error;
    }
  }

  /** Removes sandboxes, containers, logs and folders. */
  async #purge(): Promise<void> {
    const { parts } = this.#node;
    const { runtime } = parts.runtime;
    const observed = await observePod(parts, this.#pod, this.#messages);
    const inSandboxes = new Set(observed.sandboxes.map((sandbox) => sandbox.id));
    await Promise.all(observed.sandboxes.map((sandbox) => runtime.removePodSandbox(sandbox.id)));
    const others = observed.containers.filter((container) => !inSandboxes.has(container.sandboxId));
    await Promise.all(others.map((container) => runtime.removeContainer(container.id)));
    await runtime.removeLogs(parts.paths.podLogs(this.#pod));
    await parts.filesystem.remove(parts.paths.pod(this.#pod.metadata.uid));
  }

  async #look(signal: AbortSignal): Promise<void> {
    const observed = await observePod(this.#node.parts, this.#pod, this.#messages).catch((error: unknown) => {
      throw new Unseen(error);
    });
    this.#observed = withoutInterruptedStarts(observed, this.#pod, this.#node.startedAt);
    signal.throwIfAborted();
    if (this.#hasLooked) return;
    this.#hasLooked = true;
    restoreBackOffs(this.#pod, this.#observed, this.backOffs);
  }

  /** What the worker has learned leads on, and what is being done for the old aim is given up. */
  #advance(learned: Partial<PodWorkInput>): void {
    const input: PodWorkInput = {
      removed: this.#removed,
      terminalPhase: false,
      deadlineExceeded: false,
      allStopped: false,
      ...learned,
    };
    const next = nextPodWork(this.#work, this.#pod, input, this.#node.parts.clock.now());
    if (next === this.#work) return;
    this.#work = next;
    this.retryAt.clear();
    this.#operation?.abort(new Superseded());
  }

  #makeStatus(podIsTerminal: boolean, cause: TerminationCause | undefined): PodStatus {
    const { parts } = this.#node;
    const now = parts.clock.now();
    const pod = this.#knownPod();
    if (cause?.kind === "rejected") return rejectedPodStatus(pod, cause.reason, rejectionMessage(cause.message), now);
    return computePodStatus(
      pod,
      {
        observed: this.#observed,
        probes: this.#probes.results,
        startErrors: this.startErrors,
        runtimeName: parts.runtimeName,
        podAddresses: parts.runtime.runtime.capabilities.podAddresses,
        nodeAddresses: nodeIps(parts.node),
        podIsTerminal,
        ...(cause === undefined ? {} : { cause }),
      },
      now,
    );
  }

  #report(status: PodStatus, containersMayRun: boolean): void {
    this.#status = status;
    this.#node.reporter.report(this.#pod, status, containersMayRun);
    this.#probes.statusChanged(this.#pod, status);
  }

  /** The object as the API has it, with the status that was made last: the API may be behind. */
  #knownPod(): Pod {
    const { status: api } = this.#pod;
    const last = this.#status;
    if (last === undefined) return this.#pod;
    const conditions = [
      ...(api.conditions ?? []).filter((condition) => !isKubeletCondition(condition.type)),
      ...(last.conditions ?? []).filter((condition) => isKubeletCondition(condition.type)),
    ];
    const verdict = isTerminalPhase(api.phase) && !isTerminalPhase(last.phase) ? { phase: api.phase } : {};
    return { ...this.#pod, status: { ...last, ...verdict, conditions } };
  }

  /** Readiness is shown at once, also while an image is being pulled for another container. */
  #probeResultChanged(): void {
    if (this.#running && this.#work.phase !== "terminated" && this.#status !== undefined) {
      const cause = this.#work.phase === "terminating" ? this.#work.because : undefined;
      this.#report(this.#makeStatus(false, cause), true);
    }
    if (this.#work.phase === "syncing") this.wake();
    else if (!this.#running && this.#work.phase === "terminating") this.wake();
  }

  /**
   * As upstream, from the start time as the API has it, which is in whole seconds (pod-lifecycle 8.6): the deadline comes up to a second early.
   */
  #deadline(status: PodStatus): Instant | undefined {
    const limit = this.#pod.spec.activeDeadlineSeconds;
    const startedAt = parseTime(status.startTime ?? "");
    return limit === undefined || startedAt === undefined ? undefined : after(startedAt, seconds(limit));
  }

  #failed(error: unknown): void {
    this.#node.parts.log(`${podDescription(this.#pod)}: ${errorText(error)}`);
    const { clock } = this.#node.parts;
    this.#wakeAt(error instanceof Unseen ? after(clock.now(), nextLook) : this.#node.retryTime());
  }

  #wakeAt(at: Instant | undefined): void {
    if (at === undefined || this.#stopped) return;
    const { clock } = this.#node.parts;
    const wait = millis(Math.max(1, elapsed(clock.now(), at)));
    this.#timer?.cancel();
    this.#timer = clock.setTimer(wait, () => this.wake(), `pod ${this.#pod.metadata.name}`);
  }
}

/** What of an object may change what its kubelet does. */
function wishesOf(pod: Pod): unknown {
  const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, finalizers } = pod.metadata;
  const foreign = (pod.status.conditions ?? []).filter((condition) => !isKubeletCondition(condition.type));
  return {
    spec: pod.spec,
    labels,
    annotations,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    finalizers,
    foreign,
    isTerminal: isTerminalPhase(pod.status.phase),
  };
}
