// Runs Jobs to their end.

import { completeSpecOf, jobControllerName } from "../../api/batch/v1/job.ts";
import { isJobFinished } from "../../api/batch/v1/job-status.ts";
import type { Job, JobCondition, JobStatus, Pod } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { requirementsOf } from "../../api/meta/label-selector.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { Expectations } from "../expectations.ts";
import { concernedOwners, observeExpected, ownerKey, type PodOwners } from "../owned-pods.ts";
import { carryOutClaims, type Owner, planClaims } from "../ownership.ts";
import { createPod, deletePod, isNamespaceTerminating, type PodControl, PodGone } from "../pod-control.ts";
import { byOwner, orphans } from "../shared-informers.ts";
import { slowStart } from "../slow-start.ts";
import { noFailures } from "./back-off.ts";
import { countReleased, finish, type Outcome, tally } from "./counting.ts";
import { trackingFinalizer } from "./job-pods.ts";
import { JobMemory } from "./job-memory.ts";
import { releasePod, startAbandonedPods } from "./abandoned-pods.ts";
import { type JobPlan, type ObservedJob, planJob } from "./plan.ts";

/** How many Jobs are worked on at once. */
const concurrency = 5;

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

interface Parts {
  readonly deps: ControllerDeps;
  readonly expectations: Expectations;
  readonly memory: JobMemory;
  readonly control: PodControl;
  readonly mayCreate: () => boolean;
}

/** @param mayCreate whether Pods may still be made; without it those that are there are only counted */
export function startJobController(deps: ControllerDeps, mayCreate: () => boolean): RunningController {
  const { client, clock, informers, onFailure, recorderFor } = deps;
  const expectations = new Expectations(clock);
  const memory = new JobMemory();
  const control: PodControl = { client, recorder: recorderFor("job-controller") };
  const parts: Parts = { deps, expectations, memory, control, mayCreate };
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      return await reconcileJob(key, parts);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      throw error;
    }
  };
  const controller = new Controller({ name: "job", clock, concurrency, reconcile, onFailure });
  const owners: PodOwners<Job> = {
    kind: "Job",
    lister: informers.jobs.lister,
    requirements: ({ spec }) => requirementsOf(spec.selector),
  };
  const abandoned = startAbandonedPods(deps, owners);
  informers.jobs.onAny(({ kind, object }) => {
    if (kind === "deleted") {
      expectations.forget(keyOf(object));
      memory.forget(keyOf(object));
    }
    controller.queue.add(keyOf(object));
  });
  informers.pods.onAny((change) => {
    observeExpected(change, owners, expectations);
    const owner = ownerKey(change.object, owners);
    if (owner !== undefined) memory.observe(owner, change);
    for (const key of concernedOwners(change, owners)) controller.queue.add(key);
  });
  controller.start();
  return {
    async stop() {
      await Promise.all([controller.stop(), abandoned.stop()]);
    },
  };
}

async function reconcileJob(key: string, parts: Parts): Promise<ReconcileOutcome> {
  const { deps, expectations, memory } = parts;
  const job = deps.informers.jobs.lister.get(key);
  if (job === undefined) {
    expectations.forget(key);
    memory.forget(key);
    return done;
  }
  const { managedBy = jobControllerName } = job.spec;
  if (managedBy !== jobControllerName || isJobFinished(job)) return done;
  // With a status older than the one that was written, ends would be counted again. The newer one is on its way.
  if (memory.isOlder(key, job)) return { kind: "after", wait: conflictDelay };
  const observed: ObservedJob = {
    job,
    mayAct: expectations.wait(key) === 0,
    pods: await claimPods(job, parts),
    released: memory.released(key),
    run: memory.runOf(key) ?? noFailures,
    now: deps.clock.now(),
  };
  const planned = planJob(observed);
  const plan = parts.mayCreate() ? planned : { ...planned, create: [] };
  const { outcome, failure } = await carryOut(key, observed, plan, parts);
  await report(key, observed, plan, outcome, parts);
  if (failure !== undefined) return { kind: "failed", error: failure };
  const waits = [expectations.wait(key), plan.wait ?? 0].filter((wait) => wait > 0);
  return waits.length === 0 ? done : { kind: "after", wait: Math.min(...waits) as Millis };
}

/** The Pods that are the Job's, after adopting and releasing. */
function claimPods(job: Job, { deps }: Parts): Promise<readonly Pod[]> {
  const { lister } = deps.informers.pods;
  const { uid, namespace = "" } = job.metadata;
  const owner = ownerOf(job);
  const plan = planClaims(owner, [...lister.byIndex(byOwner, uid), ...lister.byIndex(orphans, namespace)]);
  const clients = { owners: deps.client.jobs, objects: deps.client.pods };
  return carryOutClaims(plan, owner, clients, trackingFinalizer);
}

function ownerOf({ apiVersion, kind, metadata, spec }: Job): Owner {
  return { apiVersion, kind, metadata, requirements: requirementsOf(spec.selector) };
}

async function carryOut(
  key: string,
  { job, pods }: ObservedJob,
  { create, removal }: JobPlan,
  parts: Parts,
): Promise<{ readonly outcome: Outcome; readonly failure?: unknown }> {
  const { control, expectations } = parts;
  const owner = ownerOf(job);
  if (create.length === 0 && removal.pods.length === 0) {
    return { outcome: { created: 0, removed: [], isPartial: false } };
  }
  expectations.expect(key, { creations: create.length, deletions: removal.pods.map(({ metadata }) => metadata.uid) });
  const made = await slowStart(create, ({ template, generateName }) =>
    createPod(control, owner, template, generateName),
  );
  for (let missing = made.succeeded; missing < create.length; missing++) expectations.creationObserved(key);
  const failures: unknown[] = made.failure === undefined || isNamespaceTerminating(made.failure) ? [] : [made.failure];
  const removed: Pod[] = [];
  await Promise.all(
    removal.pods.map(async (pod) => {
      try {
        // One too many never counted: it must not look like a failure on its way out.
        if (removal.kind === "surplus") await releasePod(pod, control.client);
        await deletePod(control, owner, pod);
        removed.push(pod);
      } catch (error) {
        expectations.deletionObserved(key, pod.metadata.uid);
        if (error instanceof PodGone) removed.push(pod);
        else failures.push(error);
      }
    }),
  );
  // In the order in which they were found: which call came back first is no matter.
  const inOrder = pods.filter((pod) => removed.includes(pod));
  const outcome = { created: made.succeeded, removed: inOrder, isPartial: failures.length > 0 };
  return failures.length === 0 ? { outcome } : { outcome, failure: failures[0] };
}

/** The three writes of counting, and the end of the Job. */
async function report(
  key: string,
  observed: ObservedJob,
  plan: JobPlan,
  outcome: Outcome,
  parts: Parts,
): Promise<void> {
  const { deps, memory, control } = parts;
  const { client } = deps;
  const { status, release, held, final, turned } = tally(observed, plan, outcome);
  if (turned !== undefined) {
    const [reason, message] = turned === "suspended" ? ["Suspended", "Job suspended"] : ["Resumed", "Job resumed"];
    control.recorder.record(observed.job, { type: "Normal", reason, message });
  }
  let { job } = observed;
  const write = async (next: JobStatus): Promise<void> => {
    if (sameJson(next, job.status)) return;
    job = await client.jobs.updateStatus({ ...job, status: next });
    memory.wrote(key, job);
  };
  await write(status);
  memory.remember(key, plan.run);
  const stillHeld = new Set(held);
  const failures: unknown[] = [];
  memory.releasing(key, release);
  await Promise.all(
    release.map(async (pod) => {
      try {
        await releasePod(pod, client);
        stillHeld.delete(pod.metadata.uid);
      } catch (error) {
        memory.notReleased(key, pod);
        failures.push(error);
      }
    }),
  );
  const counted = countReleased(job.status, stillHeld);
  const finished = final === undefined || failures.length > 0 ? undefined : finish(counted, final);
  await write(finished ?? counted);
  if (finished !== undefined && final !== undefined) tellEnd(job, final, parts);
  if (failures.length > 0) throw failures[0];
}

function tellEnd(job: Job, { type, reason = "", message = "" }: JobCondition, { control }: Parts): void {
  const { recorder } = control;
  if (type === "Failed") {
    recorder.record(job, { type: "Warning", reason, message });
    return;
  }
  const { completions } = completeSpecOf(job);
  if (completions !== undefined && (job.status.succeeded ?? 0) > completions) {
    const text = "Too many succeeded pods running after completion count reached";
    recorder.record(job, { type: "Warning", reason: "TooManySucceededPods", message: text });
  }
  recorder.record(job, { type: "Normal", reason: "Completed", message: "Job completed" });
}
