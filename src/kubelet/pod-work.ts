// Where a Pod's worker stands: syncing → terminating → terminated. There is no way back (pod-lifecycle 4.1, 8.2).

import type { Pod } from "../api/generated/core-v1.ts";
import type { Instant } from "../base/time.ts";

/** Why a Pod's containers are being stopped for good. */
export type TerminationCause =
  | { readonly kind: "deleted" }
  /** The object vanished from the API: a force delete, or a deletion that this kubelet did not see. */
  | { readonly kind: "removed" }
  /** All its work is done, or it failed: Succeeded or Failed. */
  | { readonly kind: "finished" }
  | { readonly kind: "deadlineExceeded" }
  | { readonly kind: "evicted"; readonly reason: string; readonly message: string }
  /** The node did not take it. */
  | { readonly kind: "rejected"; readonly reason: string; readonly message: string };

export type PodWork =
  | { readonly phase: "syncing" }
  | {
      readonly phase: "terminating";
      readonly because: TerminationCause;
      /** At least 1. May only shrink. */
      readonly gracePeriodSeconds: number;
      /** When this grace period began to count. */
      readonly since: Instant;
    }
  | { readonly phase: "terminated"; readonly because: TerminationCause };

/** What the worker has learned since it last looked. */
export interface PodWorkInput {
  /** The object in the API has gone. */
  readonly removed: boolean;
  /** The computed or stored phase is Succeeded or Failed. */
  readonly terminalPhase: boolean;
  readonly deadlineExceeded: boolean;
  /** The kubelet itself wants the Pod gone. */
  readonly eviction?: { readonly reason: string; readonly message: string; readonly gracePeriodSeconds?: number };
  /** Nothing of the Pod runs any more and its last status is known. */
  readonly allStopped: boolean;
}

export function nextPodWork(work: PodWork, pod: Pod, input: PodWorkInput, now: Instant): PodWork {
  switch (work.phase) {
    case "syncing": {
      const because = terminationCause(pod, input);
      if (because === undefined) return work;
      const gracePeriodSeconds = effectiveGracePeriodSeconds(pod, undefined, input.eviction?.gracePeriodSeconds);
      return { phase: "terminating", because, gracePeriodSeconds, since: now };
    }
    case "terminating": {
      if (input.allStopped) return { phase: "terminated", because: work.because };
      const gracePeriodSeconds = effectiveGracePeriodSeconds(
        pod,
        work.gracePeriodSeconds,
        input.eviction?.gracePeriodSeconds,
      );
      return gracePeriodSeconds < work.gracePeriodSeconds ? { ...work, gracePeriodSeconds, since: now } : work;
    }
    case "terminated":
      return work;
  }
}

/**
 * The grace period of the whole Pod (pod-lifecycle 8.3.1): the smallest of what was granted before, the deletion's and the kubelet's own;
 * else the Pod's; at least 1 s. A deletion's 0 means that the API has let go of the Pod, not that its containers get no time.
 */
export function effectiveGracePeriodSeconds(
  pod: Pod,
  granted: number | undefined,
  override: number | undefined,
): number {
  let grace = granted ?? 0;
  for (const asked of [pod.metadata.deletionGracePeriodSeconds, override]) {
    if (asked !== undefined && asked !== 0 && (grace === 0 || asked < grace)) grace = asked;
  }
  if (grace === 0) grace = pod.spec.terminationGracePeriodSeconds;
  return Math.max(1, grace);
}

function terminationCause(pod: Pod, input: PodWorkInput): TerminationCause | undefined {
  if (input.removed) return { kind: "removed" };
  if (pod.metadata.deletionTimestamp !== undefined) return { kind: "deleted" };
  if (input.eviction !== undefined) {
    return { kind: "evicted", reason: input.eviction.reason, message: input.eviction.message };
  }
  if (input.deadlineExceeded) return { kind: "deadlineExceeded" };
  return input.terminalPhase ? { kind: "finished" } : undefined;
}
