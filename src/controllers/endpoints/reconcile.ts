// Keeps the Endpoints of every Service that chooses its Pods.

import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome, splitKey } from "../../client/controller.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { createUnlessGone } from "../create-unless-gone.ts";
import { hasSelector, selects, servicesConcerned } from "../service-pods.ts";
import { TriggerTimes } from "../trigger-times.ts";
import { planEndpoints } from "./plan.ts";

/** How many Services are worked on at once. */
const concurrency = 5;
/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

export function startEndpointsController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const triggers = new TriggerTimes();
  const controller = new Controller({
    name: "endpoints",
    clock,
    concurrency,
    reconcile: (key) => reconcileService(key, deps, triggers),
    onFailure,
  });
  informers.services.onAny(({ object }) => controller.queue.add(keyOf(object)));
  informers.pods.onAny((change) => {
    for (const service of servicesConcerned(change, informers.services.lister)) controller.queue.add(keyOf(service));
  });
  informers.endpoints.onAny(({ object }) => controller.queue.add(keyOf(object)));
  controller.start();
  return controller;
}

async function reconcileService(key: string, deps: ControllerDeps, triggers: TriggerTimes): Promise<ReconcileOutcome> {
  const { client, informers } = deps;
  const service = informers.services.lister.get(key);
  const existing = informers.endpoints.lister.get(key);
  const { namespace = "", name } = splitKey(key);
  try {
    if (service === undefined) {
      triggers.forget(key);
      // Only what this controller made goes with the Service; a list that somebody wrote before there is a Service stays.
      if (existing?.metadata.labels?.["endpoints.kubernetes.io/managed-by"] === undefined) return done;
      await client.endpoints.delete(name, namespace, { preconditions: { uid: existing.metadata.uid } });
      return done;
    }
    if (!hasSelector(service)) return done;
    const pods = informers.pods.lister.inNamespace(namespace).filter((pod) => selects(service, pod));
    const plan = planEndpoints(service, pods, existing, triggers.since(key, service, pods));
    switch (plan.kind) {
      case "create":
        await createUnlessGone(client.endpoints, { ...plan.endpoints }, namespace);
        return done;
      case "update":
        await client.endpoints.update(plan.endpoints);
        return done;
      case "leave":
        return done;
    }
  } catch (error) {
    if (isReason(error, "Conflict") || isReason(error, "NotFound")) return { kind: "after", wait: conflictDelay };
    throw error;
  }
}
