// The quality-of-service class (pod-lifecycle 10.1): computed once, when a Pod is created.

import type { PodQOSClass, ResourceRequirements } from "../../generated/core-v1.ts";
import { addQuantities, compareQuantities, type Quantity, zeroQuantity } from "../../meta/quantity.ts";
import { amountsOf, type ResourcePod } from "./pod-requests.ts";

/**
 * Guaranteed if every container, init containers included, limits cpu and memory and asks for just that; BestEffort if nothing asks or
 * limits; else Burstable. Resources of the Pod as a whole decide alone if there are any.
 */
export function computeQosClass(pod: ResourcePod): PodQOSClass {
  const parts = partsOf(pod);
  const requests = sum(parts.map((part) => positive(part.requests)));
  const limits = sum(parts.map((part) => positive(part.limits)));
  if (requests.size === 0 && limits.size === 0) return "BestEffort";
  const allLimited = parts.every((part) => positive(part.limits).size === counted.length);
  const equal = [...requests].every(([name, request]) => {
    const limit = limits.get(name);
    return limit !== undefined && compareQuantities(limit, request) === 0;
  });
  return allLimited && equal && requests.size === limits.size ? "Guaranteed" : "Burstable";
}

const counted = ["cpu", "memory"];

type Amounts = ReadonlyMap<string, Quantity>;

type Part = Pick<ResourceRequirements, "requests" | "limits">;

function partsOf({ spec }: ResourcePod): readonly Part[] {
  const whole = spec.resources;
  if (whole !== undefined && (positive(whole.requests).size > 0 || positive(whole.limits).size > 0)) return [whole];
  return [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.resources);
}

function positive(list: Part["requests"]): Amounts {
  return new Map([...amountsOf(list)].filter(([name, amount]) => counted.includes(name) && amount.nanos > 0n));
}

function sum(lists: readonly Amounts[]): Amounts {
  const total = new Map<string, Quantity>();
  for (const list of lists) {
    for (const [name, amount] of list) total.set(name, addQuantities(total.get(name) ?? zeroQuantity, amount));
  }
  return total;
}
