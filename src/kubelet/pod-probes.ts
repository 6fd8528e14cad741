// All probes of one Pod: a worker for each container and kind, woken by what the Pod's status shows and by its own period (pod-lifecycle 6.2, 6.8).

import type { Pod, PodStatus, Probe } from "../api/generated/core-v1.ts";
import { after, elapsed, type Instant, type Millis, millis, seconds, type Timer } from "../base/time.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { containerIdOf } from "./container-statuses.ts";
import type { KubeletParts } from "./kubelet-parts.ts";
import type { ProbeResult, ProbeResults, ProbeResultsByContainer } from "./observed-pod.ts";
import { initContainersOf, isTerminalPhase, type PodContainer, regularContainersOf } from "./pod-containers.ts";
import {
  countProbeResult,
  lookWithProbeWorker,
  newProbeWorker,
  type ProbeDecision,
  type ProbeType,
  type ProbeView,
  type ProbeWorkerState,
} from "./probe-worker.ts";
import { runProbe } from "./prober.ts";

interface Worker {
  readonly type: ProbeType;
  readonly container: PodContainer;
  readonly probe: Probe;
  /** The periods of liveness and startup probes count from here. */
  readonly tickedSince: Instant;
  state: ProbeWorkerState;
  busy: boolean;
  ended: boolean;
  timer: Timer | undefined;
  /** While the instance may be probed: since when, which early try is next, and when the next probe is that counts. */
  turn: { readonly since: Instant; earlyTries: number; nextAt: Instant } | undefined;
}

/**
 * When a container that may be probed is tried before its first probe that counts, after the moment it may be. Upstream looks about a second after a
 * container has started; these tries let one that is ready sooner be Ready sooner. Their failures are neither counted nor told.
 */
const earlyTries: readonly Millis[] = [millis(0), millis(100), millis(250), millis(500)];
const firstReadinessProbe = seconds(1);

export class PodProbes {
  readonly #parts: KubeletParts;
  readonly #kubeletStartedAt: Instant;
  readonly #changed: () => void;
  readonly #workers: Worker[] = [];
  readonly #results = new Map<ContainerId, ProbeResults>();
  /** Instances that ran before this kubelet: what the API said of them goes on until a probe says otherwise. */
  readonly #adopted = new Set<ContainerId>();
  #pod: Pod;
  #status: PodStatus;

  /** @param changed a stored result has changed */
  constructor(parts: KubeletParts, pod: Pod, kubeletStartedAt: Instant, changed: () => void) {
    this.#parts = parts;
    this.#pod = pod;
    this.#status = pod.status;
    this.#kubeletStartedAt = kubeletStartedAt;
    this.#changed = changed;
    this.#adopt(pod.status);
    const sidecars = initContainersOf(pod).filter((container) => container.role === "sidecar");
    for (const container of [...sidecars, ...regularContainersOf(pod)]) {
      for (const type of ["startup", "readiness", "liveness"] as const) {
        const probe = container.spec[`${type}Probe`];
        if (probe !== undefined) this.#workers.push(newWorker(type, container, probe, parts.clock.now()));
      }
    }
  }

  get results(): ProbeResultsByContainer {
    return this.#results;
  }

  /** A status was made: workers look again. */
  statusChanged(pod: Pod, status: PodStatus): void {
    this.#pod = pod;
    this.#status = status;
    for (const worker of this.#workers) this.#look(worker, "statusChanged");
  }

  /** The Pod begins to end: only readiness goes on, and sidecars are still watched. */
  stopForTermination(): void {
    for (const worker of this.#workers) {
      if (worker.type !== "readiness" && worker.container.role === "regular") this.#end(worker);
    }
  }

  stop(): void {
    for (const worker of this.#workers) this.#end(worker);
  }

  #adopt(status: PodStatus): void {
    for (const { state, containerID, ready, started } of [
      ...(status.containerStatuses ?? []),
      ...(status.initContainerStatuses ?? []),
    ]) {
      const id = containerIdOf(containerID);
      if (state?.running === undefined || id === undefined) continue;
      this.#adopted.add(id);
      this.#results.set(id, {
        readiness: ready ? "success" : "failure",
        ...(started === true ? { startup: "success" } : {}),
      });
    }
  }

  #look(worker: Worker, because: "statusChanged" | "timer"): void {
    if (worker.ended || worker.busy) return; // a busy one looks when its probe is through
    const { clock } = this.#parts;
    const now = clock.now();
    const decision = lookWithProbeWorker(worker.type, worker.probe, worker.state, this.#view(worker), now);
    const isNewInstance = decision.state.containerID !== worker.state.containerID;
    this.#take(worker, decision);
    const id = containerIdOf(worker.state.containerID);
    if (isNewInstance) worker.turn = undefined;
    switch (decision.step.kind) {
      case "end":
        this.#end(worker);
        return;
      case "idle":
        worker.turn = undefined;
        this.#wakeAt(worker, undefined);
        return;
      case "waitUntil":
        this.#wakeAt(worker, decision.step.at);
        return;
      case "probe": {
        worker.turn ??= this.#newTurn(worker, now);
        const due = this.#dueAt(worker, worker.turn, because, now);
        if (due > now) this.#wakeAt(worker, due);
        else void this.#probe(worker, worker.turn, id);
        return;
      }
    }
  }

  #newTurn(worker: Worker, now: Instant): NonNullable<Worker["turn"]> {
    const spread = this.#spread(worker, now);
    if (spread !== undefined) return { since: now, earlyTries: earlyTries.length, nextAt: spread };
    switch (worker.type) {
      case "readiness":
        return { since: now, earlyTries: 0, nextAt: after(now, firstReadinessProbe) };
      case "startup":
        return { since: now, earlyTries: 0, nextAt: nextTick(worker, now) };
      case "liveness": // an early success would change nothing
        return { since: now, earlyTries: earlyTries.length, nextAt: nextTick(worker, now) };
    }
  }

  /** Early tries, then each period; a container that is not ready also whenever its status is made. */
  #dueAt(worker: Worker, turn: NonNullable<Worker["turn"]>, because: "statusChanged" | "timer", now: Instant): Instant {
    const early = earlyTries[turn.earlyTries];
    if (early !== undefined) return after(turn.since, early);
    const id = containerIdOf(worker.state.containerID);
    const ready = id !== undefined && this.#results.get(id)?.readiness === "success";
    const isDue = worker.type === "readiness" && because === "statusChanged" && !ready && hasProbed(turn, now);
    return isDue ? now : turn.nextAt;
  }

  async #probe(worker: Worker, turn: NonNullable<Worker["turn"]>, id: ContainerId | undefined): Promise<void> {
    if (id === undefined) return;
    worker.busy = true;
    this.#wakeAt(worker, undefined);
    const isEarly = turn.earlyTries < earlyTries.length;
    const now = this.#parts.clock.now();
    if (!isEarly) turn.nextAt = after(now, seconds(worker.probe.periodSeconds));
    const target = { pod: this.#pod, container: worker.container, id, podIp: this.#status.podIP ?? "" };
    const result = await runProbe(this.#parts, worker.type, worker.probe, target, !isEarly);
    worker.busy = false;
    if (worker.ended) return;
    if (isEarly) turn.earlyTries = nextEarlyTry(turn, this.#parts.clock.now());
    if (isEarly && result === "success") {
      turn.earlyTries = earlyTries.length;
      turn.nextAt = after(now, seconds(worker.probe.periodSeconds));
    }
    const counts = result !== undefined && !(isEarly && result === "failure");
    if (counts && containerIdOf(worker.state.containerID) === id) {
      const counted = countProbeResult(worker.type, worker.probe, worker.state, result);
      worker.state = counted.state;
      if (counted.store !== undefined && this.#store(id, worker.type, counted.store)) this.#changed();
    }
    // What happened meanwhile is looked at, but is no reason to probe again at once.
    this.#look(worker, "timer");
  }

  #take(worker: Worker, decision: ProbeDecision): void {
    const before = containerIdOf(worker.state.containerID);
    const id = containerIdOf(decision.state.containerID);
    worker.state = decision.state;
    if (before !== undefined && before !== id) this.#forget(before, worker.type);
    if (decision.store === undefined || id === undefined) return;
    const isFirstWord = before !== id && this.#adopted.has(id) && this.#results.get(id)?.[worker.type] !== undefined;
    if (!isFirstWord) this.#store(id, worker.type, decision.store);
  }

  /** Keeps a result; answers whether it is another one than before. */
  #store(id: ContainerId, type: ProbeType, result: ProbeResult): boolean {
    const known = this.#results.get(id) ?? {};
    if (known[type] === result) return false;
    this.#results.set(id, { ...known, [type]: result });
    return true;
  }

  #forget(id: ContainerId, type: ProbeType): void {
    const { [type]: _forgotten, ...rest } = this.#results.get(id) ?? {};
    if (Object.keys(rest).length === 0) this.#results.delete(id);
    else this.#results.set(id, rest);
  }

  #view(worker: Worker): ProbeView {
    const { name } = worker.container.spec;
    const statuses = [...(this.#status.containerStatuses ?? []), ...(this.#status.initContainerStatuses ?? [])];
    return {
      podIsTerminal: isTerminalPhase(this.#status.phase),
      podIsBeingDeleted: this.#pod.metadata.deletionTimestamp !== undefined,
      restarts: worker.container.role === "sidecar" || this.#pod.spec.restartPolicy !== "Never",
      container: statuses.find((status) => status.name === name),
    };
  }

  /** A kubelet that finds many containers running does not probe them all at once. */
  #spread(worker: Worker, now: Instant): Instant | undefined {
    const id = containerIdOf(worker.state.containerID);
    const period = seconds(worker.probe.periodSeconds);
    if (id === undefined || !this.#adopted.has(id) || elapsed(this.#kubeletStartedAt, now) >= period) return undefined;
    return after(now, millis(this.#parts.random.stream("probe-start").between(0, period)));
  }

  #wakeAt(worker: Worker, at: Instant | undefined): void {
    worker.timer?.cancel();
    worker.timer = undefined;
    if (at === undefined) return;
    const { clock } = this.#parts;
    const label = `${worker.type} probe of ${this.#pod.metadata.name}/${worker.container.spec.name}`;
    worker.timer = clock.setTimer(
      elapsed(clock.now(), at),
      () => {
        worker.timer = undefined;
        this.#look(worker, "timer");
      },
      label,
    );
  }

  #end(worker: Worker): void {
    worker.ended = true;
    this.#wakeAt(worker, undefined);
  }
}

function newWorker(type: ProbeType, container: PodContainer, probe: Probe, now: Instant): Worker {
  return {
    type,
    container,
    probe,
    tickedSince: now,
    state: newProbeWorker,
    busy: false,
    ended: false,
    timer: undefined,
    turn: undefined,
  };
}

/** The first whole period since the worker began that is not before `from`. */
function nextTick(worker: Worker, from: Instant): Instant {
  const period = seconds(worker.probe.periodSeconds);
  const ticks = Math.max(1, Math.ceil(elapsed(worker.tickedSince, from) / period));
  return after(worker.tickedSince, millis(ticks * period));
}

/** The index of the next early try: a slow answer takes the place of those that it has passed, so that the first probe that counts is not late. */
function nextEarlyTry(turn: NonNullable<Worker["turn"]>, now: Instant): number {
  const next = earlyTries.findIndex((wait, index) => index > turn.earlyTries && after(turn.since, wait) > now);
  return next < 0 ? earlyTries.length : next;
}

/** The first probe that counts is behind. */
function hasProbed(turn: NonNullable<Worker["turn"]>, now: Instant): boolean {
  return now >= after(turn.since, firstReadinessProbe);
}
