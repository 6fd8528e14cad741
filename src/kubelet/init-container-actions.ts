// How far initialization has come and what moves it on; after it, the care for sidecars (pod-lifecycle 4.3.2, 9).

import type { Pod } from "../api/generated/core-v1.ts";
import type { Instant } from "../base/time.ts";
import { definitionChanged } from "./container-labels.ts";
import { activeContainers, newestInstance, type ObservedContainer, succeeded } from "./observed-pod.ts";
import { type KillCause, type PodAction, type SeenPod, startOrBackOff } from "./pod-action.ts";
import { initContainersOf, type PodContainer } from "./pod-containers.ts";
import { restartsAfterFailure } from "./restart-policy.ts";

export type InitDecision =
  /** An init container failed and nothing is restarted: the Pod has failed. */
  | { readonly kind: "failed"; readonly because: string }
  /** Regular containers have to wait. */
  | { readonly kind: "inProgress"; readonly actions: readonly PodAction[] }
  /** Regular containers may run; `actions` care for the sidecars. */
  | { readonly kind: "initialized"; readonly actions: readonly PodAction[] };

export function computeInitActions(pod: Pod, seen: SeenPod, now: Instant): InitDecision {
  const containers = initContainersOf(pod);
  if (containers.length === 0) return { kind: "initialized", actions: [] };

  let initialized = hasActiveRegularContainer(pod, seen);
  /** Something later in the order is known to have begun, so this one had been passed. */
  let passed = initialized;
  const actions: (readonly PodAction[])[] = [];

  // The last init container that is known tells how far things are: the records of earlier ones may have been removed.
  for (let i = containers.length - 1; i >= 0; i--) {
    const container = containers[i] as PodContainer;
    const newest = newestInstance(seen.observed, container.spec.name);
    if (newest === undefined) {
      if (passed && container.role === "sidecar") {
        actions.push([startOrBackOff(pod, container, seen, "the sidecar is missing", now)]);
      }
      continue;
    }
    if (passed && container.role !== "sidecar") continue; // done, and never looked at again

    const step =
      container.role === "sidecar"
        ? sidecarStep(pod, container, newest, seen, now)
        : initStep(pod, container, newest, seen, now);
    if (step.kind === "failed") return step;
    if (!passed && step.complete) {
      const next = containers[i + 1];
      if (next === undefined) initialized = true;
      else actions.push([startOrBackOff(pod, next, seen, `${container.spec.name} is ready`, now)]);
    }
    actions.push(step.actions);
    passed = true;
  }

  if (!passed) actions.push([startOrBackOff(pod, containers[0] as PodContainer, seen, "it is the first", now)]);
  const inOrder = actions.reverse().flat();
  return { kind: initialized ? "initialized" : "inProgress", actions: inOrder };
}

/** `complete`: the next container in the order may start. */
type InitStep =
  | { readonly kind: "failed"; readonly because: string }
  | { readonly kind: "step"; readonly complete: boolean; readonly actions: readonly PodAction[] };

function initStep(pod: Pod, container: PodContainer, newest: ObservedContainer, seen: SeenPod, now: Instant): InitStep {
  const restart = (because: string): PodAction => startOrBackOff(pod, container, seen, because, now);
  switch (newest.state.kind) {
    case "created": // Made but not started: the start failed.
      return { kind: "step", complete: false, actions: [restart("it was created but not started")] };
    case "running":
      return { kind: "step", complete: false, actions: [] };
    case "exited":
      if (succeeded(newest)) return { kind: "step", complete: true, actions: [] };
      if (!restartsAfterFailure(pod))
        return { kind: "failed", because: `init container ${container.spec.name} failed` };
      return { kind: "step", complete: false, actions: [restart("it failed")] };
    case "unknown":
      if (!restartsAfterFailure(pod))
        return { kind: "failed", because: `init container ${container.spec.name} is lost` };
      return {
        kind: "step",
        complete: false,
        actions: [killUnknown(container, newest), restart("its state is unknown")],
      };
  }
}

function sidecarStep(
  pod: Pod,
  container: PodContainer,
  newest: ObservedContainer,
  seen: SeenPod,
  now: Instant,
): InitStep {
  const restart = (because: string): PodAction => startOrBackOff(pod, container, seen, because, now);
  switch (newest.state.kind) {
    case "created":
      return { kind: "step", complete: false, actions: [restart("it was created but not started")] };
    case "exited":
      return { kind: "step", complete: false, actions: [restart("sidecars are always restarted")] };
    case "unknown":
      return {
        kind: "step",
        complete: false,
        actions: [killUnknown(container, newest), restart("its state is unknown")],
      };
    case "running": {
      const kill = (cause: KillCause, what: string, complete = false): InitStep => {
        const message = `Init container ${container.spec.name} ${what}`;
        const killing: PodAction = { kind: "killContainer", container, id: newest.id, cause, message };
        return { kind: "step", complete, actions: [killing, restart(what)] };
      };
      if (definitionChanged(container.spec, newest)) return kill("definitionChanged", "definition changed");
      const probes = seen.probes.get(newest.id);
      if (probes?.startup === "failure") return kill("startupProbe", "failed startup probe");
      if (container.spec.startupProbe !== undefined && probes?.startup !== "success") {
        return { kind: "step", complete: false, actions: [] };
      }
      // Its liveness does not hold up the others: it has been ready once.
      if (probes?.liveness === "failure") return kill("livenessProbe", "failed liveness probe", true);
      return { kind: "step", complete: true, actions: [] };
    }
  }
}

function killUnknown(container: PodContainer, newest: ObservedContainer): PodAction {
  const message = `Init container is in "unknown" state, try killing it before restart`;
  return { kind: "killContainer", container, id: newest.id, cause: "unknownState", message };
}

/** The Pod counts as initialized as soon as a regular container is created or running in its sandbox; an exited one does not count. */
function hasActiveRegularContainer(pod: Pod, seen: SeenPod): boolean {
  const names = new Set(pod.spec.containers.map((container) => container.name));
  return activeContainers(seen.observed).some(
    (container) =>
      names.has(container.metadata.name) && (container.state.kind === "created" || container.state.kind === "running"),
  );
}
