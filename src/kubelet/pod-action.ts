// One step of a Pod's life, and what the decision about it looks at.

import type { Pod } from "../api/generated/core-v1.ts";
import type { Instant, Millis } from "../base/time.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { type BackOffEntry, backOffUntil, crashBackOffKey } from "./back-off.ts";
import { newestExited, type ObservedPod, type ProbeResultsByContainer } from "./observed-pod.ts";
import type { PodContainer } from "./pod-containers.ts";

/** Why the kubelet ends a container while its Pod lives; decides the grace period (pod-lifecycle 8.3.2). */
export type KillCause = "livenessProbe" | "startupProbe" | "definitionChanged" | "unknownState";

export type PodAction =
  /** `replaces` is true when an older sandbox has to go first: all its containers are killed, init containers are removed. */
  | { readonly kind: "createSandbox"; readonly attempt: number; readonly replaces: boolean; readonly because: string }
  /** Stop what is left of the Pod: all its work is done. */
  | { readonly kind: "killPod"; readonly because: string }
  | {
      readonly kind: "killContainer";
      readonly container: PodContainer;
      readonly id: ContainerId;
      readonly cause: KillCause;
      /** The text of the Killing event. */
      readonly message: string;
    }
  /** `failureAborts`: what comes later must wait for this one (regular init containers). */
  | {
      readonly kind: "startContainer";
      readonly container: PodContainer;
      readonly failureAborts: boolean;
      readonly because: string;
    }
  /** The container wants to be started, but its restart back-off is running. */
  | {
      readonly kind: "backOff";
      readonly container: PodContainer;
      readonly delay: Millis;
      readonly until: Instant;
      readonly failureAborts: boolean;
    }
  /** Nothing is started in the sandbox before then: it may be about to go. */
  | { readonly kind: "waitForSandbox"; readonly until: Instant };

/** What the decision looks at. */
export interface SeenPod {
  readonly observed: ObservedPod;
  readonly probes: ProbeResultsByContainer;
  /** Crash back-off entries by {@link crashBackOffKey}. */
  readonly backOffs: ReadonlyMap<string, BackOffEntry>;
  /** The node gives each Pod an address of its own. */
  readonly podAddresses: boolean;
  /** Instances that this kubelet has ended itself. */
  readonly endedHere: ReadonlySet<ContainerId>;
}

/** Start it, or say until when its back-off runs. Looks at the newest instance that has ended. */
export function startOrBackOff(
  pod: Pod,
  container: PodContainer,
  seen: SeenPod,
  because: string,
  now: Instant,
): PodAction {
  const failureAborts = container.role === "init";
  const exited = newestExited(seen.observed, container.spec.name);
  const entry = seen.backOffs.get(crashBackOffKey(pod, container.spec));
  if (exited?.state.kind === "exited" && entry !== undefined) {
    const until = backOffUntil(entry, exited.state.finishedAt, now);
    if (until !== undefined) return { kind: "backOff", container, delay: entry.delay, until, failureAborts };
  }
  return { kind: "startContainer", container, failureAborts, because };
}
