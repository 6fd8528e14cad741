// All probes of one Pod: a worker for each container and kind, woken by what the Pod's status shows and by its own period (pod-lifecycle 6.2, 6.8).

import type { Container, Pod, PodStatus, Probe } from "../api/generated/core-v1.ts";
import { after, elapsed, type Instant, type Millis, millis, parseTime, seconds, type Timer } from "../base/time.ts";
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
  state: ProbeWorkerState;
  busy: boolean;
  ended: boolean;
  /** The status changed while a probe was running. */
  again: boolean;
  timer: Timer | undefined;
  /** Not before this: workers of a kubelet that has just started spread out. */
  notBefore: Instant | undefined;
  /** When the period after the last probe is over. */
  nextAt: Instant | undefined;
}

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
        if (probe !== undefined) this.#workers.push(newWorker(type, container, probe));
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
    if (worker.ended) return;
    if (worker.busy) {
      worker.again = true;
      return;
    }
    const { clock } = this.#parts;
    const now = clock.now();
    const decision = lookWithProbeWorker(worker.type, worker.probe, worker.state, this.#view(worker), now);
    const isNewInstance = decision.state.containerID !== worker.state.containerID;
    this.#take(worker, decision);
    switch (decision.step.kind) {
      case "end":
        this.#end(worker);
        return;
      case "idle":
        worker.nextAt = undefined;
        this.#wakeAt(worker, undefined);
        return;
      case "waitUntil":
        this.#wakeAt(worker, decision.step.at);
        return;
      case "probe": {
        if (isNewInstance || worker.nextAt === undefined) worker.notBefore = this.#spread(worker);
        const due = this.#dueAt(worker, because, now);
        if (due > now) this.#wakeAt(worker, due);
        else void this.#probe(worker);
        return;
      }
    }
  }

  /** When a worker that may probe does so: at once when it begins, then each period; unready containers also whenever their status is made. */
  #dueAt(worker: Worker, because: "statusChanged" | "timer", now: Instant): Instant {
    if (worker.notBefore !== undefined && worker.notBefore > now) return worker.notBefore;
    if (worker.nextAt === undefined) return now;
    const id = containerIdOf(worker.state.containerID);
    const ready = id !== undefined && this.#results.get(id)?.readiness === "success";
    if (worker.type === "readiness" && because === "statusChanged" && !ready) return now;
    return worker.nextAt;
  }

  async #probe(worker: Worker): Promise<void> {
    const id = containerIdOf(worker.state.containerID);
    if (id === undefined) return;
    worker.busy = true;
    this.#wakeAt(worker, undefined);
    worker.nextAt = after(this.#parts.clock.now(), seconds(worker.probe.periodSeconds));
    const target = { pod: this.#pod, container: worker.container, id, podIp: this.#status.podIP ?? "" };
    const result = await runProbe(this.#parts, worker.type, worker.probe, target);
    worker.busy = false;
    if (worker.ended) return;
    if (result !== undefined && containerIdOf(worker.state.containerID) === id) {
      const counted = countProbeResult(worker.type, worker.probe, worker.state, result);
      worker.state = counted.state;
      if (counted.store !== undefined && this.#store(id, worker.type, counted.store)) this.#changed();
    }
    const again = worker.again;
    worker.again = false;
    // What happened meanwhile is looked at, but is no reason to probe again at once.
    if (again) this.#look(worker, "timer");
    if (!worker.ended && !worker.busy && worker.timer === undefined) this.#wakeAt(worker, worker.nextAt);
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
  #spread(worker: Worker): Instant | undefined {
    const { clock, random } = this.#parts;
    const period: Millis = seconds(worker.probe.periodSeconds);
    const name = worker.container.spec.name;
    const statuses = [...(this.#status.containerStatuses ?? []), ...(this.#status.initContainerStatuses ?? [])];
    const startedAt = parseTime(statuses.find((status) => status.name === name)?.state?.running?.startedAt ?? "");
    const isAdopted = startedAt !== undefined && seconds(1) + startedAt < this.#kubeletStartedAt;
    if (!isAdopted || elapsed(this.#kubeletStartedAt, clock.now()) >= period) return undefined;
    return after(clock.now(), millis(random.stream("probe-start").between(0, period)));
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

function newWorker(type: ProbeType, container: PodContainer, probe: NonNullable<Container["livenessProbe"]>): Worker {
  return {
    type,
    container,
    probe,
    state: newProbeWorker,
    busy: false,
    ended: false,
    again: false,
    timer: undefined,
    notBefore: undefined,
    nextAt: undefined,
  };
}
