// Did everything go well? What `lifepod run` answers with its exit status: a pure reading of the Pods as they were seen.

import { hasCondition, isJobFinished } from "../api/batch/v1/job-status.ts";
import type { ContainerStatus, Job, Pod } from "../api/index.ts";

/** One thing that went wrong, with the Pod it went wrong in. */
export interface Failure {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
  readonly text: string;
}

/**
 * Watches Pods until they are told to end. A crash counts even if the container was restarted and is well now: in production it would have
 * been an outage. How containers end after deletion has been asked for does not count. Failures are what a Job is there for: of its Pods only counts
 * what became of the Job.
 */
export class Verdict {
  readonly #latest = new Map<string, Pod>();
  readonly #jobs = new Map<string, Job>();
  /** Keyed by the container instance that crashed, so that each crash counts once. */
  readonly #crashes = new Map<string, Failure & { readonly job: string | undefined }>();

  /** A Pod was seen. */
  saw(pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined) return;
    this.#latest.set(pod.metadata.uid, pod);
    for (const status of containerStatuses(pod)) {
      for (const ended of [status.lastState?.terminated, status.state?.terminated]) {
        if (ended === undefined || ended.exitCode === 0) continue;
        const why = ended.reason === undefined || ended.reason === "Error" ? "" : ` (${ended.reason})`;
        this.#crashes.set(`${pod.metadata.uid}/${status.name}/${ended.containerID ?? ended.finishedAt ?? ""}`, {
          job: jobOf(pod),
          ...subjectOf(pod),
          container: status.name,
          text: `exited with code ${ended.exitCode}${why}`,
        });
      }
    }
  }

  /** A Pod is gone without having been deleted by us. */
  lost(pod: Pod): void {
    this.#latest.delete(pod.metadata.uid);
  }

  /** A Job was seen. */
  sawJob(job: Job): void {
    if (job.metadata.deletionTimestamp === undefined) this.#jobs.set(job.metadata.uid, job);
  }

  /** A Job is gone without having been deleted by us: its time after its end was over. */
  lostJob({ metadata }: Job): void {
    this.#jobs.delete(metadata.uid);
  }

  /** Whether every Pod and every Job has come to its end by itself; false while none was seen. */
  allFinished(): boolean {
    const pods = [...this.#latest.values()].filter((pod) => jobOf(pod) === undefined);
    const jobs = [...this.#jobs.values()];
    // A Job may be told of after its Pods.
    const areKnown = [...this.#latest.values()].every((pod) => {
      const job = jobOf(pod);
      return job === undefined || this.#jobs.has(job) || isFinished(pod);
    });
    return pods.length + jobs.length > 0 && pods.every(isFinished) && jobs.every(isJobFinished) && areKnown;
  }

  /** What went wrong so far; a Pod that has neither finished nor become Ready by now counts. */
  failures(): readonly Failure[] {
    const isExcused = (job: string | undefined): boolean => {
      const known = job === undefined ? undefined : this.#jobs.get(job);
      return known !== undefined && isJobFinished(known);
    };
    const crashes = [...this.#crashes.values()]
      .filter(({ job }) => !isExcused(job))
      .map(({ job: _job, ...one }) => one);
    const pods = [...this.#latest.values()].filter((pod) => !isExcused(jobOf(pod)));
    return [...counted(crashes), ...pods.flatMap(failureNow), ...[...this.#jobs.values()].flatMap(failureOfJob)];
  }
}

/** The same failure of the same container is told once, with how often it happened. */
function counted(failures: readonly Failure[]): readonly Failure[] {
  const groups = new Map<string, { readonly failure: Failure; count: number }>();
  for (const failure of failures) {
    const key = `${failure.namespace}/${failure.pod}/${failure.container}/${failure.text}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { failure, count: 1 });
    else group.count++;
  }
  return [...groups.values()].map(({ failure, count }) =>
    count === 1 ? failure : { ...failure, text: `${failure.text}, ${count} times` },
  );
}

const isFinished = (pod: Pod): boolean => pod.status.phase === "Succeeded" || pod.status.phase === "Failed";

/** The uid of the Job that a Pod is of. */
const jobOf = ({ metadata }: Pod): string | undefined =>
  (metadata.ownerReferences ?? []).find(({ kind, controller }) => kind === "Job" && controller === true)?.uid;

function failureOfJob(job: Job): readonly Failure[] {
  if (!hasCondition(job, "Failed")) return [];
  const { reason, message } = (job.status.conditions ?? []).find(({ type }) => type === "Failed") ?? {};
  const { namespace = "", name } = job.metadata;
  return [{ namespace, pod: `job/${name}`, text: `failed: ${reason}: ${message}` }];
}

function failureNow(pod: Pod): readonly Failure[] {
  if (pod.status.phase === "Succeeded") return [];
  if (pod.status.phase === "Failed") {
    const why = [pod.status.reason, pod.status.message].filter((text) => text !== undefined && text !== "").join(": ");
    return [{ ...subjectOf(pod), text: why === "" ? "failed" : `failed: ${why}` }];
  }
  const ready = pod.status.conditions?.find((condition) => condition.type === "Ready");
  if (ready?.status === "True") return [];
  return [{ ...subjectOf(pod), text: `is not Ready: ${whyNotReady(pod)}` }];
}

/** The most telling reason, root cause first: scheduling, then the first container that waits for something that will not come, then the condition. */
function whyNotReady(pod: Pod): string {
  const scheduled = pod.status.conditions?.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status === "False") return `${scheduled.reason}: ${scheduled.message}`;
  for (const status of containerStatuses(pod)) {
    const waiting = status.state?.waiting;
    if (waiting?.message !== undefined && waiting.message !== "")
      return `${status.name}: ${waiting.reason}: ${waiting.message}`;
  }
  const ready = pod.status.conditions?.find((condition) => condition.type === "Ready");
  return ready?.message ?? `phase ${pod.status.phase}`;
}

const containerStatuses = (pod: Pod): readonly ContainerStatus[] => [
  ...(pod.status.initContainerStatuses ?? []),
  ...(pod.status.containerStatuses ?? []),
];

const subjectOf = (pod: Pod): { readonly namespace: string; readonly pod: string } => ({
  namespace: pod.metadata.namespace ?? "",
  pod: pod.metadata.name,
});
