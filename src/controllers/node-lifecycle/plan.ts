// What a silent or unwell node means (pod-lifecycle 12.1, 12.2): its conditions become Unknown, its taints follow its conditions, and how fast
// Pods may be driven off depends on how its zone is doing.

import type { Lease, Node, NodeCondition, Taint } from "../../api/index.ts";
import { type Instant, type Millis, after, elapsed, formatTime, parseTime, seconds } from "../../base/time.ts";

/** How often a node that is not ready is looked at. One that is ready needs no look before it could have been silent too long. */
export const monitorPeriod: Millis = seconds(5);

/** A node that has been silent for this long is not known to be alive. */
export const monitorGracePeriod: Millis = seconds(50);

/** The same for a node that has never spoken, since it was created. */
export const startupGracePeriod: Millis = seconds(60);

const notReady = "node.kubernetes.io/not-ready";
const unreachable = "node.kubernetes.io/unreachable";
const watchedConditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;

/** The last sign of life that was seen of a node. The time is ours: the node's clock may be wrong. */
export interface Heartbeat {
  readonly sign: string;
  readonly seenAt: Instant;
}

/** Takes note of a sign of life: the lease was renewed or the status was posted. */
export function noteHeartbeat(
  known: Heartbeat | undefined,
  node: Node,
  lease: Lease | undefined,
  now: Instant,
): Heartbeat {
  const posted = readyCondition(node)?.lastHeartbeatTime ?? "";
  const sign = `${lease?.spec.renewTime ?? ""} ${posted}`;
  return known?.sign === sign ? known : { sign, seenAt: now };
}

export function readyCondition(node: Node): NodeCondition | undefined {
  return node.status.conditions?.find(({ type }) => type === "Ready");
}

/** How much longer the node may be silent. */
export function remainingGrace(node: Node, heartbeat: Heartbeat, now: Instant): Millis {
  const hasSpoken = readyCondition(node) !== undefined;
  const lastSign = hasSpoken ? heartbeat.seenAt : (parseTime(node.metadata.creationTimestamp) ?? heartbeat.seenAt);
  const grace = hasSpoken ? monitorGracePeriod : startupGracePeriod;
  return elapsed(now, after(lastSign, grace));
}

/** When the node is looked at next, if nothing is heard of it. */
export function nextLook(node: Node, heartbeat: Heartbeat, now: Instant): Millis {
  const grace = remainingGrace(node, heartbeat, now);
  return readyCondition(node)?.status === "True" && grace > 0 ? grace : monitorPeriod;
}

/** The conditions of a node that has been silent too long; `undefined` if nothing changes. */
export function planConditions(node: Node, heartbeat: Heartbeat, now: Instant): readonly NodeCondition[] | undefined {
  if (remainingGrace(node, heartbeat, now) > 0) return undefined;
  const known = node.status.conditions ?? [];
  const planned = watchedConditions.flatMap((type) => {
    const before = known.find((condition) => condition.type === type);
    if (before?.status === "Unknown") return [];
    return [unknownCondition(type, before, node, now)];
  });
  if (planned.length === 0) return undefined;
  return [...known.filter(({ type }) => !planned.some((condition) => condition.type === type)), ...planned];
}

function unknownCondition(type: string, before: NodeCondition | undefined, node: Node, now: Instant): NodeCondition {
  const said =
    before === undefined
      ? { reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." }
      : { reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
  const lastHeartbeatTime = before?.lastHeartbeatTime ?? node.metadata.creationTimestamp;
  return { type, status: "Unknown", ...said, lastHeartbeatTime, lastTransitionTime: formatTime(now) };
}

/**
 * What may be done to drive Pods off a node that is not ready: taint it, leave things as they are (too many in too short a time), or take
 * the taint away (no zone has a node that is ready: it is rather us who see nothing).
 */
export type NoExecutePolicy = "add" | "keep" | "remove";

/** Whether the node has yet to get the taint that drives Pods off it. */
export function wantsNoExecute(node: Node): boolean {
  const key = unreadyTaintKey(node);
  return key !== undefined && !(node.spec.taints ?? []).some((taint) => isUnreadyNoExecute(taint));
}

/** The node's taints as its conditions ask for them; `undefined` if they are right. Taints of others are left alone. */
export function planTaints(node: Node, policy: NoExecutePolicy, now: Instant): readonly Taint[] | undefined {
  const taints = node.spec.taints ?? [];
  const wanted = wantedTaints(node, policy);
  const kept = taints.filter((taint) => !isOurs(taint) || wanted.some((other) => isSame(taint, other)));
  const added = wanted
    .filter((taint) => !taints.some((other) => isSame(taint, other)))
    .map((taint) => ({ ...taint, timeAdded: formatTime(now) }));
  return added.length === 0 && kept.length === taints.length ? undefined : [...kept, ...added];
}

function wantedTaints(node: Node, policy: NoExecutePolicy): Taint[] {
  const wanted: Taint[] = [];
  const hasCondition = (type: string): boolean =>
    (node.status.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
  const unready = unreadyTaintKey(node);
  const noSchedule = (key: string): void => void wanted.push({ key, effect: "NoSchedule" });
  if (unready !== undefined) noSchedule(unready);
  for (const [condition, key] of Object.entries(conditionTaints)) if (hasCondition(condition)) noSchedule(key);
  if (node.spec.unschedulable ?? false) noSchedule("node.kubernetes.io/unschedulable");
  // A node that has not spoken yet keeps the taint it was created with.
  if (readyCondition(node) === undefined) {
    wanted.push(...(node.spec.taints ?? []).filter((taint) => taint.key === notReady && taint.effect === "NoSchedule"));
  }
  const isTainted = (node.spec.taints ?? []).some((taint) => isUnreadyNoExecute(taint));
  const drives = policy === "add" || (policy === "keep" && isTainted);
  if (unready !== undefined && drives) wanted.push({ key: unready, effect: "NoExecute" });
  return wanted;
}

/** Which of the two words fits a node that is not ready; `undefined` if it is, or has not spoken yet. */
function unreadyTaintKey(node: Node): string | undefined {
  switch (readyCondition(node)?.status) {
    case "False":
      return notReady;
    case "Unknown":
      return unreachable;
    case "True":
    case undefined:
      return undefined;
  }
}

const conditionTaints: Readonly<Record<string, string>> = {
  MemoryPressure: "node.kubernetes.io/memory-pressure",
  DiskPressure: "node.kubernetes.io/disk-pressure",
  PIDPressure: "node.kubernetes.io/pid-pressure",
  NetworkUnavailable: "node.kubernetes.io/network-unavailable",
};

const ourNoSchedule: ReadonlySet<string> = new Set([
  notReady,
  unreachable,
  "node.kubernetes.io/unschedulable",
  ...Object.values(conditionTaints),
]);

const isUnreadyNoExecute = ({ key, effect }: Taint): boolean =>
  effect === "NoExecute" && (key === notReady || key === unreachable);

const isOurs = (taint: Taint): boolean =>
  isUnreadyNoExecute(taint) || (taint.effect === "NoSchedule" && ourNoSchedule.has(taint.key));

const isSame = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;

/** How a zone is doing. */
export type ZoneState = "normal" | "partialDisruption" | "fullDisruption";

export function zoneState(readyNodes: number, unreadyNodes: number): ZoneState {
  if (readyNodes === 0 && unreadyNodes > 0) return "fullDisruption";
  if (unreadyNodes > 2 && unreadyNodes / (readyNodes + unreadyNodes) >= 0.55) return "partialDisruption";
  return "normal";
}

/** The time between two nodes of a zone that are tainted to drive Pods off; `undefined` if none may be. */
export function evictionInterval(state: ZoneState, zoneSize: number): Millis | undefined {
  switch (state) {
    case "normal":
    case "fullDisruption":
      return seconds(10);
    case "partialDisruption":
      return zoneSize > 50 ? seconds(100) : undefined;
  }
}
