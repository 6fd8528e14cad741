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

/** A container's resources: whatever is limited but not requested is requested up to its limit. */
export function defaultContainerResources(resources: Draft<ResourceRequirements>): ResourceRequirements {
  const limits = resources.limits === undefined ? undefined : roundedList(resources.limits);
  const requests = resources.requests === undefined ? undefined : roundedList(resources.requests);
  return {
    ...(resources as ResourceRequirements),
    ...(limits === undefined ? {} : { limits }),
    ...(limits === undefined && requests === undefined ? {} : { requests: { ...limits, ...requests } }),
  };
}
