// What a CronJob does now: a Job for the latest of its times, what becomes of those that still run, and which finished ones are let go
// (pod-lifecycle 13.6).

import { hasCondition, isJobFinished } from "../../api/batch/v1/job-status.ts";
import type { CronJob, CronJobStatus, Job, ObjectReference } from "../../api/index.ts";
import { after, formatTime, type Instant, type Millis, parseTime, seconds } from "../../base/time.ts";
import { missedTimes, type Timetable, timetableOf, untilNextTime } from "./schedule-times.ts";

export interface CronEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface ObservedCronJob {
  readonly cronJob: CronJob;
  /** All that are its own. */
  readonly jobs: readonly Job[];
  readonly now: Instant;
}

/** What the running Jobs are found to be. */
export interface ActiveJobs {
  readonly status: CronJobStatus;
  readonly events: readonly CronEvent[];
  /** Said to be active and not among its Jobs: gone, or only not seen yet. */
  readonly unseen: readonly ObjectReference[];
}

/** Which Jobs are still active: those that have ended leave the list, and the last success is noted. */
export function planActive({ cronJob, jobs }: ObservedCronJob): ActiveJobs {
  const { status } = cronJob;
  const events: CronEvent[] = [];
  const byUid = new Map(jobs.map((job) => [job.metadata.uid, job]));
  const active = (status.active ?? []).filter(({ uid }) => {
    const job = byUid.get(uid ?? "");
    if (job === undefined || !isJobFinished(job)) return true;
    const condition = hasCondition(job, "Complete") ? "Complete" : "Failed";
    const message = `Saw completed job: ${job.metadata.name}, condition: ${condition}`;
    events.push({ type: "Normal", reason: "SawCompletedJob", message });
    return false;
  });
  const known = new Set(active.map(({ uid }) => uid));
  for (const job of jobs) {
    if (known.has(job.metadata.uid) || isJobFinished(job)) continue;
    const message = `Saw a job that the controller did not create or forgot: ${job.metadata.name}`;
    events.push({ type: "Warning", reason: "UnexpectedJob", message });
  }
  const successes = jobs
    .filter((job) => hasCondition(job, "Complete") && job.status.completionTime !== undefined)
    .map((job) => job.status.completionTime as string);
  const lastSuccessfulTime = [...successes, status.lastSuccessfulTime ?? ""].sort().at(-1) ?? "";
  return {
    events,
    unseen: active.filter(({ uid }) => !byUid.has(uid ?? "")),
    status: withActive({ ...status, ...(lastSuccessfulTime !== "" && { lastSuccessfulTime }) }, active),
  };
}

/** The status with these Jobs as the active ones; none are left out. */
export function withActive(status: CronJobStatus, active: readonly ObjectReference[]): CronJobStatus {
  const { active: _active, ...others } = status;
  return active.length === 0 ? others : { ...others, active };
}

export type CronPlan =
  /** Nothing to make; look again after `wait`, if there is anything to wait for. */
  | { readonly kind: "wait"; readonly wait: Millis | undefined; readonly events: readonly CronEvent[] }
  /** It is time. */
  | {
      readonly kind: "make";
      readonly time: Instant;
      /** Active Jobs that go first. */
      readonly replace: readonly ObjectReference[];
      readonly events: readonly CronEvent[];
    };

/** @param status as `planActive` left it */
export function planCronJob(cronJob: CronJob, status: CronJobStatus, now: Instant): CronPlan {
  const { metadata, spec } = cronJob;
  const { active = [], lastScheduleTime } = status;
  const idle = (events: readonly CronEvent[] = []): CronPlan => ({ kind: "wait", wait: undefined, events });
  if (metadata.deletionTimestamp !== undefined || spec.suspend) return idle();
  const read = timetableOf(cronJob);
  switch (read.kind) {
    case "unknownZone": {
      const message = `invalid timeZone: ${JSON.stringify(read.zone)}: unknown time zone ${read.zone}`;
      return idle([{ type: "Warning", reason: "UnknownTimeZone", message }]);
    }
    case "unparseable": {
      const message = `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${read.problem}`;
      return idle([{ type: "Warning", reason: "UnparseableSchedule", message }]);
    }
    case "timetable":
      return planTime({ ...cronJob, status }, active, lastScheduleTime, read.timetable, now);
  }
}

function planTime(
  cronJob: CronJob,
  active: readonly ObjectReference[],
  lastScheduleTime: string | undefined,
  timetable: Timetable,
  now: Instant,
): CronPlan {
  const { spec } = cronJob;
  const events: CronEvent[] = [];
  const waiting = (): CronPlan => ({ kind: "wait", wait: untilNextTime(cronJob, timetable, now), events });
  if (spec.schedule.includes("TZ")) {
    const where = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/";
    const message = `CRON_TZ or TZ used in schedule ${JSON.stringify(spec.schedule)} is not officially supported, see ${where} for more details`;
    events.push({ type: "Warning", reason: "UnsupportedSchedule", message });
  }
  const { latest, isMany } = missedTimes(cronJob, timetable, now);
  if (isMany) {
    const message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
    events.push({ type: "Warning", reason: "TooManyMissedTimes", message });
  }
  if (latest === undefined) return waiting();
  const { startingDeadlineSeconds: deadline } = spec;
  if (deadline !== undefined && after(latest, seconds(deadline)) < now) {
    const message = `Missed scheduled time to start a job: ${rfc1123(latest)}`;
    events.push({ type: "Warning", reason: "MissSchedule", message });
    return waiting();
  }
  const name = jobName(cronJob, latest);
  if (active.some((job) => job.name === name) || parseTime(lastScheduleTime ?? "") === latest) return waiting();
  switch (spec.concurrencyPolicy) {
    case "Allow":
      return { kind: "make", time: latest, replace: [], events };
    case "Forbid": {
      if (active.length === 0) return { kind: "make", time: latest, replace: [], events };
      const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
      events.push({ type: "Normal", reason: "JobAlreadyActive", message });
      return waiting();
    }
    case "Replace":
      return { kind: "make", time: latest, replace: active, events };
  }
}

/** One name for each time: whoever makes the Job of a time again finds that it is there. */
export function jobName({ metadata }: CronJob, time: Instant): string {
  return `${metadata.name}-${Math.floor(time / 60_000)}`;
}

/** Finished Jobs beyond those that are to be kept, the oldest first. */
export function expiredJobs(jobs: readonly Job[], { spec }: CronJob): readonly Job[] {
  const oldest = (type: string, limit: number): readonly Job[] => {
    const ended = jobs.filter((job) => hasCondition(job, type)).sort(byStart);
    return ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [
    ...oldest("Failed", spec.failedJobsHistoryLimit),
    ...oldest("Complete", spec.successfulJobsHistoryLimit),
  ].filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

function byStart(a: Job, b: Job): number {
  const began = ({ status }: Job): string => status.startTime ?? "";
  if (began(a) !== began(b)) return began(a) < began(b) ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Sun, 30 Mar 2025 01:00:00 +0000` */
function rfc1123(at: Instant): string {
  const [date = "", clock = ""] = formatTime(at).slice(0, -1).split("T");
  const [year, month = "1", day] = date.split("-");
  const weekday = weekdays[(Math.floor(at / 86_400_000) + 4) % 7];
  return `${weekday}, ${day} ${months[Number(month) - 1]} ${year} ${clock} +0000`;
}
