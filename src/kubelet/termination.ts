// How long a container gets to end, and whose turn it is (pod-lifecycle 7.3, 8.3, 8.4).

import type { Pod } from "../api/generated/core-v1.ts";
import { type Millis, seconds } from "../base/time.ts";
import type { KillCause } from "./pod-action.ts";
import { initContainersOf, type PodContainer } from "./pod-containers.ts";

/** What the runtime is given at least between the stop signal and KILL. */
export const minimalStopGraceSeconds = 2;

/**
 * The grace of one container. `podGraceSeconds` is the grace that the whole Pod is being stopped with, and goes before everything; without it a
 * failed probe may bring its own.
 */
export function containerGraceSeconds(
  pod: Pod,
  container: PodContainer | undefined,
  cause: KillCause | undefined,
  podGraceSeconds: number | undefined,
): number {
  if (podGraceSeconds !== undefined) return podGraceSeconds;
  if (pod.metadata.deletionGracePeriodSeconds !== undefined) return pod.metadata.deletionGracePeriodSeconds;
  return probeGraceSeconds(container, cause) ?? pod.spec.terminationGracePeriodSeconds;
}

/** What is left of a grace period after a hook or a wait took `used`: whole seconds count. */
export function remainingGraceSeconds(graceSeconds: number, used: Millis): number {
  return graceSeconds - Math.floor(used / 1000);
}

/** What the runtime gets as its time-out for stopping. */
export function stopTimeout(graceSeconds: number): Millis {
  return seconds(Math.max(graceSeconds, minimalStopGraceSeconds));
}

/**
 * Which containers have to end before this one gets its stop signal: for a sidecar all regular containers and all later sidecars; nothing for all
 * others. Only names in `running` count.
 */
export function endsAfter(pod: Pod, name: string, running: ReadonlySet<string>): readonly string[] {
  const sidecars = initContainersOf(pod)
    .filter((container) => container.role === "sidecar")
    .map((container) => container.spec.name);
  const place = sidecars.indexOf(name);
  if (place < 0) return [];
  const regular = pod.spec.containers.map((container) => container.name);
  return [...regular, ...sidecars.slice(place + 1)].filter((each) => running.has(each));
}

function probeGraceSeconds(container: PodContainer | undefined, cause: KillCause | undefined): number | undefined {
  switch (cause) {
    case "livenessProbe":
      return container?.spec.livenessProbe?.terminationGracePeriodSeconds;
    case "startupProbe":
      return container?.spec.startupProbe?.terminationGracePeriodSeconds;
    case "definitionChanged":
    case "unknownState":
    case undefined:
      return undefined;
  }
}
