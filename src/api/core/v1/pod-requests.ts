// What a whole Pod asks for and may use (pod-lifecycle 9.4): init containers run one after another before the regular ones, sidecars run along
// with everything after them.

import type { Container, PodSpec, ResourceRequirements } from "../../generated/core-v1.ts";
import { addQuantities, maxQuantity, parseQuantity, type Quantity, zeroQuantity } from "../../meta/quantity.ts";

/** Amounts by resource: `cpu`, `memory`, `example.com/gpu`. */
export type ResourceAmounts = ReadonlyMap<string, Quantity>;

/** Of a Pod's spec, what counts for its resources. */
export type ResourceSpec = Pick<PodSpec, "overhead"> & {
  readonly resources?: Pick<ResourceRequirements, "requests" | "limits">;
  readonly containers: readonly ResourceContainer[];
  readonly initContainers?: readonly ResourceContainer[];
};

/** Of a container, what counts for the Pod's resources. */
export type ResourceContainer = Pick<Container, "resources" | "restartPolicy">;

/** What the Pod asks of a node, with its overhead. */
export function podRequests(spec: ResourceSpec): ResourceAmounts {
  const amounts = new Map(aggregateContainers(spec, "requests"));
  replaceByPodLevel(amounts, spec.resources?.requests);
  addTo(amounts, amountsOf(spec.overhead));
  return amounts;
}

/** What the Pod may use; a resource that some regular container leaves open shows only the others' limits. Overhead is added to limits that are set. */
export function podLimits(spec: ResourceSpec): ResourceAmounts {
  const amounts = new Map(aggregateContainers(spec, "limits"));
  replaceByPodLevel(amounts, spec.resources?.limits);
  for (const [name, overhead] of amountsOf(spec.overhead)) {
    const limit = amounts.get(name);
    if (limit !== undefined && limit.nanos !== 0n) amounts.set(name, addQuantities(limit, overhead));
  }
  return amounts;
}

/** The containers' part alone: the larger of what they need while running and what any moment of the start needs. */
export function aggregateContainers(spec: ResourceSpec, which: "requests" | "limits"): ResourceAmounts {
  const running = new Map<string, Quantity>();
  for (const container of spec.containers) addTo(running, amountsOf(container.resources[which]));
  const sidecars = new Map<string, Quantity>();
  const starting = new Map<string, Quantity>();
  for (const container of spec.initContainers ?? []) {
    const own = amountsOf(container.resources[which]);
    if (isSidecar(container)) {
      addTo(sidecars, own);
      raiseTo(starting, sidecars);
    } else {
      const together = new Map(sidecars);
      addTo(together, own);
      raiseTo(starting, together);
    }
  }
  addTo(running, sidecars);
  raiseTo(running, starting);
  return running;
}

/** An init container that keeps running: `restartPolicy: Always`. */
export function isSidecar(container: Pick<Container, "restartPolicy">): boolean {
  return container.restartPolicy === "Always";
}

/** Whether a resource can be set for the Pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

/** A resource list as amounts. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): ResourceAmounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

function replaceByPodLevel(amounts: Map<string, Quantity>, list: Readonly<Record<string, string>> | undefined): void {
  for (const [name, amount] of amountsOf(list)) if (isPodLevelResource(name)) amounts.set(name, amount);
}

function addTo(amounts: Map<string, Quantity>, more: ResourceAmounts): void {
  for (const [name, amount] of more) amounts.set(name, addQuantities(amounts.get(name) ?? zeroQuantity, amount));
}

function raiseTo(amounts: Map<string, Quantity>, least: ResourceAmounts): void {
  for (const [name, amount] of least) {
    const have = amounts.get(name);
    amounts.set(name, have === undefined ? amount : maxQuantity(have, amount));
  }
}
