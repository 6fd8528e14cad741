// How ends of Pods become counts, none twice and none lost (pod-lifecycle 13.5.9). Three writes, each of which can be the last before a crash:
// 1. the status names the Pods that ended (`uncountedTerminatedPods`); 2. the Pods are let go of; 3. the status counts what it names and nothing
// holds any more. Whoever begins anew finds in the status and in the finalizers how far it was.

import {
  countIndexes,
  formatIndexes,
  hasIndex,
  type IndexIntervals,
  parseIndexes,
  withIndexes as addIndexes,
} from "../../api/batch/v1/completion-indexes.ts";
import { type CompleteJobSpec, completeSpecOf } from "../../api/batch/v1/job.ts";
import type { JobCondition, JobStatus, Pod } from "../../api/index.ts";
import { formatTime, type Instant } from "../../base/time.ts";
import { isActive, isReady } from "../pod-state.ts";
import { judgeFailure } from "./failure-policy.ts";
import { completionIndexOf, hasFailed, hasUsableIndex, isTerminating } from "./job-pods.ts";
import { isUncounted, type JobPlan, newCondition, type ObservedJob } from "./plan.ts";

/** So many ends are named at once, to keep the status small. */
const maxUncounted = 500;

/** What came of a plan's changes. */
export interface Outcome {
  readonly created: number;
  readonly removed: readonly Pod[];
  /** Something that was planned did not come about. */
  readonly isPartial: boolean;
}

export interface Tally {
  /** To be written before anything is let go of. */
  readonly status: JobStatus;
  /** Pods to be let go of then. */
  readonly release: readonly Pod[];
  /** Uids of the Pods that are held, also those to be let go of. */
  readonly held: ReadonlySet<string>;
  /** Complete or Failed, once everything has been counted and has ended. */
  readonly final: JobCondition | undefined;
  /** What to tell about suspension. */
  readonly turned: "suspended" | "resumed" | undefined;
}

export function tally(observed: ObservedJob, plan: JobPlan, outcome: Outcome): Tally {
  const { job, pods, mayAct, now } = observed;
  const spec = completeSpecOf(job);
  const active = pods.filter(isActive);
  const activeLeft = active.length - outcome.removed.length + outcome.created;
  const isComplete = plan.verdict === undefined && isDone(spec, plan.succeeded, activeLeft);
  // As long as Pods may be on their way that nobody has seen, nothing is over.
  const isCertain = plan.verdict === undefined || (mayAct && !outcome.isPartial);
  const verdict = isComplete ? completionsReached(now) : isCertain ? plan.verdict : undefined;
  const held = new Set(pods.filter((pod) => isUncounted(pod, observed)).map(({ metadata }) => metadata.uid));
  const counted = countReleased(job.status, held);
  const named = nameEnds(observed, plan, counted, verdict);
  const isSteady = verdict === undefined && plan.verdict === undefined && mayAct && !isLeaving(observed);
  const suspension = isSteady ? planSuspension(job.status, spec, now) : undefined;
  const startTime =
    suspension?.turned === "resumed" || (job.status.startTime === undefined && !spec.suspend)
      ? formatTime(now)
      : job.status.startTime;
  const conditions = [...(suspension?.conditions ?? job.status.conditions ?? [])];
  if (verdict !== undefined && !conditions.some(({ type }) => type === verdict.type)) conditions.push(verdict);
  const ready = active.filter(isReady).length - outcome.removed.filter(isReady).length;
  const status: JobStatus = {
    ...(spec.completionMode === "Indexed" ? withIndexes(named, plan) : named.status),
    ...(conditions.length > 0 && { conditions }),
    ...(startTime !== undefined && { startTime }),
    ready,
    terminating: pods.filter(isTerminating).length + outcome.removed.length,
  };
  return {
    status: withCounts(status, { active: activeLeft }),
    release: named.release,
    held,
    final: verdict === undefined || named.isCut ? undefined : finalOf(verdict, now),
    turned: suspension?.turned,
  };
}

/** The status after those that it names and that nothing holds any more have been counted. */
export function countReleased(status: JobStatus, held: ReadonlySet<string>): JobStatus {
  const { uncountedTerminatedPods: uncounted = {} } = status;
  const { succeeded = [], failed = [] } = uncounted;
  const left = {
    succeeded: succeeded.filter((uid) => held.has(uid)),
    failed: failed.filter((uid) => held.has(uid)),
  };
  return {
    ...withCounts(status, {
      succeeded: (status.succeeded ?? 0) + succeeded.length - left.succeeded.length,
      failed: (status.failed ?? 0) + failed.length - left.failed.length,
    }),
    uncountedTerminatedPods: withoutEmpty(left),
  };
}

/** The status with the end of the Job, unless something is still to be counted or to end; then undefined. */
export function finish(status: JobStatus, final: JobCondition): JobStatus | undefined {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  if (succeeded.length + failed.length > 0 || (status.terminating ?? 0) > 0) return undefined;
  const conditions = [...(status.conditions ?? []).filter(({ type }) => type !== final.type), final];
  return {
    ...status,
    conditions,
    ...(final.type === "Complete" &&
      final.lastTransitionTime !== undefined && { completionTime: final.lastTransitionTime }),
  };
}

const isLeaving = ({ job }: ObservedJob): boolean => job.metadata.deletionTimestamp !== undefined;

function isDone({ completions }: CompleteJobSpec, succeeded: number, active: number): boolean {
  return active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions);
}

const completionsReached = (now: Instant): JobCondition =>
  newCondition("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods", now);

/** What the verdict becomes once the last Pod has ended. */
function finalOf({ type, reason = "", message = "" }: JobCondition, now: Instant): JobCondition {
  return newCondition(type === "SuccessCriteriaMet" ? "Complete" : "Failed", reason, message, now);
}

interface NamedEnds {
  readonly status: JobStatus;
  readonly release: readonly Pod[];
  readonly succeededIndexes: IndexIntervals;
  /** There are more than may be named at once. */
  readonly isCut: boolean;
}

/** Names the Pods that ended since the last time. */
function nameEnds(
  observed: ObservedJob,
  plan: JobPlan,
  status: JobStatus,
  verdict: JobCondition | undefined,
): NamedEnds {
  const spec = completeSpecOf(observed.job);
  const isIndexed = spec.completionMode === "Indexed";
  const succeeded = [...(status.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(status.uncountedTerminatedPods?.failed ?? [])];
  const indexes = new Set<number>();
  const before = parseIndexes(observed.job.status.completedIndexes, spec.completions ?? 0);
  const release: Pod[] = [];
  let isCut = false;
  for (const pod of isIndexed ? [...observed.pods].sort(byIndex) : observed.pods) {
    if (!isUncounted(pod, observed) || !mayRelease(pod, observed, plan, verdict)) continue;
    const { uid } = pod.metadata;
    release.push(pod);
    if (pod.status.phase === "Succeeded" && !failed.includes(uid)) {
      // An index is done or not: naming it is counting it.
      const index = completionIndexOf(pod);
      if (!isIndexed) {
        if (!succeeded.includes(uid)) succeeded.push(uid);
      } else if (index !== undefined && hasUsableIndex(pod, spec) && !hasIndex(before, index)) indexes.add(index);
    } else if (countsAsFailed(pod, spec, verdict) && !failed.includes(uid)) failed.push(uid);
    if (indexes.size + succeeded.length + failed.length >= maxUncounted) {
      isCut = true;
      break;
    }
  }
  const uncountedTerminatedPods = withoutEmpty({ succeeded, failed });
  const succeededIndexes = addIndexes(before, indexes);
  return { status: { ...status, uncountedTerminatedPods }, release, succeededIndexes, isCut };
}

function mayRelease(
  pod: Pod,
  observed: ObservedJob,
  { predecessors }: JobPlan,
  verdict: JobCondition | undefined,
): boolean {
  if (isLeaving(observed) || verdict !== undefined || pod.status.phase === "Succeeded") return true;
  if (!hasFailed(pod, completeSpecOf(observed.job))) return false;
  return ![...predecessors.values()].includes(pod);
}

/** When a Job has failed, whatever still ran has failed with it. */
function countsAsFailed(pod: Pod, spec: CompleteJobSpec, verdict: JobCondition | undefined): boolean {
  if (!hasFailed(pod, spec) && verdict?.type !== "FailureTarget") return false;
  return hasUsableIndex(pod, spec) && judgeFailure(spec.podFailurePolicy, pod).kind !== "ignore";
}

/** What an Indexed Job has done is told by its indexes. */
function withIndexes({ status, succeededIndexes }: NamedEnds, plan: JobPlan): JobStatus {
  const { completedIndexes: _before, ...others } = withCounts(status, { succeeded: countIndexes(succeededIndexes) });
  return {
    ...others,
    ...(succeededIndexes.length > 0 && { completedIndexes: formatIndexes(succeededIndexes) }),
    ...(plan.failedIndexes !== undefined && { failedIndexes: formatIndexes(plan.failedIndexes) }),
  };
}

function planSuspension({ conditions = [] }: JobStatus, { suspend }: CompleteJobSpec, now: Instant) {
  const present = conditions.find(({ type }) => type === "Suspended");
  const [status, reason, message] = suspend
    ? (["True", "JobSuspended", "Job suspended"] as const)
    : (["False", "JobResumed", "Job resumed"] as const);
  // That it is not suspended is worth saying only when it was.
  if (present?.status === status || (present === undefined && !suspend)) return undefined;
  const next = { ...newCondition("Suspended", reason, message, now), status };
  return {
    conditions: present === undefined ? [...conditions, next] : conditions.map((one) => (one === present ? next : one)),
    turned: suspend ? ("suspended" as const) : ("resumed" as const),
  };
}

const byIndex = (a: Pod, b: Pod): number => (completionIndexOf(a) ?? -1) - (completionIndexOf(b) ?? -1);

/** Counts of zero are left out, as upstream does. */
function withCounts(status: JobStatus, counts: Partial<Record<"active" | "failed" | "succeeded", number>>): JobStatus {
  const kept = Object.entries(status).filter(([field]) => !(field in counts));
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return Object.fromEntries([...kept, ...told]) as JobStatus;
}

function withoutEmpty({ succeeded, failed }: { succeeded: readonly string[]; failed: readonly string[] }) {
  return { ...(succeeded.length > 0 && { succeeded }), ...(failed.length > 0 && { failed }) };
}
