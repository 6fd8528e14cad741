// What runs to its end: Jobs, and CronJobs, which make them (pod-lifecycle 13.5, 13.6).

import {
  cronJobWarnings,
  defaultCronJob,
  validateCronJob,
  validateCronJobUpdate,
} from "../../api/batch/v1/cron-job.ts";
import {
  defaultJob,
  jobWarnings,
  validateJob,
  validateJobUpdate,
  withGeneratedSelector,
} from "../../api/batch/v1/job.ts";
import { validateJobStatusUpdate } from "../../api/batch/v1/job-status.ts";
import { podTemplateWarnings } from "../../api/core/v1/pod-support.ts";
import type { CronJob, Draft, Job } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import { type ApiObject, withField } from "./api-object.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";
import { nameWarnings } from "./workload-strategies.ts";

/** After decoding and defaulting, the objects of a resource have the shape of their type. */
const asJob = (object: ApiObject): Job => object as unknown as Job;
const asCronJob = (object: ApiObject): CronJob => object as unknown as CronJob;
const asObject = (object: Job | CronJob): ApiObject => object as unknown as ApiObject;

const jobRemarks = (object: ApiObject): readonly string[] => [
  ...podTemplateWarnings(asJob(object).spec.template, "spec.template"),
  ...jobWarnings(asJob(object)),
];

/** Deleted without further wishes it leaves its Pods behind, as it did before there were owner references. */
export const jobStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  default: (job) => asObject(defaultJob(job as Draft<Job>)),
  prepareForCreate: (job) => withField(asObject(withGeneratedSelector(asJob(job))), "status", {}),
  validate: (job) => validateJob(asJob(job)),
  warnings: (job) => [...nameWarnings(job), ...jobRemarks(job)],
  update: {
    prepare: (next, old) => withField(next, "status", old["status"]),
    validate: (next, old) => validateJobUpdate(asJob(next), asJob(old)),
    // Whoever does not touch the spec has heard it before.
    warnings: (next, old) => (sameJson(next["spec"], old["spec"]) ? [] : jobRemarks(next)),
  },
  subresources: {
    status: {
      prepare: (next, old) => withField(next, "spec", old["spec"]),
      validate: (next, old) => validateJobStatusUpdate(asJob(next), asJob(old)),
    },
  },
  orphansDependents: true,
};

const cronJobRemarks = (object: ApiObject): readonly string[] => {
  const cronJob = asCronJob(object);
  const { template } = cronJob.spec.jobTemplate.spec;
  return [...podTemplateWarnings(template, "spec.jobTemplate.spec.template"), ...cronJobWarnings(cronJob)];
};

export const cronJobStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  default: (cronJob) => asObject(defaultCronJob(cronJob as Draft<CronJob>)),
  prepareForCreate: (cronJob) => withField(cronJob, "status", {}),
  validate: (cronJob) => validateCronJob(asCronJob(cronJob)),
  warnings: (cronJob) => [...nameWarnings(cronJob), ...cronJobRemarks(cronJob)],
  update: {
    prepare: (next, old) => withField(next, "status", old["status"]),
    validate: (next, old) => validateCronJobUpdate(asCronJob(next), asCronJob(old)),
    warnings: (next, old) => (sameJson(next["spec"], old["spec"]) ? [] : cronJobRemarks(next)),
  },
  subresources: {
    status: { prepare: (next, old) => withField(next, "spec", old["spec"]), validate: () => [] },
  },
};
