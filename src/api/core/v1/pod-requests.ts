// What a whole Pod asks for and may use (pod-lifecycle 9.4): init containers run one after another before the regular ones, sidecars run along
// with everything after them.

import type { Container, PodSpec, ResourceRequirements } from "../../generated/core-v1.ts";
import { addQuantities, maxQuantity, parseQuantity, type Quantity, zeroQuantity } from "../../meta/quantity.ts";

/** Amounts by resource: `cpu`, `memory`, `example.com/gpu`. */
export type ResourceAmounts = Readonly<Record<string, Quantity>>;

/** Of a Pod, what counts for its resources. */
export interface ResourcePod {
  readonly spec: Pick<PodSpec, "overhead"> & {
    readonly resources?: Pick<ResourceRequirements, "requests" | "limits">;
    readonly containers: readonly ResourceContainer[];
    readonly initContainers?: readonly ResourceContainer[];
  };
}

/** Of a container, what counts for the Pod's resources. */
export type ResourceContainer = Pick<Container, "resources" | "restartPolicy">;

/** What the Pod asks of a node, with its overhead. */
export function podRequests(pod: ResourcePod): ResourceAmounts {
  const amounts = sumOfContainers(pod, "requests");
  replaceByPodLevel(amounts, pod.spec.resources?.requests);
  addTo(amounts, amountsOf(pod.spec.overhead));
  return Object.fromEntries(amounts);
}

/** What the Pod may use: the sum of the limits that there are. Overhead is added to limits that are set. */
export function podLimits(pod: ResourcePod): ResourceAmounts {
  const amounts = sumOfContainers(pod, "limits");
  replaceByPodLevel(amounts, pod.spec.resources?.limits);
  for (const [name, overhead] of amountsOf(pod.spec.overhead)) {
    const limit = amounts.get(name);
    if (limit !== undefined && limit.nanos !== 0n) amounts.set(name, addQuantities(limit, overhead));
  }
  return Object.fromEntries(amounts);
}

/** The containers' part alone, without what is set for the Pod as a whole. */
export function aggregateContainers(pod: ResourcePod, which: "requests" | "limits"): ResourceAmounts {
  return Object.fromEntries(sumOfContainers(pod, which));
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
export function amountsOf(list: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, Quantity> {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

/** The larger of what the containers need while running and what any moment of the start needs. */
function sumOfContainers({ spec }: ResourcePod, which: "requests" | "limits"): Map<string, Quantity> {
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

function replaceByPodLevel(amounts: Map<string, Quantity>, list: Readonly<Record<string, string>> | undefined): void {
  for (const [name, amount] of amountsOf(list)) if (isPodLevelResource(name)) amounts.set(name, amount);
}

function addTo(amounts: Map<string, Quantity>, more: ReadonlyMap<string, Quantity>): void {
  for (const [name, amount] of more) amounts.set(name, addQuantities(amounts.get(name) ?? zeroQuantity, amount));
}

function raiseTo(amounts: Map<string, Quantity>, least: ReadonlyMap<string, Quantity>): void {
  for (const [name, amount] of least) {
    const have = amounts.get(name);
    amounts.set(name, have === undefined ? amount : maxQuantity(have, amount));
  }
}
