// How a Job sees its Pods: which are its business, which index they have, when they ended (pod-lifecycle 13.5).

import { type CompleteJobSpec, completeSpecOf } from "../../api/batch/v1/job.ts";
import type { Container, Job, Pod, PodTemplateSpec } from "../../api/index.ts";
import { type Instant, after, parseTime, seconds } from "../../base/time.ts";

/** Keeps a Pod until its end has been counted. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const completionIndexName = "batch.kubernetes.io/job-completion-index";
export const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
export const ignoredFailureCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";

/** The longest beginning of a name to which the API server adds five characters. */
const longestGenerateName = 58;

export function isTracked({ metadata }: Pod): boolean {
  return (metadata.finalizers ?? []).includes(trackingFinalizer);
}

/** Asked to end and not there yet. */
export function isTerminating({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined && status.phase !== "Succeeded" && status.phase !== "Failed";
}

/**
 * Whether the Pod's work has to be done by another one. A Pod that somebody deletes counts as failed at once, unless the Job waits for the ends of
 * its Pods.
 */
export function hasFailed(pod: Pod, { podReplacementPolicy }: CompleteJobSpec): boolean {
  if (pod.status.phase === "Failed") return true;
  return podReplacementPolicy === "TerminatingOrFailed" && isTerminating(pod);
}

/** The index of an Indexed Job's Pod; undefined if it has none that makes sense. */
export function completionIndexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[completionIndexName];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Whether it is one of the indexes that the Job has; every Pod of a Job without indexes is fine. */
export function hasUsableIndex(pod: Pod, { completionMode, completions = 0 }: CompleteJobSpec): boolean {
  if (completionMode !== "Indexed") return true;
  const index = completionIndexOf(pod);
  return index !== undefined && index < completions;
}

/** How often its index failed before it, as far as that counts. */
export const indexFailuresBefore = (pod: Pod): number => countIn(pod, failureCountAnnotation);
export const ignoredIndexFailuresBefore = (pod: Pod): number => countIn(pod, ignoredFailureCountAnnotation);

function countIn({ metadata }: Pod, annotation: string): number {
  const count = Number(metadata.annotations?.[annotation] ?? "0");
  return Number.isInteger(count) && count >= 0 && count < 2 ** 31 ? count : 0;
}

/** The end of its last container; failing that since when it is not ready, when its deletion was asked for, when it was created. */
export function finishedAt({ metadata, status }: Pod): Instant {
  const containers = status.containerStatuses ?? [];
  const ends = containers.map(({ state }) => parseTime(state?.terminated?.finishedAt ?? ""));
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...(ends as number[])) as Instant;
  const ready = (status.conditions ?? []).find(({ type }) => type === "Ready");
  const unready = ready?.status === "False" ? parseTime(ready.lastTransitionTime ?? "") : undefined;
  if (unready !== undefined) return unready;
  const deadline = parseTime(metadata.deletionTimestamp ?? "");
  if (deadline !== undefined) return after(deadline, seconds(-(metadata.deletionGracePeriodSeconds ?? 0)));
  return parseTime(metadata.creationTimestamp) ?? (0 as Instant);
}

/** A Pod to be made. */
export interface NewPod {
  readonly template: PodTemplateSpec;
  /** How its name begins; absent: as those of every owner's Pods. */
  readonly generateName?: string;
}

/** What was known of the last Pod of an index that failed. */
export interface IndexFailures {
  readonly counted: number;
  readonly ignored: number;
}

/** The Pod of a Job without indexes. */
export function plainPod({ spec }: Job): NewPod {
  return { template: trackedTemplate(spec.template) };
}

/** The Pod of an index: it can learn its index from its environment, its labels, its annotations and its host name. */
export function indexedPod(job: Job, index: number, failures: IndexFailures): NewPod {
  const { template } = job.spec;
  const { metadata = {}, spec } = trackedTemplate(template);
  const marked = { [completionIndexName]: String(index) };
  const counts =
    completeSpecOf(job).backoffLimitPerIndex === undefined
      ? {}
      : {
          [failureCountAnnotation]: String(failures.counted),
          ...(failures.ignored > 0 && { [ignoredFailureCountAnnotation]: String(failures.ignored) }),
        };
  return {
    generateName: indexedName(job.metadata.name, index),
    template: {
      ...template,
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, ...marked },
        annotations: { ...metadata.annotations, ...marked, ...counts },
      },
      spec: {
        ...spec,
        hostname: `${job.metadata.name}-${index}`,
        containers: spec.containers.map(withIndexVariable),
        ...(spec.initContainers && { initContainers: spec.initContainers.map(withIndexVariable) }),
      },
    },
  };
}

function trackedTemplate(template: PodTemplateSpec): PodTemplateSpec {
  const { finalizers = [] } = template.metadata ?? {};
  if (finalizers.includes(trackingFinalizer)) return template;
  return { ...template, metadata: { ...template.metadata, finalizers: [...finalizers, trackingFinalizer] } };
}

function withIndexVariable(container: Container): Container {
  const name = "JOB_COMPLETION_INDEX";
  const { env = [] } = container;
  if (env.some((variable) => variable.name === name)) return container;
  const fieldRef = { apiVersion: "v1", fieldPath: `metadata.labels['${completionIndexName}']` };
  return { ...container, env: [...env, { name, valueFrom: { fieldRef } }] };
}

/** Of a name that is too long the end is cut, never the index. */
function indexedName(job: string, index: number): string {
  const suffix = `-${index}-`;
  return job.slice(0, longestGenerateName - suffix.length) + suffix;
}
