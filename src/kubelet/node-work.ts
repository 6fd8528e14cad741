// What the workers of one kubelet share.

import { after, type Instant, millis, seconds } from "../base/time.ts";
import { ApiObjects } from "./api-objects.ts";
import { ContainerKiller } from "./container-killer.ts";
import { ContainerStarter } from "./container-starter.ts";
import { ImagePuller } from "./image-puller.ts";
import type { KubeletParts } from "./kubelet-parts.ts";
import { PodFiles } from "./pod-files.ts";
import { StatusReporter } from "./status-reporter.ts";
import { VolumeMounter } from "./volume-mounter.ts";

/** A failed sync is tried again after this and up to half of it more. */
const syncRetry = seconds(10);
/** Contents of volumes are brought up to date after this and up to half of it more. */
const resyncPeriod = seconds(60);

export class NodeWork {
  readonly parts: KubeletParts;
  readonly startedAt: Instant;
  readonly objects: ApiObjects;
  readonly puller: ImagePuller;
  readonly killer: ContainerKiller;
  readonly files: PodFiles;
  readonly starter: ContainerStarter;
  readonly mounter: VolumeMounter;
  readonly reporter: StatusReporter;
  /** Why no Pod network can be had at the moment; empty if it can. */
  networkFault = "";
  #toldMissingClusterDns = false;

  constructor(parts: KubeletParts, signal: AbortSignal) {
    this.parts = parts;
    this.startedAt = parts.clock.now();
    this.objects = new ApiObjects(parts);
    this.puller = new ImagePuller(parts);
    this.killer = new ContainerKiller(parts);
    this.files = new PodFiles(parts);
    this.starter = new ContainerStarter(parts, this.objects, this.puller, this.killer, this.files);
    this.mounter = new VolumeMounter(parts, this.objects);
    this.reporter = new StatusReporter(parts, signal);
  }

  /** A node without cluster DNS says so once, about itself: on each of its Pods it would be noise. */
  tellMissingClusterDns(message: string): void {
    if (this.#toldMissingClusterDns) return;
    this.#toldMissingClusterDns = true;
    const subject = { apiVersion: "v1", kind: "Node", metadata: { name: this.parts.node.name } };
    this.parts.recorder.record(subject, { type: "Warning", reason: "MissingClusterDNS", message });
  }

  /** When a sync that failed now is tried again (pod-lifecycle 0.2). */
  retryTime(): Instant {
    return this.#later("pod-sync-retry", syncRetry);
  }

  /** The same for a network that is not ready: 1 to 1.5 s. */
  networkRetryTime(): Instant {
    return this.#later("pod-network-retry", seconds(1));
  }

  resyncTime(): Instant {
    return this.#later("pod-resync", resyncPeriod);
  }

  #later(stream: string, wait: number): Instant {
    const jitter = this.parts.random.stream(stream).between(0, wait / 2);
    return after(this.parts.clock.now(), millis(wait + jitter));
  }
}
