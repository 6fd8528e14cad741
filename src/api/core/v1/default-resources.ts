// The form in which amounts of resources are stored (pod-lifecycle 15.3).

import type { Draft } from "../../draft.ts";
import type { ResourceRequirements } from "../../generated/core-v1.ts";
import { formatQuantity, parseQuantity, roundUpToMilli } from "../../meta/quantity.ts";

type ResourceList = Readonly<Record<string, string>>;

/** A resource list with every amount in canonical form and rounded up to thousandths. */
export function roundedList(list: Draft<ResourceList>): ResourceList {
  return Object.fromEntries(
    Object.entries(list).map(([name, text]) => [name, formatQuantity(roundUpToMilli(parseQuantity(text ?? "0")))]),
  );
}

/** A container's resources with their amounts in the form in which they are stored, and nothing else changed. */
export function roundedResources(resources: Draft<ResourceRequirements>): ResourceRequirements {
  return {
    ...(resources as ResourceRequirements),
    ...(resources.limits === undefined ? {} : { limits: roundedList(resources.limits) }),
    ...(resources.requests === undefined ? {} : { requests: roundedList(resources.requests) }),
  };
}

/** A container's resources: whatever is limited but not requested is requested up to its limit. */
export function defaultContainerResources(resources: Draft<ResourceRequirements>): ResourceRequirements {
  const rounded = roundedResources(resources);
  const { limits, requests } = rounded;
  if (limits === undefined && requests === undefined) return rounded;
  return { ...rounded, requests: { ...limits, ...requests } };
}
