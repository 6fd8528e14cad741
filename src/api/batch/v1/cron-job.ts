// CronJobs: defaults and validation (pod-lifecycle 13.6).

import { timeZone as zoneOf } from "../../../base/civil-time.ts";
import type { Draft } from "../../draft.ts";
import type { CronJob, CronJobSpec, JobTemplateSpec } from "../../generated/batch-v1.ts";
import { checkNotNegative, checkRequiredOneOf } from "../../meta/field-checks.ts";
import { child, type FieldError, invalid, notSupported, required } from "../../meta/field-errors.ts";
import { parseSchedule } from "./cron-schedule.ts";
import { defaultJobTemplateSpec, validateJobSpec } from "./job.ts";

/** `-` and the minute are appended to it and the result is a label. */
const longestName = 52;

/** The CronJob with every default; applying it again changes nothing. */
export function defaultCronJob(cronJob: Draft<CronJob>): CronJob {
  const spec = cronJob.spec ?? {};
  const { jobTemplate = {} } = spec;
  return {
    ...cronJob,
    spec: {
      ...spec,
      schedule: spec.schedule ?? "",
      concurrencyPolicy: spec.concurrencyPolicy || "Allow",
      suspend: spec.suspend ?? false,
      successfulJobsHistoryLimit: spec.successfulJobsHistoryLimit ?? 3,
      failedJobsHistoryLimit: spec.failedJobsHistoryLimit ?? 1,
      jobTemplate: { ...jobTemplate, spec: defaultJobTemplateSpec(jobTemplate.spec ?? {}) },
    },
  } as CronJob;
}

export function validateCronJob({ metadata, spec }: CronJob): FieldError[] {
  const errors = validateSpec(spec, undefined, "spec");
  if (metadata.name.length > longestName) {
    errors.push(invalid("metadata.name", metadata.name, `must be no more than ${longestName} characters`));
  }
  return errors;
}

export function validateCronJobUpdate(next: CronJob, old: CronJob): FieldError[] {
  return validateSpec(next.spec, old.spec, "spec");
}

/** What is accepted and not as its author may think. */
export function cronJobWarnings({ spec }: CronJob): string[] {
  if (!spec.schedule.includes("TZ")) return [];
  const text = "cannot use TZ or CRON_TZ in schedule, use timeZone instead, this will be rejected in the future";
  return [`spec.schedule: ${text}`];
}

function validateSpec(spec: CronJobSpec, old: CronJobSpec | undefined, path: string): FieldError[] {
  const at = (field: string): string => child(path, field);
  return [
    ...validateSchedule(spec, old?.schedule.includes("TZ") === true, at("schedule")),
    ...checkNotNegative(at("startingDeadlineSeconds"), spec.startingDeadlineSeconds),
    ...(old === undefined || old.timeZone !== spec.timeZone ? validateTimeZone(spec.timeZone, at("timeZone")) : []),
    ...checkRequiredOneOf(at("concurrencyPolicy"), spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]),
    ...validateTemplate(spec.jobTemplate, at("jobTemplate")),
    ...checkNotNegative(at("successfulJobsHistoryLimit"), spec.successfulJobsHistoryLimit),
    ...checkNotNegative(at("failedJobsHistoryLimit"), spec.failedJobsHistoryLimit),
  ];
}

/** The zone at the beginning of a schedule, as it could once be written: `CRON_TZ=UTC 0 3 * * *`. */
const zonePrefix = /^(?:CRON_)?TZ=\S*\s+/;

function validateSchedule({ schedule, timeZone }: CronJobSpec, mayNameZone: boolean, path: string): FieldError[] {
  if (schedule === "") return [required(path)];
  const parsed = parseSchedule(schedule.replace(zonePrefix, ""));
  const errors = parsed.kind === "wrong" ? [invalid(path, schedule, parsed.problem)] : [];
  if (!schedule.includes("TZ")) return errors;
  if (!mayNameZone) {
    errors.push(invalid(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  } else if (timeZone !== undefined) {
    errors.push(invalid(path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  }
  return errors;
}

function validateTimeZone(timeZone: string | undefined, path: string): FieldError[] {
  if (timeZone === undefined) return [];
  if (timeZone === "") return [invalid(path, timeZone, "timeZone must be nil or non-empty string")];
  const parts = timeZone.split("/");
  const isWellFormed = parts.every(
    (part) => part !== "." && part !== ".." && !part.startsWith("-") && /^[A-Za-z.\-_0-9+]{1,14}$/.test(part),
  );
  const unknown = invalid(path, timeZone, `unknown time zone ${timeZone}`);
  if (!isWellFormed) return [unknown];
  if (timeZone.toLowerCase() === "local") {
    const text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    return [invalid(path, timeZone, text), ...(timeZone === "Local" ? [] : [unknown])];
  }
  return zoneOf(timeZone) === undefined ? [unknown] : [];
}

function validateTemplate({ spec }: JobTemplateSpec, path: string): FieldError[] {
  const at = child(path, "spec");
  const errors = validateJobSpec(spec, at);
  if (spec.selector !== undefined) {
    errors.push(invalid(child(at, "selector"), spec.selector, "`selector` will be auto-generated"));
  }
  if (spec.manualSelector === true) {
    errors.push(notSupported(child(at, "manualSelector"), true, ["nil", "false"]));
  }
  return errors;
}
