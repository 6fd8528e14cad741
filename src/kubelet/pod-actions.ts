// What a kubelet does next for one Pod. Pure: the same Pod, the same sighting and the same moment give the same actions, each with its reason.

import type { Pod } from "../api/generated/core-v1.ts";
import type { Instant } from "../base/time.ts";
import { definitionChanged } from "./container-labels.ts";
import { computeInitActions } from "./init-container-actions.ts";
import { newestInstance, type ObservedPod } from "./observed-pod.ts";
import { type KillCause, type PodAction, type SeenPod, startOrBackOff } from "./pod-action.ts";
import { ephemeralContainersOf, type PodContainer, regularContainersOf } from "./pod-containers.ts";
import { computeSandboxActions, unsettledUntil } from "./sandbox-actions.ts";
import { restartsAfterFailure, shouldBeStarted } from "./restart-policy.ts";

/** What to do next, in order (pod-lifecycle 4.3). Empty: everything is as it should be. */
export function computePodActions(pod: Pod, seen: SeenPod, now: Instant): readonly PodAction[] {
  const sandbox = computeSandboxActions(pod, seen.observed, seen.podAddresses);
  if (sandbox.kind === "leave") return [];
  if (sandbox.kind === "create") {
    return [
      sandbox.action,
      ...ephemeralActions(pod, seen.observed),
      ...sandbox.start.map((container) => startOrBackOff(pod, container, seen, "the sandbox is new", now)),
    ];
  }

  const until = unsettledUntil(seen.observed, seen.endedHere, now);
  const actions = computeContainerActions(pod, seen, now);
  if (until === undefined || !actions.some(({ kind }) => kind === "startContainer")) return actions;
  return [...actions.filter(({ kind }) => kind !== "startContainer"), { kind: "waitForSandbox", until }];
}

/** In a good sandbox. */
function computeContainerActions(pod: Pod, seen: SeenPod, now: Instant): readonly PodAction[] {
  const init = computeInitActions(pod, seen, now);
  if (init.kind === "failed") return [{ kind: "killPod", because: init.because }];
  const ephemeral = ephemeralActions(pod, seen.observed);
  if (init.kind === "inProgress") return [...ephemeral, ...init.actions];

  const regular = regularContainersOf(pod).map((container) => regularContainerActions(pod, container, seen, now));
  const kept = regular.some((actions) => actions === "keep");
  const actions = regular.flatMap((actions) => (actions === "keep" ? [] : actions));
  const starts = actions.some((action) => action.kind === "startContainer" || action.kind === "backOff");
  if (!kept && !starts) return [{ kind: "killPod", because: "no container is left to run" }];
  const inOrder = [...init.actions, ...actions];
  return [
    ...inOrder.filter((action) => action.kind === "killContainer"),
    ...ephemeral,
    ...inOrder.filter((action) => action.kind !== "killContainer"),
  ];
}

function regularContainerActions(
  pod: Pod,
  container: PodContainer,
  seen: SeenPod,
  now: Instant,
): readonly PodAction[] | "keep" {
  const name = container.spec.name;
  const newest = newestInstance(seen.observed, name);
  if (newest === undefined || newest.state.kind !== "running") {
    if (!shouldBeStarted(pod, container, seen.observed)) return [];
    const because = newest === undefined ? "it has never run" : `it is ${newest.state.kind}`;
    const start = startOrBackOff(pod, container, seen, because, now);
    if (newest?.state.kind !== "unknown") return [start];
    // It may be alive, and two copies must never run side by side.
    const message = `Container is in "unknown" state, try killing it before restart`;
    return [{ kind: "killContainer", container, id: newest.id, cause: "unknownState", message }, start];
  }
  const kill = (cause: KillCause, what: string, restart: boolean): readonly PodAction[] => {
    const message = restart ? `Container ${name} ${what}, will be restarted` : `Container ${name} ${what}`;
    const killing: PodAction = { kind: "killContainer", container, id: newest.id, cause, message };
    return restart ? [killing, startOrBackOff(pod, container, seen, what, now)] : [killing];
  };
  if (definitionChanged(container.spec, newest)) return kill("definitionChanged", "definition changed", true);
  const probes = seen.probes.get(newest.id);
  if (probes?.liveness === "failure") return kill("livenessProbe", "failed liveness probe", restartsAfterFailure(pod));
  if (probes?.startup === "failure") return kill("startupProbe", "failed startup probe", restartsAfterFailure(pod));
  return "keep";
}

/** Ephemeral containers are started once, also before initialization is complete (pod-lifecycle 4.2.11). */
function ephemeralActions(pod: Pod, observed: ObservedPod): readonly PodAction[] {
  return ephemeralContainersOf(pod)
    .filter((container) => newestInstance(observed, container.spec.name) === undefined)
    .map((container) => ({ kind: "startContainer", container, failureAborts: false, because: "it was added" }));
}
