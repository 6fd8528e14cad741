// Deletes Jobs that have been finished for as long as they are to be kept.

import { isReason } from "../../api/wire/status-error.ts";
import { Controller, done, keyOf, type ReconcileOutcome, splitKey } from "../../client/controller.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { timeLeft } from "./plan.ts";

export function startTtlAfterFinishedController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const reconcile = (key: string): Promise<ReconcileOutcome> => reconcileJob(key, deps);
  const controller = new Controller({ name: "ttl-after-finished", clock, reconcile, onFailure });
  informers.jobs.onAny(({ kind, object }) => {
    if (kind !== "deleted" && timeLeft(object, clock.now()) !== undefined) controller.queue.add(keyOf(object));
  });
  controller.start();
  return controller;
}

async function reconcileJob(key: string, { client, clock, informers }: ControllerDeps): Promise<ReconcileOutcome> {
  const job = informers.jobs.lister.get(key);
  const left = job === undefined ? undefined : timeLeft(job, clock.now());
  if (job === undefined || left === undefined) return done;
  if (left > 0) return { kind: "after", wait: left };
  const { namespace, name } = splitKey(key);
  const { uid, resourceVersion } = job.metadata;
  try {
    // Exactly this state of it: somebody may just have given it more time.
    const preconditions = { uid, resourceVersion };
    await client.jobs.delete(name, namespace, { preconditions, propagationPolicy: "Foreground" });
  } catch (error) {
    if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
  }
  return done;
}
