import { expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { Job, JobSpec, JobStatus } from "../../generated/batch-v1.ts";
import { type FieldError, fieldErrorText } from "../../meta/field-errors.ts";
import { defaultCronJob, validateCronJob, validateCronJobUpdate } from "./cron-job.ts";
import { defaultJob, validateJob, validateJobUpdate, withGeneratedSelector } from "./job.ts";
import { validateJobStatusUpdate } from "./job-status.ts";

const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "a" }] } } as Draft<
  JobSpec["template"]
>;

function jobOf(spec: Draft<JobSpec> = {}, status: JobStatus = {}, name = "work"): Job {
  const draft = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, uid: "u" },
    spec: { template, ...spec },
    status,
  };
  return withGeneratedSelector(defaultJob(draft as Draft<Job>));
}

const texts = (errors: readonly FieldError[]): readonly string[] => errors.map(fieldErrorText);

it("gets its defaults, a selector and labels of its own", () => {
  const { metadata, spec } = jobOf();
  const { template: _template, ...others } = spec;
  expect(others).toEqual({
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: "TerminatingOrFailed",
    selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "u" } },
  });
  const labels = {
    "batch.kubernetes.io/controller-uid": "u",
    "batch.kubernetes.io/job-name": "work",
    "controller-uid": "u",
    "job-name": "work",
  };
  expect(spec.template.metadata?.labels).toEqual(labels);
  expect(metadata.labels).toEqual(labels);
  expect(defaultJob(jobOf())).toEqual(jobOf());
});

it.each<[rule: string, spec: Draft<JobSpec>, field: keyof JobSpec, want: unknown]>([
  ["a number of Pods at once alone leaves the completions open", { parallelism: 3 }, "completions", undefined],
  ["limits for each index leave the whole without one", { backoffLimitPerIndex: 1 }, "backoffLimit", 2 ** 31 - 1],
  [
    "a failure policy waits for the ends of Pods",
    { podFailurePolicy: { rules: [] } },
    "podReplacementPolicy",
    "Failed",
  ],
])("%s", (_rule, spec, field, want) => {
  expect(jobOf(spec).spec[field]).toEqual(want);
});

const indexed = { completionMode: "Indexed", completions: 3 } as const;
const exitRule = (action: string, values: number[], more = {}) => ({
  podFailurePolicy: { rules: [{ action, onExitCodes: { operator: "In", values, ...more } }] },
});

it.each<[Draft<JobSpec>, readonly string[]]>([
  [{}, []],
  [{ ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 2 }, []],
  [{ parallelism: -1 }, ["spec.parallelism: Invalid value: -1: must be greater than or equal to 0"]],
  [
    { template: { spec: { containers: template.spec?.containers ?? [] } } },
    ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
  ],
  [
    { completionMode: "Indexed" as never, parallelism: 1 },
    ["spec.completions: Required value: when completion mode is Indexed"],
  ],
  [{ backoffLimitPerIndex: 1 }, ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]],
  [
    { ...indexed, maxFailedIndexes: 1 },
    ["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"],
  ],
  [
    { ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 4 },
    ["spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions"],
  ],
  [
    { managedBy: "me" },
    ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
  [
    exitRule("FailJob", [2, 1, 0]),
    [
      "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Invalid value: 0: must not be 0 for the In operator",
      "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1,0]: must be ordered",
    ],
  ],
  [
    exitRule("FailIndex", [1]),
    ['spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set'],
  ],
  [
    exitRule("Panic", [1], { containerName: "other" }),
    [
      'spec.podFailurePolicy.rules[0].action: Unsupported value: "Panic": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
      'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "other": must be one of the container or initContainer names in the pod template',
    ],
  ],
  [
    { podFailurePolicy: { rules: [{ action: "Count" }] } },
    ["spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"],
  ],
  [
    { ...exitRule("Count", [1]), podReplacementPolicy: "TerminatingOrFailed" },
    ['spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'],
  ],
  [
    { ...indexed, successPolicy: { rules: [{ succeededIndexes: "2,1", succeededCount: 4 }] } },
    [
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "2,1": error parsing succeededIndexes: non-increasing order, previous: 2, current: 1',
      "spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)",
      "spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)",
    ],
  ],
  [
    { ...indexed, successPolicy: {} },
    [
      "spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified",
    ],
  ],
])("validates %j", (spec, want) => {
  expect(texts(validateJob(jobOf(spec)))).toEqual(want);
});

it("a selector that is not generated is refused, unless its author says that it is meant", () => {
  const selector = { matchLabels: { app: "x" } };
  const labelled = { ...template, metadata: { labels: { app: "x" } } };
  expect(texts(validateJob(jobOf({ selector, template: labelled })))).toEqual([
    'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u","app":"x"}}: `selector` not auto-generated',
  ]);
  expect(texts(validateJob(jobOf({ selector, template: labelled, manualSelector: true })))).toEqual([]);
  expect(texts(validateJob(jobOf({ manualSelector: true })))).toContain("spec.selector: Required value");
});

it.each<[rule: string, next: Draft<JobSpec>, old: Draft<JobSpec>, status: JobStatus, want: RegExp]>([
  ["parallelism can change", { completions: 2, parallelism: 2 }, { completions: 2 }, {}, /^$/],
  ["completions cannot", { completions: 2 }, { completions: 3 }, {}, /^spec.completions: .*field is immutable$/],
  ["an Indexed Job's can with its parallelism", { ...indexed, completions: 5, parallelism: 5 }, indexed, {}, /^$/],
  [
    "and not without",
    { ...indexed, completions: 5, parallelism: 4 },
    indexed,
    {},
    /can only be modified in tandem with spec.parallelism$/,
  ],
  ["managedBy cannot", { managedBy: "a.io/b" }, {}, {}, /^spec.managedBy: .*field is immutable$/],
  [
    "where Pods go cannot",
    { template: { ...template, spec: { ...template.spec, nodeSelector: { a: "b" } } } },
    {},
    {},
    /^spec.template: .*immutable$/,
  ],
  [
    "unless it never started",
    { suspend: true, template: { ...template, spec: { ...template.spec, nodeSelector: { a: "b" } } } },
    { suspend: true },
    {},
    /^$/,
  ],
  [
    "and then not what they are",
    { suspend: true, template: { ...template, spec: { ...template.spec, hostname: "x" } } },
    { suspend: true },
    {},
    /^spec.template: .*immutable$/,
  ],
])("%s", (_rule, next, old, status, want) => {
  const found = texts(validateJobUpdate(jobOf(next), jobOf(old, status)));
  expect(found.join()).toMatch(want);
});

const yes = (type: string) => ({ type, status: "True" as const });

it.each<[rule: string, next: JobStatus, old: JobStatus, want: readonly string[]]>([
  ["counts may grow", { succeeded: 2, failed: 1 }, { succeeded: 1 }, []],
  [
    "and not fall",
    { failed: 1 },
    { failed: 2, succeeded: 1 },
    [
      "status.failed: Invalid value: 1: cannot decrease the failed counter",
      "status.succeeded: Invalid value: 0: cannot decrease the succeeded counter",
    ],
  ],
  [
    "a uid is named once",
    { uncountedTerminatedPods: { succeeded: ["a"], failed: ["a"] } },
    {},
    ['status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"'],
  ],
  [
    "an end is announced first",
    { startTime: "2025-01-01T00:00:00Z", conditions: [yes("Failed")] },
    {},
    ["status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition"],
  ],
  [
    "and stays",
    { startTime: "2025-01-01T00:00:00Z" },
    { startTime: "2025-01-01T00:00:00Z", conditions: [yes("FailureTarget")] },
    ["status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition"],
  ],
  [
    "no more can be ready than are active",
    { ready: 1 },
    {},
    ["status.ready: Invalid value: 1: cannot set more ready pods than active"],
  ],
])("of a status: %s", (_rule, next, old, want) => {
  expect(texts(validateJobStatusUpdate(jobOf({}, next), jobOf({}, old)))).toEqual(want);
});

const cronJobOf = (spec: object, name = "nightly") =>
  defaultCronJob({ metadata: { name }, spec: { schedule: "0 3 * * *", jobTemplate: { spec: { template } }, ...spec } });

it.each<[object, readonly string[]]>([
  [{}, []],
  [{ timeZone: "Europe/Paris" }, []],
  [{ schedule: "" }, ["spec.schedule: Required value"]],
  [{ schedule: "@often" }, ['spec.schedule: Invalid value: "@often": unrecognized descriptor: @often']],
  [{ timeZone: "" }, ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']],
  [{ timeZone: "Europe//Paris" }, ['spec.timeZone: Invalid value: "Europe//Paris": unknown time zone Europe//Paris']],
  [
    { timeZone: "Local" },
    [
      'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    ],
  ],
  [
    { concurrencyPolicy: "Never" },
    ['spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"'],
  ],
  [
    { jobTemplate: { spec: { template, manualSelector: true } } },
    ['spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"'],
  ],
])("validates the CronJob %j", (spec, want) => {
  expect(texts(validateCronJob(cronJobOf(spec)))).toEqual(want);
});

it("a CronJob's name leaves room for the minute; an old schedule may keep its zone as long as there is no other", () => {
  expect(texts(validateCronJob(cronJobOf({}, "n".repeat(53))))).toEqual([
    `metadata.name: Invalid value: "${"n".repeat(53)}": must be no more than 52 characters`,
  ]);
  const old = cronJobOf({ schedule: "CRON_TZ=UTC 0 3 * * *" });
  expect(texts(validateCronJobUpdate(old, old))).toEqual([]);
  const both = cronJobOf({ schedule: "CRON_TZ=UTC 0 3 * * *", timeZone: "UTC" });
  expect(texts(validateCronJobUpdate(both, old))).toEqual([
    'spec.schedule: Invalid value: "CRON_TZ=UTC 0 3 * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
  ]);
});
