// Writes Pod statuses to the API: each as soon as it is known, in order for each Pod, only when it differs from what the API has, never for an object
// of another uid (pod-lifecycle 1.3, 2.9).

import type { Pod, PodStatus } from "../api/generated/core-v1.ts";
import { StatusError } from "../api/wire/status-error.ts";
import { type Millis, seconds } from "../base/time.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import { namespaceOf, podDescription } from "./pod-containers.ts";
import { forbiddenResurrection, mergePodStatus } from "./status-merge.ts";
import { statusPatch } from "./status-patch.ts";

/** Statuses that wait for their turn; beyond it those in the middle are passed over, the newest never is. */
const queueLimit = 8;
const firstRetry = seconds(1);
const longestRetry = seconds(10);

interface Report {
  readonly status: PodStatus;
  readonly containersMayRun: boolean;
}

interface Lane {
  /** The newest object that was seen in the API. */
  api: Pod;
  readonly queue: Report[];
  /** What was reported last. */
  last: Report | undefined;
  busy: boolean;
  gone: boolean;
  readonly idle: (() => void)[];
}

export class StatusReporter {
  readonly #parts: KubeletParts;
  readonly #signal: AbortSignal;
  readonly #lanes = new Map<string, Lane>();

  constructor(parts: KubeletParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /** The object as the informer shows it. @param uid of the Pod that it shows: another than its own if it is a mirror */
  seenInApi(pod: Pod, uid: string = pod.metadata.uid): void {
    const lane = this.#lanes.get(uid);
    if (lane === undefined) {
      this.#lanes.set(uid, { api: pod, queue: [], last: undefined, busy: false, gone: false, idle: [] });
      return;
    }
    lane.api = newer(lane.api, pod);
    this.#reconcile(lane);
  }

  /** The newest object known, from the informer or from an answer. */
  inApi(uid: string): Pod | undefined {
    return this.#lanes.get(uid)?.api;
  }

  /** Queues a status; returns at once. `containersMayRun` holds a terminal phase back. */
  report(pod: Pod, status: PodStatus, containersMayRun: boolean): void {
    const lane = this.#lanes.get(pod.metadata.uid);
    if (lane === undefined || lane.gone) return;
    if (lane.queue.length >= queueLimit) lane.queue.splice(1, 1);
    lane.last = { status, containersMayRun };
    lane.queue.push(lane.last);
    if (!lane.busy) void this.#drain(lane);
  }

  /** Resolves when all statuses of the Pod have been written or given up. */
  flushed(uid: string): Promise<void> {
    const lane = this.#lanes.get(uid);
    if (lane === undefined || !lane.busy) return Promise.resolve();
    return new Promise((resolve) => lane.idle.push(resolve));
  }

  /** The object is gone: nothing more is written for it. */
  forget(uid: string): void {
    const lane = this.#lanes.get(uid);
    if (lane === undefined) return;
    lane.gone = true;
    lane.queue.length = 0;
    this.#lanes.delete(uid);
  }

  /** Somebody else wrote over what is the kubelet's to say: it says it again. */
  #reconcile(lane: Lane): void {
    const { api, last } = lane;
    if (last === undefined || lane.busy || lane.gone) return;
    const merged = mergePodStatus(api.status, last.status, last.containersMayRun, this.#parts.clock.now());
    if (statusPatch(api.status, merged) === undefined) return;
    lane.queue.push(last);
    void this.#drain(lane);
  }

  async #drain(lane: Lane): Promise<void> {
    lane.busy = true;
    let wait: Millis = firstRetry;
    while (lane.queue.length > 0 && !this.#signal.aborted) {
      const report = lane.queue[0] as Report;
      try {
        await this.#write(lane, report);
        lane.queue.shift();
        wait = firstRetry;
      } catch (error) {
        if (error instanceof StatusError && error.code < 500 && error.code !== 429) {
          this.#refused(lane, error);
          lane.queue.shift();
          continue;
        }
        this.#parts.log(`writing the status of ${podDescription(lane.api)}: ${errorText(error)}`);
        // Trouble on the way: by the time it is over only the newest status matters.
        lane.queue.splice(0, lane.queue.length - 1);
        await this.#parts.clock.sleep(wait, this.#signal).catch(() => undefined); // stopped
        wait = Math.min(wait * 2, longestRetry) as Millis;
      }
    }
    lane.busy = false;
    for (const wake of lane.idle.splice(0)) wake();
  }

  async #write(lane: Lane, report: Report): Promise<void> {
    const { api } = lane;
    const merged = mergePodStatus(api.status, report.status, report.containersMayRun, this.#parts.clock.now());
    const revived = forbiddenResurrection(api, merged);
    if (revived !== undefined) {
      this.#parts.log(`${podDescription(api)}: container ${revived} may not be transitioned to non-terminated state`);
      return;
    }
    const patch = statusPatch(api.status, merged);
    if (patch === undefined) return;
    const body = { metadata: { uid: api.metadata.uid }, status: patch };
    const { name } = api.metadata;
    const written = await this.#parts.client.pods.patch(name, namespaceOf(api), "strategic", body, "status");
    lane.api = newer(lane.api, written);
    // Somebody else wrote before the answer was here, perhaps over this very status: the newest is looked at once more.
    if (lane.api !== written && lane.queue.length === 1 && lane.last !== undefined) lane.queue.push(lane.last);
  }

  #refused(lane: Lane, error: StatusError): void {
    // Gone, or replaced by another object of the same name: its own kubelet speaks for that one.
    if (error.reason === "NotFound" || error.reason === "Conflict") {
      lane.gone = true;
      lane.queue.length = 1;
      return;
    }
    this.#parts.log(`the status of ${podDescription(lane.api)} was refused: ${error.message}`);
  }
}

/** Resource versions of one object only grow; of equal ones the later word counts. */
export function newer(known: Pod, other: Pod): Pod {
  const a = known.metadata.resourceVersion;
  const b = other.metadata.resourceVersion;
  if (/^\d+$/.test(a) && /^\d+$/.test(b)) return BigInt(b) >= BigInt(a) ? other : known;
  return other;
}
