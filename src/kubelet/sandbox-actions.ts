// Whether a Pod needs a (new) sandbox (pod-lifecycle 4.3.1).

import type { Pod } from "../api/generated/core-v1.ts";
import { after, type Instant, later, seconds } from "../base/time.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { activeContainers, newestInstance, type ObservedPod } from "./observed-pod.ts";
import type { PodAction } from "./pod-action.ts";
import { initContainersOf, isHostNetwork, type PodContainer, regularContainersOf } from "./pod-containers.ts";
import { restartsAfterFailure } from "./restart-policy.ts";

/** The exit code of a process that SIGKILL ended. */
const killed = 137;
/** How often upstream's kubelet looks at its runtime. */
const settling = seconds(1);

export type SandboxDecision =
  /** The sandbox is good; look at the containers. */
  | { readonly kind: "good" }
  /** It is gone, and nothing needs a new one. */
  | { readonly kind: "leave" }
  | {
      readonly kind: "create";
      readonly action: PodAction & { readonly kind: "createSandbox" };
      /** What is started in it first. */
      readonly start: readonly PodContainer[];
    };

export function computeSandboxActions(pod: Pod, observed: ObservedPod, podAddresses: boolean): SandboxDecision {
  const because = sandboxFault(pod, observed, podAddresses);
  if (because === undefined) return { kind: "good" };
  const newest = observed.sandboxes[0];
  const attempt = newest === undefined ? 0 : newest.metadata.attempt + 1;

  if (!restartsAfterFailure(pod) && attempt !== 0 && observed.containers.length > 0) return { kind: "leave" };
  const containers = regularContainersOf(pod).filter(
    (container) => !(pod.spec.restartPolicy === "OnFailure" && hasSucceeded(observed, container)),
  );
  if (containers.length === 0 && hasBeenInitialized(pod, observed)) return { kind: "leave" };

  const firstInit = initContainersOf(pod).slice(0, 1);
  return {
    kind: "create",
    action: { kind: "createSandbox", attempt, replaces: newest !== undefined, because },
    start: firstInit.length > 0 ? firstInit : containers,
  };
}

/** What is wrong with the sandboxes; `undefined` if the newest one will do. */
export function sandboxFault(pod: Pod, observed: ObservedPod, podAddresses: boolean): string | undefined {
  const newest = observed.sandboxes[0];
  if (newest === undefined) return "the Pod has no sandbox";
  if (observed.sandboxes.filter((sandbox) => sandbox.state === "ready").length > 1)
    return "several sandboxes are ready";
  if (newest.state !== "ready") return "the sandbox is not ready";
  if ((newest.network === "NODE") !== isHostNetwork(pod)) return "the sandbox has the wrong network";
  if (podAddresses && !isHostNetwork(pod) && newest.ips.length === 0) return "the sandbox has no address";
  return undefined;
}

/**
 * Until when nothing is to be started in a sandbox that is still good; `undefined` if it may be. A runtime that stops a sandbox kills the containers first, and
 * the sandbox is ready for a moment longer: what is started then dies with it, as a crash that the next start has to wait for. So a container that somebody
 * else has killed waits for as long as upstream's kubelet takes between two looks. The news of the sandbox's end, if it comes, cuts that short.
 */
export function unsettledUntil(
  observed: ObservedPod,
  endedHere: ReadonlySet<ContainerId>,
  now: Instant,
): Instant | undefined {
  const untils = activeContainers(observed).flatMap(({ id, state }) => {
    const isKilled = state.kind === "exited" && state.exitCode === killed && state.reason !== "OOMKilled";
    if (!isKilled || endedHere.has(id)) return [];
    const since = now - state.finishedAt;
    // An end that is yet to come was noted by a clock that has been set back since.
    return Math.abs(since) < settling ? [after(state.finishedAt, settling)] : [];
  });
  return untils.length === 0 ? undefined : untils.reduce(later);
}

function hasSucceeded(observed: ObservedPod, container: PodContainer): boolean {
  const newest = newestInstance(observed, container.spec.name);
  return newest?.state.kind === "exited" && newest.state.exitCode === 0;
}

function hasBeenInitialized(pod: Pod, observed: ObservedPod): boolean {
  return regularContainersOf(pod).some((container) => newestInstance(observed, container.spec.name) !== undefined);
}
