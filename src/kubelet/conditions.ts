// The conditions that the kubelet owns (pod-lifecycle 2).

import type { ContainerStatus, Pod, PodCondition, PodPhase } from "../api/generated/core-v1.ts";
import { formatTime, type Instant } from "../base/time.ts";
import { type ObservedPod } from "./observed-pod.ts";
import { initContainersOf, isTerminalPhase, regularContainersOf, type PodContainer } from "./pod-containers.ts";
import { sandboxFault } from "./sandbox-actions.ts";

export interface ConditionInput {
  readonly phase: PodPhase;
  readonly observed: ObservedPod;
  readonly podAddresses: boolean;
  readonly containerStatuses: readonly ContainerStatus[];
  readonly initContainerStatuses: readonly ContainerStatus[];
  /** The conditions of the Pod as it is in the API: readiness gates are read there. */
  readonly current: readonly PodCondition[];
}

/** What the kubelet says about one condition, before times are put to it. */
export interface ConditionVerdict {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
}

const kubeletConditions = new Set([
  "PodScheduled",
  "Ready",
  "Initialized",
  "ContainersReady",
  "PodReadyToStartContainers",
  "PodResizePending",
  "PodResizeInProgress",
]);

/** Conditions that nobody but the kubelet may set; all others are left as they are in the API. */
export function isKubeletCondition(type: string): boolean {
  return kubeletConditions.has(type);
}

/** In the order in which the kubelet writes them (pod-lifecycle 2.2). */
export function computeConditions(pod: Pod, input: ConditionInput): readonly ConditionVerdict[] {
  const containersReady = containersReadyVerdict(pod, input);
  return [
    readyToStartContainersVerdict(pod, input),
    initializedVerdict(pod, input),
    readyVerdict(pod, containersReady, input.current),
    containersReady,
    { type: "PodScheduled", status: "True" },
  ];
}

/** `lastTransitionTime` moves only with the status; the generation is the one that was acted on. */
export function timedCondition(
  verdict: ConditionVerdict,
  previous: readonly PodCondition[],
  generation: number | undefined,
  now: Instant,
): PodCondition {
  const old = previous.find((condition) => condition.type === verdict.type);
  const lastTransitionTime =
    old?.status === verdict.status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(now);
  return {
    ...verdict,
    lastTransitionTime,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

/** Ready and ContainersReady once no container will run again. */
export function notReadyForTerminalPhase(type: "Ready" | "ContainersReady", phase: PodPhase): ConditionVerdict {
  return { type, status: "False", reason: phase === "Failed" ? "PodFailed" : "PodCompleted" };
}

function readyToStartContainersVerdict(pod: Pod, input: ConditionInput): ConditionVerdict {
  const ready = sandboxFault(pod, input.observed, input.podAddresses) === undefined;
  return { type: "PodReadyToStartContainers", status: ready ? "True" : "False" };
}

function initializedVerdict(pod: Pod, input: ConditionInput): ConditionVerdict {
  const type = "Initialized";
  const containers = initContainersOf(pod);
  const statusOf = statusFinder(input.initContainerStatuses);
  const unknown = containers.filter((container) => statusOf(container) === undefined);
  if (input.phase === "Succeeded" && unknown.length === 0) {
    return { type, status: "True", reason: "PodCompleted" };
  }
  if (input.containerStatuses.some(({ state }) => state?.running !== undefined || state?.terminated !== undefined)) {
    return { type, status: "True" };
  }
  const incomplete = containers.filter((container) => {
    const status = statusOf(container);
    if (status === undefined) return false;
    return container.role === "sidecar" ? status.started !== true : !status.ready;
  });
  const message = joined([
    ["containers with unknown status", unknown],
    ["containers with incomplete status", incomplete],
  ]);
  if (message !== "") return { type, status: "False", reason: "ContainersNotInitialized", message };
  return { type, status: "True" };
}

function containersReadyVerdict(pod: Pod, input: ConditionInput): ConditionVerdict {
  const type = "ContainersReady";
  const containers = [
    ...initContainersOf(pod).filter((container) => container.role === "sidecar"),
    ...regularContainersOf(pod),
  ];
  const statusOf = statusFinder([...input.initContainerStatuses, ...input.containerStatuses]);
  const unknown = containers.filter((container) => statusOf(container) === undefined);
  const unready = containers.filter((container) => statusOf(container)?.ready === false);
  if (isTerminalPhase(input.phase) && (input.phase === "Failed" || unknown.length === 0)) {
    return notReadyForTerminalPhase(type, input.phase);
  }
  const message = joined([
    ["containers with unknown status", unknown],
    ["containers with unready status", unready],
  ]);
  if (message !== "") return { type, status: "False", reason: "ContainersNotReady", message };
  return { type, status: "True" };
}

function readyVerdict(pod: Pod, containersReady: ConditionVerdict, current: readonly PodCondition[]): ConditionVerdict {
  if (containersReady.status !== "True") return { ...containersReady, type: "Ready" };
  const faults = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = current.find((each) => each.type === conditionType);
    if (condition === undefined) {
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    }
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (faults.length === 0) return { type: "Ready", status: "True" };
  return { type: "Ready", status: "False", reason: "ReadinessGatesNotReady", message: faults.join(", ") };
}

function statusFinder(statuses: readonly ContainerStatus[]): (container: PodContainer) => ContainerStatus | undefined {
  return (container) => statuses.find((status) => status.name === container.spec.name);
}

function joined(groups: readonly (readonly [text: string, containers: readonly PodContainer[]])[]): string {
  return groups
    .filter(([, containers]) => containers.length > 0)
    .map(([text, containers]) => `${text}: [${containers.map((container) => container.spec.name).join(" ")}]`)
    .join(", ");
}
