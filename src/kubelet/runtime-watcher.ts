// Notices what happens in the runtime: by its events at once, and by looking at everything now and then, in case an event was lost or there are none.

import { type Millis, seconds, type Timer } from "../base/time.ts";
import {
  type ContainerStatus,
  type PodSandboxStatus,
  type RuntimeEvent,
  RuntimeNotFoundError,
} from "../runtimes/runtime-service.ts";
import { podUidLabel } from "./container-labels.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import { type ObservedPod, signatureOf } from "./observed-pod.ts";

/** How often everything is looked at: a runtime without events has only this. */
const relistPeriod = seconds(1);
const relistPeriodWithEvents = seconds(10);
const resubscribeDelay = seconds(1);

/** What the runtime has of one Pod uid. */
export interface RuntimePod {
  readonly uid: string;
  readonly sandboxes: readonly PodSandboxStatus[];
  readonly containers: readonly ContainerStatus[];
}

export interface RuntimeWatcherOptions {
  readonly parts: KubeletParts;
  /** Something happened to this Pod. */
  readonly changed: (uid: string) => void;
  /** How a Pod was when it was last looked at; `undefined` if nobody looks after it. */
  readonly known: (uid: string) => ObservedPod | undefined;
  readonly uids: () => Iterable<string>;
  /** Whether everything could be looked at; also told when the runtime's events break off. */
  readonly lookedAt: (succeeded: boolean) => void;
  /** After each look at everything. */
  readonly relisted: (pods: readonly RuntimePod[]) => void;
}

export class RuntimeWatcher {
  readonly #options: RuntimeWatcherOptions;
  /** Which Pod a container or sandbox belongs to. */
  readonly #owners = new Map<string, string>();
  #subscription: { close(): void } | undefined;
  #timer: Timer | undefined;
  /** The wait before the broken stream of events is opened again. */
  #resubscription: Timer | undefined;
  #stopped = false;
  /** Something could not be asked: the next look at everything must not take its time. */
  #missedSomething = false;
  #relisting: Promise<void> | undefined;

  constructor(options: RuntimeWatcherOptions) {
    this.#options = options;
  }

  start(): void {
    this.#subscribe();
    void this.relist();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#resubscription?.cancel();
    this.#subscription?.close();
  }

  /** Looks at everything now; one look at a time. */
  relist(): Promise<void> {
    this.#relisting ??= this.#relistOnce().finally(() => {
      this.#relisting = undefined;
      this.#schedule();
    });
    return this.#relisting;
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    const isRelaxed = this.#subscription !== undefined && !this.#missedSomething;
    const wait: Millis = isRelaxed ? relistPeriodWithEvents : relistPeriod;
    this.#timer = this.#options.parts.clock.setTimer(wait, () => void this.relist(), "relist");
  }

  async #relistOnce(): Promise<void> {
    const { parts, changed, known, uids, relisted, lookedAt } = this.#options;
    const { runtime } = parts.runtime;
    try {
      const [sandboxes, containers] = await Promise.all([
        runtime.listPodSandboxes(parts.ownLabel),
        runtime.listContainers({ labels: parts.ownLabel }),
      ]);
      if (this.#stopped) return;
      this.#missedSomething = false;
      lookedAt(true);
      const pods = byPod(sandboxes, containers);
      this.#remember(pods);
      const found = new Map(pods.map((pod) => [pod.uid, signatureOf(pod)]));
      for (const uid of uids()) {
        const before = known(uid);
        if (before !== undefined && signatureOf(before) !== (found.get(uid) ?? "")) changed(uid);
      }
      relisted(pods);
    } catch (error) {
      this.#missedSomething = true;
      if (this.#stopped) return;
      parts.log(`relist: ${errorText(error)}`);
      lookedAt(false);
    }
  }

  #remember(pods: readonly RuntimePod[]): void {
    this.#owners.clear();
    for (const { uid, sandboxes, containers } of pods) {
      for (const { id } of [...sandboxes, ...containers]) this.#owners.set(id, uid);
    }
  }

  #subscribe(): void {
    const { runtime } = this.#options.parts.runtime;
    this.#subscription = runtime.subscribe?.({
      event: (event) => this.#heard(event),
      lost: (reason) => this.#lost(reason),
    });
  }

  #heard(event: RuntimeEvent): void {
    // Containers start only because this kubelet starts them, and it looks afterwards anyway.
    if (this.#stopped || event.kind === "containerStarted") return;
    const uid = this.#owners.get(event.containerId ?? "") ?? this.#owners.get(event.sandboxId ?? "");
    if (uid === undefined) void this.#findOwner(event);
    else this.#options.changed(uid);
  }

  /** Asks for one container's labels instead of looking at everything. */
  async #findOwner(event: RuntimeEvent): Promise<void> {
    const { runtime } = this.#options.parts.runtime;
    try {
      const labels =
        event.containerId !== undefined
          ? (await runtime.containerStatus(event.containerId)).labels
          : event.sandboxId !== undefined
            ? (await runtime.podSandboxStatus(event.sandboxId)).labels
            : {};
      const uid = labels[podUidLabel];
      if (uid === undefined || this.#stopped) return;
      if (event.containerId !== undefined) this.#owners.set(event.containerId, uid);
      if (event.sandboxId !== undefined) this.#owners.set(event.sandboxId, uid);
      this.#options.changed(uid);
    } catch (error) {
      if (error instanceof RuntimeNotFoundError) return; // gone already: there is nothing to look at
      this.#options.parts.log(`whose event this is: ${errorText(error)}`);
      this.#missedSomething = true;
      this.#schedule();
    }
  }

  #lost(reason: string): void {
    const { parts } = this.#options;
    this.#subscription = undefined;
    if (this.#stopped) return;
    parts.log(`runtime events: ${reason}`);
    this.#options.lookedAt(false);
    this.#resubscription = parts.clock.setTimer(
      resubscribeDelay,
      () => {
        this.#subscribe();
        void this.relist();
      },
      "runtime events",
    );
  }
}

function byPod(sandboxes: readonly PodSandboxStatus[], containers: readonly ContainerStatus[]): readonly RuntimePod[] {
  const pods = new Map<string, { uid: string; sandboxes: PodSandboxStatus[]; containers: ContainerStatus[] }>();
  const podOf = (labels: Readonly<Record<string, string>>) => {
    const uid = labels[podUidLabel];
    if (uid === undefined) return undefined;
    let pod = pods.get(uid);
    if (pod === undefined) {
      pod = { uid, sandboxes: [], containers: [] };
      pods.set(uid, pod);
    }
    return pod;
  };
  for (const sandbox of sandboxes) podOf(sandbox.labels)?.sandboxes.push(sandbox);
  for (const container of containers) podOf(container.labels)?.containers.push(container);
  return [...pods.values()];
}
