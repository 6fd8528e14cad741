// Keeps the EndpointSlices of every Service that chooses its Pods.

import type { EndpointSlice, Node, Pod, Service } from "../../api/index.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import { carryOutSlices } from "../carry-out-slices.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { isNamespaceTerminating } from "../pod-control.ts";
import { hasSelector, selects, servicesConcerned } from "../service-pods.ts";
import { podsByNode } from "../shared-informers.ts";
import { TriggerTimes } from "../trigger-times.ts";
import { WrittenSlices } from "../written-slices.ts";
import { endpointSliceController, managedByLabel, planServiceSlices, serviceNameLabel, zoneLabel } from "./plan.ts";

/** How many Services are worked on at once. */
const concurrency = 5;
/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

interface Memory {
  readonly written: WrittenSlices;
  readonly triggers: TriggerTimes;
}

export function startEndpointSliceController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const memory: Memory = { written: new WrittenSlices(), triggers: new TriggerTimes() };
  const controller = new Controller({
    name: "endpointslice",
    clock,
    concurrency,
    reconcile: (key) => reconcileService(key, deps, memory),
    onFailure,
  });
  informers.services.onAny(({ object }) => controller.queue.add(keyOf(object)));
  informers.pods.onAny((change) => {
    for (const service of servicesConcerned(change, informers.services.lister)) controller.queue.add(keyOf(service));
  });
  informers.endpointSlices.onAny((change) => {
    const key = serviceKeyOf(change.object);
    if (key === undefined) return;
    memory.written.observe(key, change);
    if (change.kind !== "added") controller.queue.add(key);
  });
  informers.nodes.onAny((change) => {
    if (change.kind === "updated" && zoneOf(change.object) === zoneOf(change.previous)) return;
    for (const pod of informers.pods.lister.byIndex(podsByNode, change.object.metadata.name)) {
      for (const service of servicesOf(pod, deps)) controller.queue.add(keyOf(service));
    }
  });
  controller.start();
  return controller;
}

function servicesOf(pod: Pod, { informers }: ControllerDeps): readonly Service[] {
  return informers.services.lister.inNamespace(pod.metadata.namespace ?? "").filter((service) => selects(service, pod));
}

function zoneOf({ metadata }: Node): string | undefined {
  return metadata.labels?.[zoneLabel];
}

/** The Service whose slice of this controller it is. */
function serviceKeyOf({ metadata }: EndpointSlice): string | undefined {
  const service = metadata.labels?.[serviceNameLabel];
  if (service === undefined || metadata.labels?.[managedByLabel] !== endpointSliceController) return undefined;
  return `${metadata.namespace ?? ""}/${service}`;
}

async function reconcileService(key: string, deps: ControllerDeps, memory: Memory): Promise<ReconcileOutcome> {
  const { client, informers } = deps;
  const service = informers.services.lister.get(key);
  if (service === undefined || service.metadata.deletionTimestamp !== undefined) {
    memory.written.forget(key); // the garbage collector takes the slices of a Service that is gone
    memory.triggers.forget(key);
    return done;
  }
  if (!hasSelector(service)) return done; // whoever made it writes by hand where it leads
  const namespace = service.metadata.namespace ?? "";
  const known = informers.endpointSlices.lister.inNamespace(namespace).filter((slice) => serviceKeyOf(slice) === key);
  const existing = memory.written.over(key, known);
  const writer = { client, informer: informers.endpointSlices, written: memory.written };
  try {
    const pods = informers.pods.lister.inNamespace(namespace).filter((pod) => selects(service, pod));
    const triggerTime = memory.triggers.since(key, service, pods);
    const nodeOf = (name: string) => informers.nodes.lister.get(name);
    await carryOutSlices(key, planServiceSlices({ service, pods, nodeOf, existing, triggerTime }), writer);
    return done;
  } catch (error) {
    if (isNamespaceTerminating(error)) return done;
    if (isReason(error, "Conflict") || isReason(error, "NotFound")) return { kind: "after", wait: conflictDelay };
    throw error;
  }
}
