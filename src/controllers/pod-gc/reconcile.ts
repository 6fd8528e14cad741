// Searches the cluster for Pods that nobody else will remove, and removes them.

import { isReason } from "../../api/wire/status-error.ts";
import { type Instant, formatTime } from "../../base/time.ts";
import { Controller, type ReconcileOutcome } from "../../client/controller.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { type Collection, collectionPeriod, isTerminal, missingNodes, planCollection } from "./plan.ts";

/** There is one search for the whole cluster. */
const key = "cluster";

export function startPodGarbageCollector(deps: ControllerDeps): RunningController {
  const { clock, onFailure } = deps;
  const missingSince = new Map<string, Instant>();
  const controller = new Controller({
    name: "pod-gc",
    clock,
    reconcile: () => search(deps, missingSince),
    longestRetryDelay: collectionPeriod,
    onFailure,
  });
  controller.queue.addAfter(key, collectionPeriod);
  controller.start();
  return controller;
}

async function search(deps: ControllerDeps, missingSince: Map<string, Instant>): Promise<ReconcileOutcome> {
  const { clock, informers } = deps;
  const now = clock.now();
  const pods = informers.pods.lister.list();
  const node = (name: string) => informers.nodes.lister.get(name);
  const missing = missingNodes({ pods, node });
  for (const name of missingSince.keys()) if (!missing.has(name)) missingSince.delete(name);
  for (const name of missing) if (!missingSince.has(name)) missingSince.set(name, now);

  const planned = planCollection({ pods, node, missingSince: (name) => missingSince.get(name), now });
  for (const collection of planned) {
    if (collection.because === "orphaned" && (await nodeExists(collection.pod.spec.nodeName as string, deps))) continue;
    await remove(collection, deps);
  }
  return { kind: "after", wait: collectionPeriod };
}

/** Asks the API server itself: the copy may be behind, and the Pod would be lost. */
async function nodeExists(name: string, { client }: ControllerDeps): Promise<boolean> {
  try {
    await client.nodes.get(name);
    return true;
  } catch (error) {
    if (isReason(error, "NotFound")) return false;
    throw error;
  }
}

async function remove({ pod, because }: Collection, { client, clock }: ControllerDeps): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  const disruption = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByPodGC",
    message: "PodGC: node no longer exists",
    lastTransitionTime: formatTime(clock.now()),
  };
  const conditions = because === "orphaned" ? { conditions: [disruption] } : {};
  try {
    if (!isTerminal(pod)) {
      await client.pods.patch(name, namespace, "strategic", { status: { phase: "Failed", ...conditions } }, "status");
    }
    await client.pods.delete(name, namespace, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    // Gone, or another Pod of the same name has taken its place.
    if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
  }
}
