// Amounts of resources as plain numbers, because the scheduler compares them thousands of times a second.

import type { Pod } from "../api/index.ts";
import { type Quantity, parseQuantity, quantityMilliValue, quantityValue } from "../api/meta/quantity.ts";
import { podRequests } from "../api/core/v1/pod-requests.ts";

export interface Resources {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  /** Huge pages and extended resources, by name. */
  readonly others: Readonly<Record<string, number>>;
}

export const noResources: Resources = { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0, others: {} };

/** What a container that asks for no CPU is thought to use when nodes are compared. */
export const assumedCpuMillis = 100;

/** What a container that asks for no memory is thought to use when nodes are compared. */
export const assumedMemoryBytes = 200 * 1024 * 1024;

/** A list of resources as the API has it. `pods` is not among the result: it is counted, not added. */
export function resourcesFrom(list: Readonly<Record<string, Quantity>>): Resources {
  const others: Record<string, number> = {};
  let cpuMillis = 0;
  let memoryBytes = 0;
  let ephemeralStorageBytes = 0;
  for (const [name, quantity] of Object.entries(list)) {
    if (name === "cpu") cpuMillis = Number(quantityMilliValue(quantity));
    else if (name === "memory") memoryBytes = Number(quantityValue(quantity));
    else if (name === "ephemeral-storage") ephemeralStorageBytes = Number(quantityValue(quantity));
    else if (name !== "pods") others[name] = Number(quantityValue(quantity));
  }
  return { cpuMillis, memoryBytes, ephemeralStorageBytes, others };
}

export function parseResources(list: Readonly<Record<string, string>> = {}): Resources {
  return resourcesFrom(Object.fromEntries(Object.entries(list).map(([name, text]) => [name, parseQuantity(text)])));
}

/** What the Pod asks for as a whole (pod-lifecycle 9.4). */
export function requestsOf(pod: Pod): Resources {
  return resourcesFrom(podRequests(pod));
}

/**
 * What the Pod is thought to use when nodes are compared: a container without a request counts with an assumed amount, so that many small
 * unknowns do not all land on one node.
 */
export function assumedRequestsOf(pod: Pod): { readonly cpuMillis: number; readonly memoryBytes: number } {
  const container = <C extends { readonly resources: Pod["spec"]["containers"][number]["resources"] }>(spec: C): C => ({
    ...spec,
    resources: {
      ...spec.resources,
      requests: { cpu: `${assumedCpuMillis}m`, memory: `${assumedMemoryBytes}`, ...spec.resources.requests },
    },
  });
  const { spec } = pod;
  const assumed: Pod = {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(container),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(container) }),
    },
  };
  return requestsOf(assumed);
}

export function addResources(a: Resources, b: Resources): Resources {
  return combine(a, b, 1);
}

export function subtractResources(a: Resources, b: Resources): Resources {
  return combine(a, b, -1);
}

export function asksForNothing({ cpuMillis, memoryBytes, ephemeralStorageBytes, others }: Resources): boolean {
  return (
    cpuMillis === 0 && memoryBytes === 0 && ephemeralStorageBytes === 0 && Object.values(others).every((n) => n === 0)
  );
}

/** Whether some amount is smaller in `now` than in `before`. */
export function asksForLess(now: Resources, before: Resources): boolean {
  return (
    now.cpuMillis < before.cpuMillis ||
    now.memoryBytes < before.memoryBytes ||
    now.ephemeralStorageBytes < before.ephemeralStorageBytes ||
    Object.entries(before.others).some(([name, amount]) => (now.others[name] ?? 0) < amount)
  );
}

function combine(a: Resources, b: Resources, sign: 1 | -1): Resources {
  let others = a.others;
  for (const name in b.others) {
    if (others === a.others) others = { ...a.others };
    (others as Record<string, number>)[name] = (others[name] ?? 0) + sign * (b.others[name] as number);
  }
  return {
    cpuMillis: a.cpuMillis + sign * b.cpuMillis,
    memoryBytes: a.memoryBytes + sign * b.memoryBytes,
    ephemeralStorageBytes: a.ephemeralStorageBytes + sign * b.ephemeralStorageBytes,
    others,
  };
}
