// What the scheduler does for a Pod's claims before it binds the Pod: reserves volumes, asks for new ones on the chosen node, and waits until all are
// bound (pod-lifecycle 14.3, upstream's PreBind).

import { reservedVolume, selectedNodeAnnotation } from "../api/core/v1/volume-matching.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../api/index.ts";
import type { Random } from "../base/random.ts";
import { type Clock, minutes, type Timer } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { createInformer, type Informer } from "../client/informer.ts";
import type { ClusterEvent } from "./cluster-event.ts";
import {
  isBound,
  podClaims,
  volumesOnNode,
  type VolumeLookup,
  type VolumeStep,
} from "./plugins/volume-binding/pod-volumes.ts";

/** How long a Pod's volumes may take. */
const bindTimeout = minutes(10);

export interface VolumeBinderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFailure?: (error: unknown) => void;
  /** Told of everything that may let a Pod be scheduled. */
  readonly onEvent: (event: ClusterEvent) => void;
}

export class VolumeBinder {
  readonly #options: VolumeBinderOptions;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  readonly #classes: Informer<StorageClass>;
  /** Volumes that were chosen and that the informer does not yet show as reserved. */
  readonly #assumed = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #stopped = false;

  constructor(options: VolumeBinderOptions) {
    const { client, clock, random, onFailure, onEvent } = options;
    this.#options = options;
    const shared = { clock, random, ...(onFailure === undefined ? {} : { onFailure }) };
    this.#claims = createInformer({
      resource: client.persistentVolumeClaims,
      name: "scheduler/persistentvolumeclaims",
      ...shared,
    });
    this.#volumes = createInformer({
      resource: client.persistentVolumes,
      name: "scheduler/persistentvolumes",
      ...shared,
    });
    this.#classes = createInformer({ resource: client.storageClasses, name: "scheduler/storageclasses", ...shared });
    this.#claims.onAny(({ object }) => {
      onEvent({ kind: "volumesChanged", claim: object });
      for (const look of this.#waiting) look();
    });
    this.#volumes.onAny(() => onEvent({ kind: "volumesChanged" }));
    this.#classes.onAny(() => onEvent({ kind: "volumesChanged" }));
  }

  readonly lookup: VolumeLookup = {
    volumes: () => this.#volumes.lister.list().filter(({ metadata }) => !this.#assumed.has(metadata.name)),
    volume: (name) => this.#volumes.lister.get(name),
    claim: (namespace, name) => this.#claims.lister.get(`${namespace}/${name}`),
    storageClass: (name) => this.#classes.lister.get(name),
  };

  informers(): readonly Pick<Informer<never>, "start" | "whenSynced" | "hasSynced" | "stop">[] {
    return [this.#claims, this.#volumes, this.#classes];
  }

  /** Whoever waits for volumes is told that nothing comes of it. */
  stop(): void {
    this.#stopped = true;
    for (const look of this.#waiting) look();
  }

  /**
   * What has to be done for the Pod on this node; the volumes are its own from now on, as far as this scheduler is concerned.
   * @returns undefined if there is nothing to do
   */
  assume(pod: Pod, node: Node): readonly VolumeStep[] | undefined {
    if (pod.spec.volumes === undefined) return undefined;
    const claims = podClaims(pod, this.lookup);
    if (claims.kind === "rejected" || claims.delayed.length === 0) return undefined;
    const found = volumesOnNode(claims, node, this.lookup);
    if (found.kind === "conflicts") return undefined;
    for (const step of found.steps) if (step.kind === "reserve") this.#assumed.add(step.volume.metadata.name);
    return found.steps;
  }

  /** @throws Error, StatusError if the volumes do not come about */
  async bind(steps: readonly VolumeStep[], nodeName: string, isWanted: () => boolean): Promise<void> {
    try {
      for (const step of steps) await this.#request(step, nodeName);
      await this.#allBound(
        steps.map(({ claim }) => claim),
        nodeName,
        isWanted,
      );
    } finally {
      for (const step of steps) if (step.kind === "reserve") this.#assumed.delete(step.volume.metadata.name);
    }
  }

  async #request(step: VolumeStep, nodeName: string): Promise<void> {
    const { client } = this.#options;
    const { claim } = step;
    if (step.kind === "reserve") {
      await client.persistentVolumes.update(reservedVolume(step.volume, claim));
      return;
    }
    const annotations = { ...claim.metadata.annotations, [selectedNodeAnnotation]: nodeName };
    if (claim.metadata.annotations?.[selectedNodeAnnotation] === nodeName) return;
    await client.persistentVolumeClaims.update({ ...claim, metadata: { ...claim.metadata, annotations } });
  }

  #allBound(claims: readonly PersistentVolumeClaim[], nodeName: string, isWanted: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      // What was asked for has to be seen before its absence means that it was taken back.
      const asked = new Set<string>();
      const settle = (end: () => void): void => {
        this.#waiting.delete(look);
        timer.cancel();
        end();
      };
      const look = (): void => {
        if (this.#stopped || !isWanted()) return settle(() => reject(new Error("context canceled")));
        for (const { metadata } of claims) {
          const now = this.#claims.lister.get(`${metadata.namespace}/${metadata.name}`);
          if (now === undefined || now.metadata.uid !== metadata.uid) {
            return settle(() => reject(new Error(`persistentvolumeclaim "${metadata.name}" not found`)));
          }
          if (isBound(now)) continue;
          const selected = now.metadata.annotations?.[selectedNodeAnnotation];
          if (selected === nodeName) asked.add(metadata.uid);
          else if (asked.has(metadata.uid)) {
            return settle(() => reject(new Error(`provisioning failed for PVC "${metadata.name}"`)));
          }
        }
        const isDone = claims.every(({ metadata }) => {
          const now = this.#claims.lister.get(`${metadata.namespace}/${metadata.name}`);
          return now !== undefined && isBound(now);
        });
        if (isDone) settle(resolve);
      };
      const timer: Timer = this.#options.clock.setTimer(
        bindTimeout,
        () => settle(() => reject(new Error("timed out waiting for the condition"))),
        "scheduler: volumes are bound",
      );
      this.#waiting.add(look);
      look();
    });
  }
}
