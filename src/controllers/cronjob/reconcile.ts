// Makes Jobs when it is time.

import type { CronJob, CronJobStatus, Job, ObjectReference } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { formatTimeIn, timeZone, utc } from "../../base/civil-time.ts";
import { formatTime, type Instant, type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { ownerKey } from "../owned-pods.ts";
import { controllerOf, controllerReference } from "../ownership.ts";
import { isNamespaceTerminating, messageOf } from "../pod-control.ts";
import { byOwner } from "../shared-informers.ts";
import { type CronEvent, expiredJobs, jobName, planActive, planCronJob, withActive } from "./plan.ts";
import { timetableOf, untilNextTime } from "./schedule-times.ts";

/** How many CronJobs are worked on at once. */
const concurrency = 5;

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

const timeAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

interface Parts {
  readonly deps: ControllerDeps;
  readonly recorder: EventRecorder;
  /** By key, what was written last: a turn with an older status would make a Job a second time. */
  readonly written: Map<string, { readonly uid: string; readonly resourceVersion: number }>;
}

export function startCronJobController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const parts: Parts = { deps, recorder: recorderFor("cronjob-controller"), written: new Map() };
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      return await reconcileCronJob(key, parts);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      throw error;
    }
  };
  const controller = new Controller({ name: "cronjob", clock, concurrency, reconcile, onFailure });
  informers.cronJobs.onAny(({ object }) => controller.queue.add(keyOf(object)));
  const owners = { kind: "CronJob", lister: informers.cronJobs.lister };
  informers.jobs.onAny(({ object }) => {
    const key = ownerKey(object, owners);
    if (key !== undefined) controller.queue.add(key);
  });
  controller.start();
  return controller;
}

async function reconcileCronJob(key: string, parts: Parts): Promise<ReconcileOutcome> {
  const { deps, written } = parts;
  const cronJob = deps.informers.cronJobs.lister.get(key);
  if (cronJob === undefined) {
    written.delete(key);
    return done;
  }
  const last = written.get(key);
  const { uid, resourceVersion } = cronJob.metadata;
  if (last?.uid === uid && Number(resourceVersion) < last.resourceVersion)
    return { kind: "after", wait: conflictDelay };
  const jobs = deps.informers.jobs.lister.byIndex(byOwner, uid).filter((job) => controllerOf(job)?.uid === uid);
  const now = deps.clock.now();
  const found = planActive({ cronJob, jobs, now });
  tell(cronJob, found.events, parts);
  const present = await write(cronJob, await withoutMissing(cronJob, found.status, found.unseen, parts), parts);
  for (const job of expiredJobs(jobs, present)) await deleteJob(present, job.metadata.name, parts);
  const plan = planCronJob(present, present.status, now);
  tell(present, plan.events, parts);
  if (plan.kind === "wait") return plan.wait === undefined ? done : { kind: "after", wait: plan.wait };
  const replaced = await replaceActive(present, plan.replace, parts);
  const made = await makeJob(present, plan.time, parts);
  if (made === undefined) return done;
  const active = (replaced.status.active ?? []).filter((job) => job.uid !== made.metadata.uid);
  const status = {
    ...withActive(replaced.status, [...active, referenceTo(made)]),
    lastScheduleTime: formatTime(plan.time),
  };
  const next = await write(replaced, status, parts);
  const read = timetableOf(next);
  return read.kind === "timetable" ? { kind: "after", wait: untilNextTime(next, read.timetable, now) } : done;
}

function tell(cronJob: CronJob, events: readonly CronEvent[], { recorder }: Parts): void {
  for (const event of events) recorder.record(cronJob, event);
}

async function write(cronJob: CronJob, status: CronJobStatus, { deps, written }: Parts): Promise<CronJob> {
  if (sameJson(status, cronJob.status)) return cronJob;
  const next = await deps.client.cronJobs.updateStatus({ ...cronJob, status });
  const { uid, resourceVersion } = next.metadata;
  written.set(keyOf(next), { uid, resourceVersion: Number(resourceVersion) });
  return next;
}

/** A Job that was just made may not be in the copy at hand yet: only the server knows what is missing. */
async function withoutMissing(
  cronJob: CronJob,
  status: CronJobStatus,
  unseen: readonly ObjectReference[],
  { deps, recorder }: Parts,
): Promise<CronJobStatus> {
  const missing = new Set<string | undefined>();
  for (const { name = "", uid } of unseen) {
    const found = await getJob(name, cronJob, deps);
    if (found?.metadata.uid === uid) continue;
    missing.add(uid);
    recorder.record(cronJob, { type: "Normal", reason: "MissingJob", message: `Active job went missing: ${name}` });
  }
  if (missing.size === 0) return status;
  return withActive(
    status,
    (status.active ?? []).filter(({ uid }) => !missing.has(uid)),
  );
}

async function getJob(name: string, { metadata }: CronJob, { client }: ControllerDeps): Promise<Job | undefined> {
  try {
    return await client.jobs.get(name, metadata.namespace);
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}

async function replaceActive(cronJob: CronJob, replace: readonly ObjectReference[], parts: Parts): Promise<CronJob> {
  if (replace.length === 0) return cronJob;
  for (const { name = "" } of replace) await deleteJob(cronJob, name, parts);
  return { ...cronJob, status: withActive(cronJob.status, []) };
}

/** Its Pods go after it. */
async function deleteJob(cronJob: CronJob, name: string, { deps, recorder }: Parts): Promise<void> {
  try {
    await deps.client.jobs.delete(name, cronJob.metadata.namespace, { propagationPolicy: "Background" });
    recorder.record(cronJob, { type: "Normal", reason: "SuccessfulDelete", message: `Deleted job ${name}` });
  } catch (error) {
    if (isReason(error, "NotFound")) return;
    recorder.record(cronJob, { type: "Warning", reason: "FailedDelete", message: `Deleted job: ${messageOf(error)}` });
    throw error;
  }
}

/** @returns the Job of this time, also if an earlier turn made it; undefined if there cannot be one. @throws StatusError */
async function makeJob(cronJob: CronJob, time: Instant, { deps, recorder }: Parts): Promise<Job | undefined> {
  try {
    const job = await deps.client.jobs.create(jobFor(cronJob, time), cronJob.metadata.namespace);
    const message = `Created job ${job.metadata.name}`;
    recorder.record(cronJob, { type: "Normal", reason: "SuccessfulCreate", message });
    return job;
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    if (isReason(error, "AlreadyExists")) {
      const present = await getJob(jobName(cronJob, time), cronJob, deps);
      if (present !== undefined && controllerOf(present)?.uid === cronJob.metadata.uid) return present;
    }
    const message = `Error creating job: ${messageOf(error)}`;
    recorder.record(cronJob, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

function jobFor(cronJob: CronJob, time: Instant): JsonObject {
  const { metadata = {}, spec } = cronJob.spec.jobTemplate;
  const zone = timeZone(cronJob.spec.timeZone ?? "UTC") ?? utc;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: jobName(cronJob, time),
      ...(metadata.labels && { labels: metadata.labels }),
      annotations: { ...metadata.annotations, [timeAnnotation]: formatTimeIn(zone, time) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec,
  };
}

function referenceTo({ apiVersion, kind, metadata }: Job): ObjectReference {
  const { name, namespace = "", uid, resourceVersion } = metadata;
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
}
