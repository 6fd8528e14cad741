// What to do about a Job: is it decided, which Pods go, which come (pod-lifecycle 13.5).

import {
  countIndexes,
  firstIndexesOutside,
  hasIndex,
  type IndexIntervals,
  mergeIndexes,
  parseIndexes,
  withIndexes,
} from "../../api/batch/v1/completion-indexes.ts";
import { type CompleteJobSpec, completeSpecOf } from "../../api/batch/v1/job.ts";
import { hasCondition } from "../../api/batch/v1/job-status.ts";
import type { Job, JobCondition, Pod } from "../../api/index.ts";
import { after, elapsed, formatTime, type Instant, type Millis, parseTime, seconds } from "../../base/time.ts";
import { isActive } from "../pod-state.ts";
import { backOffLeft, continueRun, type FailureRun } from "./back-off.ts";
import { judgeFailure } from "./failure-policy.ts";
import {
  completionIndexOf,
  finishedAt,
  hasFailed,
  hasUsableIndex,
  ignoredIndexFailuresBefore,
  indexedPod,
  type IndexFailures,
  indexFailuresBefore,
  isTerminating,
  isTracked,
  type NewPod,
  plainPod,
} from "./job-pods.ts";
import { inOrderOfRemoval } from "./removal-order.ts";
import { metSuccessRule } from "./success-policy.ts";

/** The most Pods that one turn creates or removes. */
const burst = 500;

export interface ObservedJob {
  readonly job: Job;
  /** All that are its own. */
  readonly pods: readonly Pod[];
  /** Uids of Pods that have been let go of, though the copy at hand may not show it yet. */
  readonly released: ReadonlySet<string>;
  /** The failures in a row up to the last turn. */
  readonly run: FailureRun;
  /** Everything that was asked for before has been seen. */
  readonly mayAct: boolean;
  readonly now: Instant;
}

/** Pods that are deleted. */
export type Removal =
  /** The Job is decided: what still runs counts as an end. */
  | { readonly kind: "end"; readonly pods: readonly Pod[] }
  /** There are too many: they never counted. */
  | { readonly kind: "surplus"; readonly pods: readonly Pod[] };

export interface JobPlan {
  /** Why the Job ends, if it does: SuccessCriteriaMet, or FailureTarget. */
  readonly verdict: JobCondition | undefined;
  readonly removal: Removal;
  readonly create: readonly NewPod[];
  /** The failures in a row, as they are to be remembered once the status has been written. */
  readonly run: FailureRun;
  /** Pods that have succeeded, counted or not; of an Indexed Job, indexes. */
  readonly succeeded: number;
  readonly succeededIndexes: IndexIntervals;
  /** Undefined without limits for each index. */
  readonly failedIndexes: IndexIntervals | undefined;
  /** By index, the failed Pod that stays until its successor has taken over its count. */
  readonly predecessors: ReadonlyMap<number, Pod>;
  /** When to look again, whatever happens. */
  readonly wait: Millis | undefined;
}

export function planJob(observed: ObservedJob): JobPlan {
  const { job, pods, now } = observed;
  const spec = completeSpecOf(job);
  const { status } = job;
  const uncounted = {
    succeeded: new Set(status.uncountedTerminatedPods?.succeeded ?? []),
    failed: new Set(status.uncountedTerminatedPods?.failed ?? []),
  };
  const fresh = pods.filter((pod) => isUncounted(pod, observed) && hasUsableIndex(pod, spec));
  const newSucceeded = fresh.filter(
    ({ metadata, status: { phase } }) => phase === "Succeeded" && !uncounted.succeeded.has(metadata.uid),
  );
  const newFailed = fresh.filter((pod) => hasFailed(pod, spec) && !uncounted.failed.has(pod.metadata.uid));
  const succeededIndexes = succeededIndexesOf(observed, spec);
  const failedIndexes = failedIndexesOf(observed, spec);
  const succeeded =
    spec.completionMode === "Indexed"
      ? countIndexes(succeededIndexes)
      : (status.succeeded ?? 0) + newSucceeded.length + uncounted.succeeded.size;
  const counted = newFailed.filter((pod) => judgeFailure(spec.podFailurePolicy, pod).kind !== "ignore");
  const failed = (status.failed ?? 0) + counted.length + uncounted.failed.size;
  const facts = { succeeded, failed, succeededIndexes, failedIndexes };
  const verdict = verdictOn(observed, spec, facts);
  const active = pods.filter(isActive);
  const shared = {
    verdict,
    run: continueRun(observed.run, newSucceeded, newFailed),
    succeeded,
    succeededIndexes,
    failedIndexes,
    predecessors: predecessorsOf(observed, spec, facts, active),
  };
  if (verdict !== undefined) {
    // What is deleted already may still look alive here.
    const pods = observed.mayAct ? active : [];
    return { ...shared, removal: { kind: "end", pods }, create: [], wait: undefined };
  }
  const left = deadlineLeft(job, spec, now);
  if (!observed.mayAct || job.metadata.deletionTimestamp !== undefined) {
    return { ...shared, removal: { kind: "surplus", pods: [] }, create: [], wait: left };
  }
  const { removal, create, wait } = planPods(observed, spec, shared, active);
  const waits = [left, wait].filter((one) => one !== undefined);
  return { ...shared, removal, create, wait: waits.length === 0 ? undefined : (Math.min(...waits) as Millis) };
}

/** Its end is still to be counted. */
export function isUncounted(pod: Pod, { released }: Pick<ObservedJob, "released">): boolean {
  return isTracked(pod) && !released.has(pod.metadata.uid);
}

interface Facts {
  readonly succeeded: number;
  readonly failed: number;
  readonly succeededIndexes: IndexIntervals;
  readonly failedIndexes: IndexIntervals | undefined;
}

/** What has been decided stays decided; else the first reason in this order. */
function verdictOn({ job, pods, now }: ObservedJob, spec: CompleteJobSpec, facts: Facts): JobCondition | undefined {
  const decided = (job.status.conditions ?? []).find(
    ({ type, status }) => status === "True" && (type === "SuccessCriteriaMet" || type === "FailureTarget"),
  );
  if (decided !== undefined) return decided;
  const fails = (reason: string, message: string): JobCondition => newCondition("FailureTarget", reason, message, now);
  for (const pod of pods) {
    if (spec.podFailurePolicy === undefined || !hasFailed(pod, spec)) continue;
    const verdict = judgeFailure(spec.podFailurePolicy, pod);
    if (verdict.kind === "failJob") return fails("PodFailurePolicy", verdict.message);
  }
  if (facts.failed > spec.backoffLimit || hasTooManyRestarts(spec, pods)) {
    return fails("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if (deadlineLeft(job, spec, now) === 0) {
    return fails("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  if (spec.completionMode !== "Indexed") return undefined;
  const { completions = 0, maxFailedIndexes } = spec;
  const failedIndexes = countIndexes(facts.failedIndexes ?? []);
  if (maxFailedIndexes !== undefined && failedIndexes > maxFailedIndexes) {
    return fails("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  }
  if (failedIndexes > 0 && failedIndexes + facts.succeeded >= completions) {
    return fails("FailedIndexes", "Job has failed indexes");
  }
  const met = metSuccessRule(spec.successPolicy, completions, facts.succeededIndexes);
  return met === undefined ? undefined : newCondition("SuccessCriteriaMet", "SuccessPolicy", met, now);
}

export function newCondition(type: string, reason: string, message: string, now: Instant): JobCondition {
  const at = formatTime(now);
  return { type, status: "True", lastProbeTime: at, lastTransitionTime: at, reason, message };
}

/** Where containers are restarted in their Pod, that is what counts. */
function hasTooManyRestarts({ template, backoffLimit }: CompleteJobSpec, pods: readonly Pod[]): boolean {
  if (template.spec.restartPolicy !== "OnFailure") return false;
  const restarts = pods
    .filter(({ status: { phase } }) => phase === "Running" || phase === "Pending")
    .flatMap(({ status }) => [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** Zero once the Job has been active for too long; undefined if it may be for ever, or is not. */
function deadlineLeft({ status }: Job, spec: CompleteJobSpec, now: Instant): Millis | undefined {
  const { activeDeadlineSeconds, suspend } = spec;
  if (activeDeadlineSeconds === undefined || suspend) return undefined;
  // One that is resumed in this turn starts in this turn.
  const started = hasCondition({ status }, "Suspended") ? now : (parseTime(status.startTime ?? "") ?? now);
  return elapsed(now, after(started, seconds(activeDeadlineSeconds)));
}

function succeededIndexesOf(observed: ObservedJob, spec: CompleteJobSpec): IndexIntervals {
  if (spec.completionMode !== "Indexed") return [];
  const { completions = 0 } = spec;
  const done = observed.pods
    .filter((pod) => isUncounted(pod, observed) && pod.status.phase === "Succeeded" && hasUsableIndex(pod, spec))
    .map((pod) => completionIndexOf(pod) as number);
  return withIndexes(parseIndexes(observed.job.status.completedIndexes, completions), done);
}

function failedIndexesOf(observed: ObservedJob, spec: CompleteJobSpec): IndexIntervals | undefined {
  const { backoffLimitPerIndex, podFailurePolicy, completions = 0 } = spec;
  if (backoffLimitPerIndex === undefined) return undefined;
  const isLast = (pod: Pod): boolean => {
    const { kind } = judgeFailure(podFailurePolicy, pod);
    return kind === "failIndex" || (kind !== "ignore" && indexFailuresBefore(pod) >= backoffLimitPerIndex);
  };
  const failed = observed.pods
    .filter((pod) => isUncounted(pod, observed) && hasUsableIndex(pod, spec) && hasFailed(pod, spec) && isLast(pod))
    .map((pod) => completionIndexOf(pod) as number);
  return withIndexes(parseIndexes(observed.job.status.failedIndexes, completions), failed);
}

/** With limits for each index, the last failed Pod of each that is to be tried again. */
function predecessorsOf(
  observed: ObservedJob,
  spec: CompleteJobSpec,
  { succeededIndexes, failedIndexes }: Facts,
  active: readonly Pod[],
): ReadonlyMap<number, Pod> {
  const found = new Map<number, Pod>();
  if (failedIndexes === undefined) return found;
  const settled = mergeIndexes(withIndexes(succeededIndexes, indexesOf(active)), failedIndexes);
  const failuresBefore = (pod: Pod): number => indexFailuresBefore(pod) + ignoredIndexFailuresBefore(pod);
  for (const pod of observed.pods) {
    if (!isUncounted(pod, observed) || !hasUsableIndex(pod, spec) || !hasFailed(pod, spec)) continue;
    const index = completionIndexOf(pod) as number;
    if (hasIndex(settled, index)) continue;
    const other = found.get(index);
    const isLater =
      other === undefined || (failuresBefore(other) <= failuresBefore(pod) && finishedAt(other) <= finishedAt(pod));
    if (isLater) found.set(index, pod);
  }
  return found;
}

const indexesOf = (pods: readonly Pod[]): readonly number[] =>
  pods.map(completionIndexOf).filter((index) => index !== undefined);

const nothing = { removal: { kind: "surplus", pods: [] }, create: [], wait: undefined } as const;

/** As many Pods as are wanted. Where some are too many, none is made. */
function planPods(
  observed: ObservedJob,
  spec: CompleteJobSpec,
  plan: Pick<JobPlan, "run" | "succeeded" | "succeededIndexes" | "failedIndexes" | "predecessors">,
  active: readonly Pod[],
): Pick<JobPlan, "removal" | "create" | "wait"> {
  const { job, pods, now } = observed;
  const wanted = spec.suspend ? 0 : wantedPods(spec, plan.succeeded, active.length);
  const surplus = inOrderOfRemoval(active, spec).slice(0, Math.max(surplusOf(active, spec), active.length - wanted));
  if (surplus.length > 0) {
    return { ...nothing, removal: { kind: "surplus", pods: spec.suspend ? surplus : surplus.slice(0, burst) } };
  }
  const terminating = spec.podReplacementPolicy === "Failed" ? pods.filter(isTerminating) : [];
  const missing = Math.min(wanted - active.length - terminating.length, burst);
  if (missing <= 0) return nothing;
  if (spec.backoffLimitPerIndex === undefined) {
    const wait = backOffLeft(plan.run, now);
    if (wait > 0) return { ...nothing, wait };
  }
  if (spec.completionMode !== "Indexed") return { ...nothing, create: Array<NewPod>(missing).fill(plainPod(job)) };
  const taken = withIndexes(plan.succeededIndexes, indexesOf([...active, ...terminating]));
  const free = firstIndexesOutside(mergeIndexes(taken, plan.failedIndexes ?? []), missing, spec.completions ?? 0);
  const waits = free.map((index) => indexBackOff(plan.predecessors.get(index), now));
  const due = free.filter((_, i) => waits[i] === 0);
  return {
    ...nothing,
    create: due.map((index) => indexedPod(job, index, failuresOf(plan.predecessors.get(index), spec))),
    wait: due.length === free.length ? undefined : (Math.min(...waits.filter((wait) => wait > 0)) as Millis),
  };
}

function wantedPods({ completions, parallelism }: CompleteJobSpec, succeeded: number, active: number): number {
  // Without a number of completions, one success is enough and those that still run may end by themselves.
  if (completions === undefined) return succeeded > 0 ? active : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

/** Pods of an Indexed Job that have no index, one that it does not have, or one that another Pod has. */
function surplusOf(active: readonly Pod[], spec: CompleteJobSpec): number {
  if (spec.completionMode !== "Indexed") return 0;
  const usable = active.filter((pod) => hasUsableIndex(pod, spec));
  return active.length - new Set(usable.map(completionIndexOf)).size;
}

function indexBackOff(predecessor: Pod | undefined, now: Instant): Millis {
  if (predecessor === undefined) return 0 as Millis;
  const failures = indexFailuresBefore(predecessor) + ignoredIndexFailuresBefore(predecessor) + 1;
  return backOffLeft({ failures, lastFailure: finishedAt(predecessor) }, now);
}

/** What the successor is told of the failures of its index. */
function failuresOf(predecessor: Pod | undefined, { podFailurePolicy }: CompleteJobSpec): IndexFailures {
  if (predecessor === undefined) return { counted: 0, ignored: 0 };
  const counted = indexFailuresBefore(predecessor);
  const ignored = ignoredIndexFailuresBefore(predecessor);
  const isIgnored = judgeFailure(podFailurePolicy, predecessor).kind === "ignore";
  return isIgnored ? { counted, ignored: ignored + 1 } : { counted: counted + 1, ignored };
}
