// Requests and limits as the kernel understands them (pod-lifecycle 10.2, 10.4).

import type { Container, EphemeralContainer, Pod } from "../api/generated/core-v1.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "../api/meta/quantity.ts";
import type { ContainerResources } from "../runtimes/runtime-service.ts";
import { initContainersOf } from "./pod-containers.ts";

const cpuPeriodMicros = 100_000;
const fewestShares = 2;
const mostShares = 262_144;
const smallestQuota = 1000;
const nodeCriticalPriority = 2_000_001_000;

export function containerResources(
  pod: Pod,
  container: Container | EphemeralContainer,
  nodeMemoryBytes: number,
): ContainerResources {
  const { requests, limits } = container.resources;
  const cpuLimit = cpuMillis(limits?.["cpu"]);
  const cpuRequest = requests?.["cpu"] === undefined ? cpuLimit : cpuMillis(requests["cpu"]);
  const memoryLimit = bytes(limits?.["memory"]);
  return {
    cpuPeriod: cpuPeriodMicros,
    cpuQuota: cpuLimit === 0 ? 0 : cpuQuota(cpuLimit),
    cpuShares: cpuShares(cpuRequest),
    ...(memoryLimit === 0 ? {} : { memoryLimitInBytes: memoryLimit }),
    oomScoreAdj: oomScoreAdjustment(pod, container, nodeMemoryBytes),
  };
}

export function cpuShares(milliCpu: number): number {
  if (milliCpu === 0) return fewestShares;
  return Math.min(mostShares, Math.max(fewestShares, Math.floor((milliCpu * 1024) / 1000)));
}

/** Microseconds of CPU in a period of 100 ms. */
export function cpuQuota(milliCpu: number): number {
  return Math.max(smallestQuota, Math.floor((milliCpu * cpuPeriodMicros) / 1000));
}

/** How readily the kernel kills this container when memory runs out. */
export function oomScoreAdjustment(
  pod: Pod,
  container: Container | EphemeralContainer,
  nodeMemoryBytes: number,
): number {
  if (pod.spec.priority === nodeCriticalPriority || pod.status.qosClass === "Guaranteed") return -997;
  if (pod.status.qosClass === "BestEffort") return 1000;
  const own = score(memoryRequest(pod, container), nodeMemoryBytes);
  const isSidecar = initContainersOf(pod).some((each) => each.role === "sidecar" && each.spec.name === container.name);
  const smallest = Math.min(...pod.spec.containers.map((each) => memoryRequest(pod, each)));
  const adjusted = isSidecar ? Math.min(own, score(smallest, nodeMemoryBytes)) : own;
  if (adjusted < 3) return 3;
  return adjusted === 1000 ? 999 : adjusted;
}

/**
 * What to tell the author of a container whose limits its runtime does not enforce; `undefined` if it asks for none. A limit that does nothing must not
 * look like one that does.
 */
export function unenforcedLimits(container: Container | EphemeralContainer, runtimeName: string): string | undefined {
  const limits = Object.entries(container.resources.limits ?? {}).filter(
    ([name]) => name === "cpu" || name === "memory",
  );
  if (limits.length === 0) return undefined;
  const text = limits.map(([name, quantity]) => `${name} ${quantity}`).join(" and ");
  return `Container ${container.name} has a limit of ${text} that the ${runtimeName} runtime does not enforce; the containerd runtime does`;
}

/** The container's own request and an equal share of what the Pod asks for beyond its containers. */
function memoryRequest(pod: Pod, container: Container | EphemeralContainer): number {
  const own = bytes(container.resources.requests?.["memory"]);
  const ofPod = bytes(pod.spec.resources?.requests?.["memory"]);
  if (ofPod === 0) return own;
  const sharing = [
    ...(pod.spec.initContainers ?? []).filter((each) => each.restartPolicy === "Always"),
    ...pod.spec.containers,
  ];
  const covered = sharing.reduce((sum, each) => sum + bytes(each.resources.requests?.["memory"]), 0);
  return ofPod > covered ? own + Math.floor((ofPod - covered) / sharing.length) : own;
}

function score(request: number, nodeMemoryBytes: number): number {
  return nodeMemoryBytes === 0 ? 1000 : 1000 - Math.floor((1000 * request) / nodeMemoryBytes);
}

export function cpuMillis(quantity: string | undefined): number {
  return quantity === undefined ? 0 : Number(quantityMilliValue(parseQuantity(quantity)));
}

export function bytes(quantity: string | undefined): number {
  return quantity === undefined ? 0 : Number(quantityValue(parseQuantity(quantity)));
}
