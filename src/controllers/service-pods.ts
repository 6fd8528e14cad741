// Which Pods stand behind a Service, and on which ports they answer: what Endpoints and EndpointSlices are both made of (pod-lifecycle 13.9).

import type { Pod, Service, ServicePort } from "../api/index.ts";
import { sameJson } from "../api/meta/json-object.ts";
import type { InformerChange } from "../client/informer.ts";
import type { Lister } from "../client/lister.ts";
import { isFinished, isReady } from "./pod-state.ts";

/** Whether the Service chooses its Pods itself; otherwise somebody writes by hand where it leads. */
export function hasSelector({ spec }: Service): boolean {
  return spec.type !== "ExternalName" && Object.keys(spec.selector ?? {}).length > 0;
}

/** Whether the Service chooses this Pod. */
export function selects(service: Service, { metadata }: Pod): boolean {
  if (!hasSelector(service) || service.metadata.namespace !== metadata.namespace) return false;
  const labels = metadata.labels ?? {};
  return Object.entries(service.spec.selector ?? {}).every(([name, value]) => labels[name] === value);
}

/** The address at which a Pod can be reached; undefined for one that has none yet, or has finished. */
export function reachableAt({ status }: Pod): string | undefined {
  if (isFinished(status.phase)) return undefined;
  const addresses = status.podIPs?.map(({ ip }) => ip) ?? [status.podIP ?? ""];
  return addresses.find((address) => address !== "" && !address.includes(":"));
}

/** A name of its own is given to a Pod that asks for one under this Service. */
export function hostnameUnder(service: Service, { spec }: Pod): string | undefined {
  return (spec.hostname ?? "") !== "" && spec.subdomain === service.metadata.name ? spec.hostname : undefined;
}

/** Whether each Pod must be asked which number a port has. */
export function hasNamedTargets({ spec }: Service): boolean {
  return (spec.ports ?? []).some(({ targetPort }) => typeof targetPort === "string");
}

/** The number of the port in this Pod; undefined when no container of the Pod has a port of that name and protocol. */
export function targetPortIn(pod: Pod, { targetPort, protocol }: ServicePort): number | undefined {
  if (typeof targetPort === "number") return targetPort;
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const { ports = [] } of [...pod.spec.containers, ...sidecars]) {
    const found = ports.find((port) => port.name === targetPort && port.protocol === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** The Services that list the Pod, or did before the change. */
export function servicesConcerned(change: InformerChange<Pod>, services: Lister<Service>): readonly Service[] {
  const { object } = change;
  if (change.kind === "updated" && !endpointChanged(object, change.previous)) return [];
  return services
    .inNamespace(object.metadata.namespace ?? "")
    .filter((service) => selects(service, object) || (change.kind === "updated" && selects(service, change.previous)));
}

/** Whether a change of a Pod can matter to those who list it. */
function endpointChanged(next: Pod, previous: Pod): boolean {
  return (
    isReady(next) !== isReady(previous) ||
    reachableAt(next) !== reachableAt(previous) ||
    next.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    next.spec.nodeName !== previous.spec.nodeName ||
    !sameJson(next.metadata.labels, previous.metadata.labels)
  );
}
