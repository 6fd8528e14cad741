// Keeps the status of PodDisruptionBudgets true, and takes back the mark of Pods that were to be disrupted and stayed.

import type { Pod, PodDisruptionBudget } from "../../api/index.ts";
import { matchesRequirements, requirementsOf } from "../../api/meta/label-selector.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { InformerChange } from "../../client/informer.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { scaleBehind } from "./controller-scale.ts";
import { planBudget } from "./plan.ts";
import { takenBack, untilStale } from "./stale-condition.ts";

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

export function startDisruptionController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const recorder = recorderFor("controllermanager");
  const quietly =
    (turn: (key: string) => Promise<ReconcileOutcome>) =>
    async (key: string): Promise<ReconcileOutcome> => {
      try {
        return await turn(key);
      } catch (error) {
        if (isReason(error, "NotFound")) return done;
        if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
        throw error;
      }
    };
  const budgets = new Controller({
    name: "disruption",
    clock,
    reconcile: quietly((key) => reconcileBudget(key, deps, recorder)),
    onFailure,
  });
  const marks = new Controller({
    name: "stale-pod-disruption",
    clock,
    reconcile: quietly((key) => reconcileMark(key, deps)),
    onFailure,
  });
  informers.podDisruptionBudgets.onAny(({ object }) => budgets.queue.add(keyOf(object)));
  informers.pods.onAny((change) => {
    for (const budget of budgetsConcerned(change, deps)) budgets.queue.add(keyOf(budget));
    if (change.kind === "deleted") return;
    const wait = untilStale(change.object, clock.now());
    if (wait !== undefined) marks.queue.addAfter(keyOf(change.object), wait);
  });
  budgets.start();
  marks.start();
  return {
    async stop() {
      await Promise.all([budgets.stop(), marks.stop()]);
    },
  };
}

/** The budgets that select the Pod, or did before the change. */
function budgetsConcerned(change: InformerChange<Pod>, { informers }: ControllerDeps): readonly PodDisruptionBudget[] {
  const { namespace = "" } = change.object.metadata;
  return informers.podDisruptionBudgets.lister
    .inNamespace(namespace)
    .filter(
      (budget) => selects(budget, change.object) || (change.kind === "updated" && selects(budget, change.previous)),
    );
}

function selects({ spec }: PodDisruptionBudget, { metadata }: Pod): boolean {
  const requirements = requirementsOf(spec.selector);
  return requirements !== undefined && matchesRequirements(requirements, metadata.labels);
}

async function reconcileBudget(
  key: string,
  { client, clock, informers }: ControllerDeps,
  recorder: EventRecorder,
): Promise<ReconcileOutcome> {
  const budget = informers.podDisruptionBudgets.lister.get(key);
  if (budget === undefined) return done;
  const pods = informers.pods.lister.inNamespace(budget.metadata.namespace ?? "").filter((pod) => selects(budget, pod));
  const scale = (pod: Pod) => scaleBehind(pod, informers);
  const plan = planBudget({ budget, pods, scaleBehind: scale, now: clock.now() });
  for (const { about, note } of plan.events) recorder.record(about, note);
  if (plan.status !== budget.status) {
    await client.podDisruptionBudgets.updateStatus({ ...budget, status: plan.status });
  }
  return plan.wait === undefined ? done : { kind: "after", wait: plan.wait };
}

async function reconcileMark(key: string, { client, clock, informers }: ControllerDeps): Promise<ReconcileOutcome> {
  const pod = informers.pods.lister.get(key);
  const wait = pod === undefined ? undefined : untilStale(pod, clock.now());
  if (pod === undefined || wait === undefined) return done;
  if (wait > 0) return { kind: "after", wait };
  await client.pods.patch(pod.metadata.name, pod.metadata.namespace, "strategic", takenBack(clock.now()), "status");
  return done;
}
