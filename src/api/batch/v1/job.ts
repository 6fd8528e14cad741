// Jobs: defaults, what the server generates, validation (pod-lifecycle 13.5).

import { defaultPodTemplate } from "../../core/v1/default-pod.ts";
import { validatePodTemplate } from "../../core/v1/pod-template.ts";
import type { Draft } from "../../draft.ts";
import type { Job, JobSpec, PodFailurePolicy } from "../../generated/batch-v1.ts";
import type { PodTemplateSpec } from "../../generated/core-v1.ts";
import { checkImmutable, checkNotNegative } from "../../meta/field-checks.ts";
import { child, type FieldError, invalid, key, notSupported, required, tooLong } from "../../meta/field-errors.ts";
import { labelSelectorMatches, requirementsOf, validateLabelSelector } from "../../meta/label-selector.ts";
import { byteLength, dns1123LabelProblems, dns1123SubdomainProblems } from "../../meta/names.ts";
import { sameJson } from "../../meta/json-object.ts";
import { validatePodFailurePolicy, validateSuccessPolicy } from "./job-policies.ts";

export const controllerUidLabel = "batch.kubernetes.io/controller-uid";
export const jobNameLabel = "batch.kubernetes.io/job-name";
/** The labels as they were before Kubernetes' labels had a prefix; people still select by them. */
const legacyControllerUidLabel = "controller-uid";
const legacyJobNameLabel = "job-name";

/** The `managedBy` of Jobs that the controller here looks after; one without it is such a Job, too. */
export const jobControllerName = "kubernetes.io/job-controller";

const maxInt32 = 2 ** 31 - 1;
const maxParallelism = 100_000;
const maxFailedIndexes = 100_000;
/** With more completions than this, and limits for each index, the others must be lower. */
const manyCompletions = 100_000;
const maxParallelismOfMany = 10_000;
const maxFailedIndexesOfMany = 10_000;
const maxManagedByBytes = 63;

/** A Job's spec after admission. The template of a CronJob has the same type and may leave these out. */
export type CompleteJobSpec = JobSpec &
  Required<Pick<JobSpec, "backoffLimit" | "completionMode" | "parallelism" | "podReplacementPolicy" | "suspend">>;

export const completeSpecOf = ({ spec }: Job): CompleteJobSpec => spec as CompleteJobSpec;

/** The Job with every default; applying it again changes nothing. */
export function defaultJob(job: Draft<Job>): Job {
  const spec = job.spec ?? {};
  const isSingle = spec.completions === undefined && spec.parallelism === undefined;
  const templateLabels = spec.template?.metadata?.labels ?? {};
  const hasLabels = Object.keys(job.metadata?.labels ?? {}).length > 0;
  return {
    ...job,
    ...(!hasLabels && Object.keys(templateLabels).length > 0
      ? { metadata: { ...job.metadata, labels: templateLabels } }
      : {}),
    spec: {
      ...defaultJobTemplateSpec(spec),
      ...(isSingle && { completions: 1 }),
      parallelism: spec.parallelism ?? 1,
      backoffLimit: spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : maxInt32),
      completionMode: spec.completionMode ?? "NonIndexed",
      suspend: spec.suspend ?? false,
      manualSelector: spec.manualSelector ?? false,
      podReplacementPolicy:
        spec.podReplacementPolicy ?? (spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed"),
    },
  } as Job;
}

/** The defaults that a Job's spec has also where it is only the template of Jobs to come. */
export function defaultJobTemplateSpec(spec: Draft<JobSpec>): Draft<JobSpec> {
  return {
    ...spec,
    template: defaultPodTemplate(spec.template ?? {}),
    ...(spec.podFailurePolicy && { podFailurePolicy: defaultFailurePolicy(spec.podFailurePolicy) }),
    ...(spec.successPolicy && { successPolicy: { ...spec.successPolicy, rules: spec.successPolicy.rules ?? [] } }),
  };
}

/** Lists that are not there are empty. */
function defaultFailurePolicy({ rules = [], ...policy }: Draft<PodFailurePolicy>): Draft<PodFailurePolicy> {
  return {
    ...policy,
    rules: rules.map(({ onExitCodes, onPodConditions, ...rule }) => ({
      ...rule,
      ...(onExitCodes && { onExitCodes: { ...onExitCodes, values: onExitCodes.values ?? [] } }),
      ...(onPodConditions && {
        onPodConditions: onPodConditions.map((pattern) => ({ ...pattern, status: pattern.status || "True" })),
      }),
    })),
  };
}

/**
 * The Job with the selector and the labels that make its Pods its own and nobody else's, unless its author takes care of that. A label that is
 * there already stays, for validation to refuse.
 */
export function withGeneratedSelector(job: Job): Job {
  const { metadata, spec } = job;
  if (spec.manualSelector === true) return job;
  const { name, uid } = metadata;
  const generated = {
    [legacyJobNameLabel]: name,
    [jobNameLabel]: name,
    [legacyControllerUidLabel]: uid,
    [controllerUidLabel]: uid,
  };
  const labels = { ...generated, ...spec.template.metadata?.labels };
  const selector = {
    ...spec.selector,
    matchLabels: { [controllerUidLabel]: uid, ...spec.selector?.matchLabels },
  };
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels } } as PodTemplateSpec;
  const hasLabels = Object.keys(metadata.labels ?? {}).length > 0;
  return {
    ...job,
    metadata: hasLabels ? metadata : { ...metadata, labels },
    spec: { ...spec, selector, template },
  };
}

export function validateJob(job: Job, { wantsPrefixedLabels = true } = {}): FieldError[] {
  return [
    ...validateGeneratedSelector(job, wantsPrefixedLabels),
    ...validateSpecWithSelector(job.spec, "spec"),
    ...validateHostName(job),
  ];
}

export function validateJobUpdate(next: Job, old: Job): FieldError[] {
  const { labels = {} } = old.spec.template.metadata ?? {};
  const wantsPrefixedLabels = labels[jobNameLabel] !== undefined && labels[controllerUidLabel] !== undefined;
  const immutable = (["selector"] as const).flatMap((field) =>
    checkImmutable(child("spec", field), next.spec[field], old.spec[field]),
  );
  const others = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const;
  return [
    ...validateJob(next, { wantsPrefixedLabels }),
    ...validateCompletionsUpdate(next.spec, old.spec),
    ...immutable,
    ...checkImmutable("spec.template", next.spec.template, changeableTemplate(next, old)),
    ...others.flatMap((field) => checkImmutable(child("spec", field), next.spec[field], old.spec[field])),
  ];
}

/** What upstream remarks about a Job that it accepts. */
export function jobWarnings({ spec }: Job): string[] {
  const { completionMode, completions = 0, parallelism = 0 } = spec;
  if (completionMode !== "Indexed" || completions <= manyCompletions || parallelism <= maxParallelismOfMany) return [];
  return [
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail",
  ];
}

/** A spec as far as it does not depend on the Job that it is of: also that of a CronJob's template. */
export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const at = (field: string): string => child(path, field);
  const counts = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
  ] as const;
  const errors = counts.flatMap((field) => checkNotNegative(at(field), spec[field]));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(at("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
  }
  if (spec.managedBy !== undefined) errors.push(...validateManagedBy(spec.managedBy, at("managedBy")));
  errors.push(...validateCompletionMode(spec, at));
  if (spec.podFailurePolicy !== undefined) {
    errors.push(...validatePodFailurePolicy(spec, spec.podFailurePolicy, at("podFailurePolicy")));
  }
  if (spec.successPolicy !== undefined) {
    if (spec.completionMode === "Indexed") {
      errors.push(...validateSuccessPolicy(spec, spec.successPolicy, at("successPolicy")));
    } else errors.push(invalid(at("successPolicy"), spec.successPolicy, "requires indexed completion mode"));
  }
  errors.push(...validateReplacementPolicy(spec, at("podReplacementPolicy")));
  errors.push(...validatePodTemplate(spec.template, at("template")));
  return [...errors, ...validateRestartPolicy(spec, child(path, "template", "spec", "restartPolicy"))];
}

function validateCompletionMode(spec: JobSpec, at: (field: string) => string): FieldError[] {
  const {
    completionMode = "NonIndexed",
    completions,
    parallelism,
    backoffLimitPerIndex,
    maxFailedIndexes: most,
  } = spec;
  switch (completionMode) {
    case "NonIndexed":
      return (["backoffLimitPerIndex", "maxFailedIndexes"] as const).flatMap((field) =>
        spec[field] === undefined ? [] : [invalid(at(field), spec[field], "requires indexed completion mode")],
      );
    case "Indexed": {
      const errors: FieldError[] = [];
      const refuse = (field: "parallelism" | "maxFailedIndexes", detail: string): void => {
        errors.push(invalid(at(field), spec[field], `must be less than or equal to ${detail}`));
      };
      if (completions === undefined) errors.push(required(at("completions"), "when completion mode is Indexed"));
      if (parallelism !== undefined && parallelism > maxParallelism) {
        refuse("parallelism", `${maxParallelism} when completion mode is Indexed`);
      }
      if (completions !== undefined && most !== undefined && most > completions) {
        refuse("maxFailedIndexes", "completions");
      }
      if (most !== undefined && most > maxFailedIndexes) refuse("maxFailedIndexes", `${maxFailedIndexes}`);
      if (completions === undefined || completions <= manyCompletions || backoffLimitPerIndex === undefined) {
        return errors;
      }
      const why = `when completions are above ${manyCompletions} and used with backoff limit per index`;
      if (most === undefined) {
        errors.push(required(at("maxFailedIndexes"), `must be specified when completions is above ${manyCompletions}`));
      }
      if (parallelism !== undefined && parallelism > maxParallelismOfMany) {
        refuse("parallelism", `${maxParallelismOfMany} ${why}`);
      }
      if (most !== undefined && most > maxFailedIndexesOfMany) {
        refuse("maxFailedIndexes", `${maxFailedIndexesOfMany} ${why}`);
      }
      return errors;
    }
    default: // the door decodes any text
      return [notSupported(at("completionMode"), completionMode, ["NonIndexed", "Indexed"])];
  }
}

function validateManagedBy(managedBy: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const slash = managedBy.indexOf("/");
  const [host, rest] = [managedBy.slice(0, slash), managedBy.slice(slash + 1)];
  if (managedBy === "") errors.push(required(path));
  else if (slash === -1 || host === "" || rest === "") {
    errors.push(invalid(path, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  } else {
    errors.push(...dns1123SubdomainProblems(host).map((problem) => invalid(path, host, problem)));
    if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest)) {
      const text = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
      errors.push(invalid(path, rest, text));
    }
  }
  if (byteLength(managedBy) > maxManagedByBytes) errors.push(tooLong(path, maxManagedByBytes));
  return errors;
}

function validateReplacementPolicy({ podReplacementPolicy, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  if (podReplacementPolicy === undefined) return [];
  const supported = podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  return supported.includes(podReplacementPolicy) ? [] : [notSupported(path, podReplacementPolicy, supported)];
}

function validateRestartPolicy({ template, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const { restartPolicy } = template.spec;
  switch (restartPolicy) {
    case "Never":
      return [];
    case "OnFailure":
      if (podFailurePolicy === undefined) return [];
      return [invalid(path, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')];
    case "Always": // what it becomes when nobody says anything
      return [required(path, 'valid values: "OnFailure", "Never"')];
    default: // the door decodes any text
      return [notSupported(path, restartPolicy, ["OnFailure", "Never"])];
  }
}

function validateSpecWithSelector(spec: JobSpec, path: string): FieldError[] {
  const at = child(path, "selector");
  const errors = validateJobSpec(spec, path);
  if (spec.selector === undefined) errors.push(required(at));
  else errors.push(...validateLabelSelector(spec.selector, at));
  const { labels } = spec.template.metadata ?? {};
  const isUsable = spec.selector === undefined || validateLabelSelector(spec.selector, at).length === 0;
  if (isUsable && !labelSelectorMatches(spec.selector, labels)) {
    const where = child(path, "template", "metadata", "labels");
    errors.push(invalid(where, labels ?? null, "`selector` does not match template `labels`"));
  }
  return errors;
}

/** Whether generated or written by hand: it selects this Job's Pods only. */
function validateGeneratedSelector({ metadata, spec }: Job, wantsPrefixedLabels: boolean): FieldError[] {
  if (spec.manualSelector === true || spec.selector === undefined) return [];
  const { name, uid } = metadata;
  const expected: Readonly<Record<string, string>> = {
    [legacyControllerUidLabel]: uid,
    [legacyJobNameLabel]: name,
    ...(wantsPrefixedLabels && { [controllerUidLabel]: uid, [jobNameLabel]: name }),
  };
  const labels = spec.template.metadata?.labels ?? {};
  const errors = Object.entries(expected).flatMap(([label, value]): FieldError[] => {
    const path = key("spec.template.metadata.labels", label);
    const found = labels[label];
    return [
      ...(found === undefined ? [required(path, `must be '${value}'`)] : []),
      ...(found === value ? [] : [invalid(path, labels, `must be '${value}'`)]),
    ];
  });
  const isReadable = validateLabelSelector(spec.selector, "spec.selector").length === 0;
  if (isReadable && requirementsOf(spec.selector) !== undefined && !labelSelectorMatches(spec.selector, expected)) {
    errors.push(invalid("spec.selector", spec.selector, "`selector` not auto-generated"));
  }
  return errors;
}

/** The Pods of an Indexed Job are called after it and their index, also as hosts. */
function validateHostName({ metadata, spec }: Job): FieldError[] {
  const { completionMode, completions = 0 } = spec;
  if (completionMode !== "Indexed" || completions <= 0) return [];
  const longest = `${metadata.name}-${completions - 1}`;
  if (dns1123LabelProblems(longest).length === 0) return [];
  return [invalid("metadata.name", metadata.name, `will not able to create pod with invalid DNS label: ${longest}`)];
}

/** Only an Indexed Job can get more or fewer completions, together with its parallelism. */
function validateCompletionsUpdate(next: JobSpec, old: JobSpec): FieldError[] {
  if (next.completionMode !== "Indexed") return checkImmutable("spec.completions", next.completions, old.completions);
  if (next.completions === old.completions || next.completions === undefined) return [];
  if (next.completions === next.parallelism) return [];
  return [invalid("spec.completions", next.completions, "can only be modified in tandem with spec.parallelism")];
}

/** The old template with what may still change in a Job that has never started: where its Pods go. */
function changeableTemplate({ spec: next }: Job, { spec: old, status }: Job): PodTemplateSpec {
  if (old.suspend !== true || status.startTime !== undefined) return old.template;
  const { metadata, spec } = next.template;
  const { labels: _labels, annotations: _annotations, ...restOfMetadata } = old.template.metadata ?? {};
  const {
    nodeSelector: _selector,
    tolerations: _tolerations,
    schedulingGates: _gates,
    affinity: oldAffinity,
    ...restOfSpec
  } = old.template.spec;
  const { nodeAffinity: _nodeAffinity, ...restOfAffinity } = oldAffinity ?? {};
  const affinity = {
    ...restOfAffinity,
    ...(spec.affinity?.nodeAffinity && { nodeAffinity: spec.affinity.nodeAffinity }),
  };
  const isSet = spec.affinity !== undefined || !sameJson(affinity, {});
  return {
    ...old.template,
    metadata: {
      ...restOfMetadata,
      ...(metadata?.labels && { labels: metadata.labels }),
      ...(metadata?.annotations && { annotations: metadata.annotations }),
    },
    spec: {
      ...restOfSpec,
      ...(spec.nodeSelector && { nodeSelector: spec.nodeSelector }),
      ...(spec.tolerations && { tolerations: spec.tolerations }),
      ...(spec.schedulingGates && { schedulingGates: spec.schedulingGates }),
      ...(isSet && { affinity }),
    },
  };
}
