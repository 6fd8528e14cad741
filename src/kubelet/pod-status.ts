// The status of a Pod: computed from what is seen, never edited in place (pod-lifecycle 1-3).

import type { HostIP, Pod, PodCondition, PodPhase, PodStatus } from "../api/generated/core-v1.ts";
import { formatTime, type Instant } from "../base/time.ts";
import { computeConditions, isKubeletCondition, timedCondition } from "./conditions.ts";
import { computeContainerStatuses, type ContainerStatuses, type StartError } from "./container-statuses.ts";
import { activeContainers, type ObservedPod, type ProbeResultsByContainer } from "./observed-pod.ts";
import { computePhase } from "./phase.ts";
import { isHostNetwork, isTerminalPhase } from "./pod-containers.ts";
import type { TerminationCause } from "./pod-work.ts";

export interface PodStatusInput {
  readonly observed: ObservedPod;
  readonly probes: ProbeResultsByContainer;
  readonly startErrors: ReadonlyMap<string, StartError>;
  readonly runtimeName: string;
  readonly podAddresses: boolean;
  /** The node's own addresses, the primary family first. */
  readonly nodeAddresses: readonly string[];
  /** All containers have been stopped for good. */
  readonly podIsTerminal: boolean;
  /** The kubelet has ended the Pod for this; only some causes leave a mark in the status. */
  readonly cause?: TerminationCause;
}

/**
 * The status that the kubelet would like to see in the API. `pod.status` is the one it knows already: terminal phases stick, times of conditions
 * are kept, and what the runtime has forgotten is taken from there.
 */
export function computePodStatus(pod: Pod, input: PodStatusInput, now: Instant): PodStatus {
  const statuses = computeContainerStatuses(pod, input);
  const { phase, reason, message } = computeVerdict(pod, statuses, input);
  const current = pod.status.conditions ?? [];
  const { generation } = pod.metadata;
  const conditions: PodCondition[] = [
    ...current.filter((condition) => !isKubeletCondition(condition.type) && condition.type !== "DisruptionTarget"),
    ...disruptionTarget(current, input.cause, generation, now),
    ...computeConditions(pod, { ...input, ...statuses, phase, current }).map((verdict) =>
      timedCondition(verdict, current, generation, now),
    ),
  ];
  return {
    ...(generation === undefined
      ? {}
      : { observedGeneration: Math.max(generation, pod.status.observedGeneration ?? 0) }),
    phase,
    conditions,
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    ...addresses(pod, input),
    startTime: pod.status.startTime ?? formatTime(now),
    ...(statuses.initContainerStatuses.length > 0 ? { initContainerStatuses: statuses.initContainerStatuses } : {}),
    containerStatuses: statuses.containerStatuses,
    ...(statuses.ephemeralContainerStatuses.length > 0
      ? { ephemeralContainerStatuses: statuses.ephemeralContainerStatuses }
      : {}),
    ...(pod.status.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
    ...carriedOver(pod.status),
  };
}

/** The whole status of a Pod that the node did not take (pod-lifecycle 1.4). `message` is the one for the status. */
export function rejectedPodStatus(pod: Pod, reason: string, message: string, now: Instant): PodStatus {
  const { qosClass, startTime, conditions } = pod.status;
  return {
    phase: "Failed",
    reason,
    message,
    startTime: startTime ?? formatTime(now),
    ...(conditions === undefined ? {} : { conditions }),
    ...(qosClass === undefined ? {} : { qosClass }),
  };
}

/** Some regular container exists in the current sandbox. */
export function podHasInitialized(pod: Pod, observed: ObservedPod): boolean {
  const names = new Set(pod.spec.containers.map((container) => container.name));
  return activeContainers(observed).some((container) => names.has(container.metadata.name));
}

interface Verdict {
  readonly phase: PodPhase;
  readonly reason?: string;
  readonly message?: string;
}

function computeVerdict(pod: Pod, statuses: ContainerStatuses, input: PodStatusInput): Verdict {
  const computed = computePhase(pod, {
    ...statuses,
    podIsTerminal: input.podIsTerminal,
    podHasInitialized: podHasInitialized(pod, input.observed),
  });
  const known = pod.status.phase;
  const phase = isTerminalPhase(known) ? known : computed;
  if (!isTerminalPhase(known)) {
    const forced = forcedVerdict(input.cause);
    if (forced !== undefined) return forced;
  }
  if (phase !== known) return { phase };
  const { reason, message } = pod.status;
  return { phase, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

export const deadlineExceededMessage = "Pod was active on the node longer than the specified deadline";

function forcedVerdict(cause: TerminationCause | undefined): Verdict | undefined {
  switch (cause?.kind) {
    case "deadlineExceeded":
      return { phase: "Failed", reason: "DeadlineExceeded", message: deadlineExceededMessage };
    case "evicted":
    case "rejected":
      return { phase: "Failed", reason: cause.reason, message: cause.message };
    case "finished":
    case "deleted":
    case "removed":
    case undefined:
      return undefined;
  }
}

/** Evictions mark the Pod as disrupted; the mark is sent with the terminal phase only (status-merge). */
function disruptionTarget(
  current: readonly PodCondition[],
  cause: TerminationCause | undefined,
  generation: number | undefined,
  now: Instant,
): readonly PodCondition[] {
  const kept = current.filter((condition) => condition.type === "DisruptionTarget");
  if (cause?.kind !== "evicted") return kept;
  const verdict = {
    type: "DisruptionTarget",
    status: "True",
    reason: "TerminationByKubelet",
    message: cause.message,
  } as const;
  return [timedCondition(verdict, kept, generation, now)];
}

/** At most one address per family; after the sandbox has gone the last known ones stay. */
function addresses(pod: Pod, input: PodStatusInput): Partial<PodStatus> {
  const hostIPs: readonly HostIP[] = onePerFamily(input.nodeAddresses).map((ip) => ({ ip }));
  const host = hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0].ip, hostIPs };
  const sandbox = input.observed.sandboxes[0];
  const own = sandbox?.state === "ready" ? sandbox.ips : [];
  const shared = isHostNetwork(pod) || (!input.podAddresses && sandbox?.state === "ready");
  const ips = onePerFamily(shared ? input.nodeAddresses : own);
  if (ips[0] !== undefined) return { ...host, podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) };
  const { podIP, podIPs } = pod.status;
  return { ...host, ...(podIP === undefined ? {} : { podIP }), ...(podIPs === undefined ? {} : { podIPs }) };
}

function onePerFamily(ips: readonly string[]): readonly string[] {
  const v4 = ips.find((ip) => !ip.includes(":"));
  const v6 = ips.find((ip) => ip.includes(":"));
  return ips.filter((ip) => ip === v4 || ip === v6);
}

/** Fields of the status that others own. */
function carriedOver(status: PodStatus): Partial<PodStatus> {
  const { nominatedNodeName, resourceClaimStatuses, resize, extendedResourceClaimStatus } = status;
  return {
    ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
    ...(resourceClaimStatuses === undefined ? {} : { resourceClaimStatuses }),
    ...(resize === undefined ? {} : { resize }),
    ...(extendedResourceClaimStatus === undefined ? {} : { extendedResourceClaimStatus }),
  };
}
