// Pods that are held for a Job that is gone: nobody will count them any more, so they are let go of (pod-lifecycle 13.5.9).

import type { Job, Pod } from "../../api/index.ts";
import { isReason } from "../../api/wire/status-error.ts";
import type { Client } from "../../client/client.ts";
import { Controller, done, keyOf, type ReconcileOutcome, splitKey } from "../../client/controller.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { ownerKey, type PodOwners } from "../owned-pods.ts";
import { controllerOf } from "../ownership.ts";
import { byOwner } from "../shared-informers.ts";
import { isTracked, trackingFinalizer } from "./job-pods.ts";

export function startAbandonedPods(deps: ControllerDeps, owners: PodOwners<Job>): RunningController {
  const { clock, informers, onFailure } = deps;
  const reconcile = (key: string): Promise<ReconcileOutcome> => reconcilePod(key, deps, owners);
  const controller = new Controller({ name: "job/abandoned-pods", clock, reconcile, onFailure });
  const look = (pod: Pod): void => {
    if (isAbandoned(pod, owners)) controller.queue.add(keyOf(pod));
  };
  informers.pods.onAny(({ kind, object }) => {
    if (kind !== "deleted") look(object);
  });
  informers.jobs.onAny(({ kind, object }) => {
    if (kind === "deleted") for (const pod of informers.pods.lister.byIndex(byOwner, object.metadata.uid)) look(pod);
  });
  controller.start();
  return controller;
}

/** Lets go of a Pod. One that is gone, or was replaced by another of its name, is let go of already. @throws StatusError */
export async function releasePod(pod: Pod, client: Client): Promise<void> {
  if (!isTracked(pod)) return;
  const { name, namespace, uid } = pod.metadata;
  const metadata = { uid, "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] };
  try {
    await client.pods.patch(name, namespace, "strategic", { metadata });
  } catch (error) {
    if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
  }
}

/** Held, and neither a Job's that is there nor another controller's. */
function isAbandoned(pod: Pod, owners: PodOwners<Job>): boolean {
  if (!isTracked(pod)) return false;
  const controller = controllerOf(pod);
  if (controller === undefined) return true;
  return controller.kind === owners.kind && ownerKey(pod, owners) === undefined;
}

async function reconcilePod(key: string, deps: ControllerDeps, owners: PodOwners<Job>): Promise<ReconcileOutcome> {
  const pod = deps.informers.pods.lister.get(key);
  if (pod === undefined || !isAbandoned(pod, owners)) return done;
  const controller = controllerOf(pod);
  // The copy of the Jobs may be behind that of the Pods.
  if (controller !== undefined && (await isThere(key, controller, deps.client))) return done;
  await releasePod(pod, deps.client);
  return done;
}

async function isThere(key: string, { name, uid }: { name: string; uid: string }, client: Client): Promise<boolean> {
  try {
    return (await client.jobs.get(name, splitKey(key).namespace)).metadata.uid === uid;
  } catch (error) {
    if (isReason(error, "NotFound")) return false;
    throw error;
  }
}
