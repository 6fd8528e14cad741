// What a node says about itself (pod-lifecycle 12.1, 12.7).

import type { Node, NodeCondition, NodeStatus } from "../api/generated/core-v1.ts";
import { sameJson } from "../api/meta/json-object.ts";
import { elapsed, formatTime, type Instant, minutes, parseTime } from "../base/time.ts";
import type { RuntimeVersion } from "../runtimes/runtime-service.ts";
import { allocatableOf, type KubeletNode } from "./kubelet-parts.ts";
import type { RuntimeHealth } from "./runtime-health.ts";

/** The Kubernetes release whose behaviour this kubelet has. */
export const kubeletVersion = "v1.34.0";

/** A status that has not changed is written again after this. */
export const statusReportPeriod = minutes(5);

export interface NodeStatusInput {
  readonly runtimeVersion: RuntimeVersion;
  readonly runtime: RuntimeHealth;
}

export function computeNodeStatus(
  node: KubeletNode,
  previous: NodeStatus | undefined,
  input: NodeStatusInput,
  now: Instant,
): NodeStatus {
  const own = ownConditions(input);
  const kept = (previous?.conditions ?? []).filter((condition) => !own.some(({ type }) => type === condition.type));
  return {
    ...previous,
    capacity: allocatableOf(node),
    allocatable: allocatableOf(node),
    conditions: [...kept, ...own.map((condition) => timed(condition, previous?.conditions ?? [], now))],
    addresses: node.addresses,
    nodeInfo: {
      ...node.systemInfo,
      containerRuntimeVersion: `${input.runtimeVersion.runtimeName}://${input.runtimeVersion.runtimeVersion}`,
      kubeletVersion,
      kubeProxyVersion: "",
    },
  };
}

/** Whether the status is worth writing: it says something new, or it has been silent for long. */
export function needsReport(previous: NodeStatus, next: NodeStatus, now: Instant): boolean {
  if (!sameJson(withoutHeartbeats(previous), withoutHeartbeats(next))) return true;
  const last = parseTime(readyCondition(previous)?.lastHeartbeatTime ?? "");
  return last === undefined || elapsed(last, now) >= statusReportPeriod;
}

export function readyCondition(status: NodeStatus | undefined): NodeCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === "Ready");
}

/** The object that a kubelet registers. */
export function newNode(node: KubeletNode, status: NodeStatus): Readonly<Record<string, unknown>> {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: node.name, labels: node.labels },
    spec: {},
    status,
  };
}

/** The labels of the object, with the kubelet's own set right; `undefined` if they are right. */
export function labelCorrections(existing: Node, node: KubeletNode): Readonly<Record<string, string>> | undefined {
  const wrong = Object.entries(node.labels).filter(([key, value]) => existing.metadata.labels?.[key] !== value);
  return wrong.length === 0 ? undefined : Object.fromEntries(wrong);
}

type Verdict = Pick<NodeCondition, "type" | "status" | "reason" | "message">;

function ownConditions(input: NodeStatusInput): readonly Verdict[] {
  const pressureFree = (type: string, reason: string, message: string): Verdict => ({
    type,
    status: "False",
    reason,
    message,
  });
  return [
    pressureFree("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    pressureFree("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    pressureFree("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    readyVerdict(input),
  ];
}

function readyVerdict(input: NodeStatusInput): Verdict {
  const faults = [
    ...input.runtime.errors,
    ...input.runtime.conditions
      .filter((condition) => !condition.status)
      .map((condition) => {
        const what = condition.type === "NetworkReady" ? "container runtime network" : "container runtime";
        return `${what} not ready: ${condition.type}=false reason:${condition.reason} message:${condition.message}`;
      }),
  ];
  if (faults.length === 0) {
    return { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" };
  }
  const message = faults.length === 1 ? (faults[0] as string) : `[${faults.join(", ")}]`;
  return { type: "Ready", status: "False", reason: "KubeletNotReady", message };
}

function timed(verdict: Verdict, previous: readonly NodeCondition[], now: Instant): NodeCondition {
  const old = previous.find((condition) => condition.type === verdict.type);
  const at = formatTime(now);
  const lastTransitionTime = old?.status === verdict.status ? (old.lastTransitionTime ?? at) : at;
  return { ...verdict, lastHeartbeatTime: at, lastTransitionTime };
}

function withoutHeartbeats(status: NodeStatus): unknown {
  return {
    ...status,
    conditions: (status.conditions ?? []).map(({ lastHeartbeatTime: _heartbeat, ...condition }) => condition),
  };
}
