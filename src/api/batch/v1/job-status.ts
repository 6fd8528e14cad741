// What a Job may report: counts that never fall, an end that is never taken back (pod-lifecycle 13.5.5, 13.5.9).

import type { Job, JobStatus } from "../../generated/batch-v1.ts";
import { checkNotNegative } from "../../meta/field-checks.ts";
import { child, duplicate, type FieldError, index, invalid, invalidWhole, required } from "../../meta/field-errors.ts";
import { parseTime } from "../../../base/time.ts";
import { checkIndexes, countCommon, parseIndexes } from "./completion-indexes.ts";

/** Whether the Job reports this as true. */
export function hasCondition({ status }: Pick<Job, "status">, type: string): boolean {
  return (status.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}

/** Complete or Failed: nothing happens to it any more. */
export function isJobFinished(job: Pick<Job, "status">): boolean {
  return hasCondition(job, "Complete") || hasCondition(job, "Failed");
}

/** Each rule holds where the old status kept it: what is stored already can still be written. */
export function validateJobStatusUpdate(next: Job, old: Job): FieldError[] {
  return [...validateStatus(next, "status"), ...validateTransition(next, old, "status")];
}

function validateStatus(job: Job, path: string): FieldError[] {
  const { status } = job;
  const counts = ["active", "succeeded", "failed", "ready", "terminating"] as const;
  const errors = counts.flatMap((field) => checkNotNegative(child(path, field), status[field]));
  errors.push(...validateUncounted(status, child(path, "uncountedTerminatedPods")));
  errors.push(...validateConditions(job, child(path, "conditions")));
  errors.push(...validateTimes(job, path));
  if (isJobFinished(job)) errors.push(...validateFinished(job, path));
  errors.push(...validateIndexes(job, path));
  const { ready, active = 0 } = status;
  if (ready !== undefined && ready > active) {
    errors.push(invalid(child(path, "ready"), ready, "cannot set more ready pods than active"));
  }
  return errors;
}

function validateUncounted({ uncountedTerminatedPods }: JobStatus, path: string): FieldError[] {
  const seen = new Set<string>();
  return (["succeeded", "failed"] as const).flatMap((field) =>
    (uncountedTerminatedPods?.[field] ?? []).flatMap((uid, i) => {
      const at = index(child(path, field), i);
      if (uid === "") return [invalid(at, uid, "must not be empty")];
      if (seen.has(uid)) return [duplicate(at, uid)];
      seen.add(uid);
      return [];
    }),
  );
}

function validateConditions(job: Job, path: string): FieldError[] {
  const has = (type: string): boolean => hasCondition(job, type);
  const texts: string[] = [];
  if (has("Complete") && has("Failed")) texts.push("cannot set Complete=True and Failed=true conditions");
  if (has("Complete") && has("FailureTarget")) texts.push("cannot set Complete=True and FailureTarget=true conditions");
  if (has("Failed") && !has("FailureTarget")) {
    texts.push("cannot set Failed=True condition without the FailureTarget=true condition");
  }
  if (has("Complete") && !has("SuccessCriteriaMet")) {
    texts.push("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  }
  if (has("SuccessCriteriaMet") && has("Failed")) {
    texts.push("cannot set SuccessCriteriaMet=True and Failed=true conditions");
  }
  if (has("SuccessCriteriaMet") && has("FailureTarget")) {
    texts.push("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
  }
  return texts.map((text) => invalidWhole(path, text));
}

function validateTimes(job: Job, path: string): FieldError[] {
  const { startTime, completionTime } = job.status;
  const at = child(path, "completionTime");
  const isComplete = hasCondition(job, "Complete");
  if (completionTime === undefined)
    return isComplete ? [required(at, "completionTime is required for Complete jobs")] : [];
  const errors: FieldError[] = [];
  if (!isComplete) {
    errors.push(invalid(at, completionTime, "cannot set completionTime when there is no Complete=True condition"));
  }
  const [from = 0, to = 0] = [startTime, completionTime].map((time) => parseTime(time ?? ""));
  if (startTime !== undefined && to < from) {
    errors.push(invalid(at, completionTime, "completionTime cannot be set before startTime"));
  }
  return errors;
}

function validateFinished({ spec, status }: Job, path: string): FieldError[] {
  const { active = 0, terminating = 0, startTime, uncountedTerminatedPods: uncounted } = status;
  const errors: FieldError[] = [];
  if (active > 0) errors.push(invalid(child(path, "active"), active, "active>0 is invalid for finished job"));
  // What wants no Pods is done also while it is suspended, which means that it never starts.
  const neverStarts = spec.suspend === true && spec.completions === 0;
  if (startTime === undefined && !neverStarts) {
    errors.push(required(child(path, "startTime"), "startTime is required for finished job"));
  }
  if ((uncounted?.succeeded ?? []).length + (uncounted?.failed ?? []).length > 0) {
    const text = "uncountedTerminatedPods needs to be empty for finished job";
    errors.push(invalid(child(path, "uncountedTerminatedPods"), uncounted, text));
  }
  if (terminating > 0) {
    errors.push(invalid(child(path, "terminating"), terminating, "terminating>0 is invalid for finished job"));
  }
  return errors;
}

function validateIndexes({ spec, status }: Job, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { completions } = spec;
  const { completedIndexes = "", failedIndexes } = status;
  const check = (field: "completedIndexes" | "failedIndexes", text: string): void => {
    const checked = checkIndexes(text, completions ?? 0);
    if (checked.kind === "indexes") return;
    errors.push(invalid(child(path, field), text, `error parsing ${field}: ${checked.problem}`));
  };
  const refuse = (field: "completedIndexes" | "failedIndexes", text: string): void => {
    errors.push(invalid(child(path, field), status[field], text));
  };
  if (completions !== undefined) check("completedIndexes", completedIndexes);
  if (completions !== undefined && spec.backoffLimitPerIndex !== undefined && failedIndexes !== undefined) {
    check("failedIndexes", failedIndexes);
  }
  if (completedIndexes !== "" && spec.completionMode !== "Indexed") {
    refuse("completedIndexes", "cannot set non-empty completedIndexes when non-indexed completion mode");
  }
  if (spec.backoffLimitPerIndex === undefined && failedIndexes !== undefined) {
    refuse("failedIndexes", "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
  }
  if (completions !== undefined && failedIndexes !== undefined) {
    const [completed, failed] = [completedIndexes, failedIndexes].map((text) => parseIndexes(text, completions));
    if (countCommon(completed ?? [], failed ?? []) > 0) {
      const first = (completed ?? [])
        .flatMap((one) => (failed ?? []).map((other) => [one, other] as const))
        .filter(([one, other]) => one.first <= other.last && other.first <= one.last)
        .map(([one, other]) => Math.max(one.first, other.first));
      refuse("failedIndexes", `failedIndexes and completedIndexes overlap at index: ${Math.min(...first)}`);
    }
  }
  return errors;
}

function validateTransition(next: Job, old: Job, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of ["Failed", "Complete", "FailureTarget"]) {
    if (hasCondition(old, type) && !hasCondition(next, type)) {
      errors.push(invalidWhole(child(path, "conditions"), `cannot disable the terminal ${type}=True condition`));
    }
  }
  const { failed = 0, succeeded = 0, completionTime, startTime } = next.status;
  if (failed < (old.status.failed ?? 0)) {
    errors.push(invalid(child(path, "failed"), failed, "cannot decrease the failed counter"));
  }
  // An Indexed Job that gets fewer completions forgets the indexes that it no longer has.
  if (next.spec.completionMode !== "Indexed" && succeeded < (old.status.succeeded ?? 0)) {
    errors.push(invalid(child(path, "succeeded"), succeeded, "cannot decrease the succeeded counter"));
  }
  const { completionTime: oldCompletion, startTime: oldStart } = old.status;
  if (completionTime !== undefined && oldCompletion !== undefined && completionTime !== oldCompletion) {
    errors.push(invalid(child(path, "completionTime"), completionTime, "completionTime cannot be mutated"));
  }
  const isResumed = hasCondition(old, "Suspended") && !hasCondition(next, "Suspended");
  if (oldStart !== undefined && oldStart !== startTime && next.spec.suspend !== true && !isResumed) {
    errors.push(required(child(path, "startTime"), "startTime cannot be removed for unsuspended job"));
  }
  if (hasCondition(old, "SuccessCriteriaMet") && !hasCondition(next, "SuccessCriteriaMet")) {
    errors.push(invalidWhole(child(path, "conditions"), "cannot disable the SuccessCriteriaMet=True condition"));
  }
  return errors;
}
