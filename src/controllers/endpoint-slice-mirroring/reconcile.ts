// Keeps a copy in EndpointSlices of the Endpoints that were written by hand.

import type { EndpointSlice } from "../../api/index.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome, splitKey } from "../../client/controller.ts";
import { carryOutSlices } from "../carry-out-slices.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { isNamespaceTerminating } from "../pod-control.ts";
import { WrittenSlices } from "../written-slices.ts";
import { isMirrored, mirroringController, planMirror } from "./plan.ts";

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

export function startEndpointSliceMirroringController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const written = new WrittenSlices();
  const controller = new Controller({
    name: "endpointslicemirroring",
    clock,
    reconcile: (key) => reconcileEndpoints(key, deps, written),
    onFailure,
  });
  informers.endpoints.onAny(({ object }) => controller.queue.add(keyOf(object)));
  informers.services.onAny(({ object }) => controller.queue.add(keyOf(object)));
  informers.endpointSlices.onAny((change) => {
    const key = mirroredBy(change.object);
    if (key === undefined) return;
    written.observe(key, change);
    if (change.kind !== "added") controller.queue.add(key);
  });
  controller.start();
  return controller;
}

function mirroredBy({ metadata }: EndpointSlice): string | undefined {
  const service = metadata.labels?.["kubernetes.io/service-name"];
  if (service === undefined || metadata.labels?.["endpointslice.kubernetes.io/managed-by"] !== mirroringController) {
    return undefined;
  }
  return `${metadata.namespace ?? ""}/${service}`;
}

async function reconcileEndpoints(
  key: string,
  deps: ControllerDeps,
  written: WrittenSlices,
): Promise<ReconcileOutcome> {
  const { client, informers } = deps;
  const { namespace = "" } = splitKey(key);
  const known = informers.endpointSlices.lister.inNamespace(namespace).filter((slice) => mirroredBy(slice) === key);
  const endpoints = informers.endpoints.lister.get(key);
  const mirrored = isMirrored(endpoints, informers.services.lister.get(key)) ? endpoints : undefined;
  const plan = planMirror(mirrored, written.over(key, known));
  try {
    await carryOutSlices(key, plan, { client, informer: informers.endpointSlices, written });
    return done;
  } catch (error) {
    if (isNamespaceTerminating(error)) return done;
    if (isReason(error, "Conflict") || isReason(error, "NotFound")) return { kind: "after", wait: conflictDelay };
    throw error;
  }
}
