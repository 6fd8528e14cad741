import { describe, expect, it } from "vitest";
import type { CronJob, CronJobSpec, CronJobStatus, Job } from "../../api/index.ts";
import { formatTimeIn, timeZone, utc } from "../../base/civil-time.ts";
import { formatTime, type Instant } from "../../base/time.ts";
import { type CronPlan, expiredJobs, jobName, planActive, planCronJob } from "./plan.ts";

const instant = (text: string): Instant => Date.parse(text) as Instant;
const born = "2025-01-01T00:00:00Z";

function cronJob(spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}): CronJob {
  const complete = {
    schedule: "0 * * * *",
    concurrencyPolicy: "Allow",
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
    ...spec,
  };
  return {
    metadata: { name: "tick", uid: "c", creationTimestamp: born },
    spec: complete,
    status,
  } as unknown as CronJob;
}

function job(name: string, end?: "Complete" | "Failed", startTime = born): Job {
  const conditions = end === undefined ? [] : [{ type: end, status: "True" }];
  const completionTime = end === "Complete" ? { completionTime: startTime } : {};
  return { metadata: { name, uid: name }, status: { startTime, conditions, ...completionTime } } as unknown as Job;
}

/** `make 2025-01-01T03:00:00Z replacing a; MissSchedule`, or `wait 1800s`. */
function told(plan: CronPlan): string {
  const events = plan.events.map(({ reason }) => reason);
  const what =
    plan.kind === "make"
      ? [
          `make ${formatTime(plan.time)}${plan.replace.length > 0 ? ` replacing ${plan.replace.map(({ name }) => name).join()}` : ""}`,
        ]
      : plan.wait === undefined
        ? ["nothing"]
        : [`wait ${plan.wait / 1000}s`];
  return [...what, ...events].join("; ");
}

const running = { active: [{ name: "a", uid: "a" }] };

it.each<[rule: string, spec: Partial<CronJobSpec>, status: CronJobStatus, now: string, want: string]>([
  ["before the first time it waits", {}, {}, "2025-01-01T00:30:00Z", "wait 1800.1s"],
  ["when it is time it makes a Job", {}, {}, "2025-01-01T01:00:00Z", "make 2025-01-01T01:00:00Z"],
  [
    "of several missed times only the latest is made up for",
    {},
    {},
    "2025-01-01T05:30:00Z",
    "make 2025-01-01T05:00:00Z",
  ],
  ["and none twice", {}, { lastScheduleTime: "2025-01-01T05:00:00Z" }, "2025-01-01T05:30:00Z", "wait 1800.1s"],
  [
    "a missed time within the deadline is made up for",
    { startingDeadlineSeconds: 3600 },
    {},
    "2025-01-01T05:30:00Z",
    "make 2025-01-01T05:00:00Z",
  ],
  ["one beyond it is not", { startingDeadlineSeconds: 60 }, {}, "2025-01-01T05:30:00Z", "wait 1800.1s"],
  [
    "more than a hundred missed times are told",
    { schedule: "* * * * *" },
    {},
    "2025-01-01T02:00:30Z",
    "make 2025-01-01T02:00:00Z; TooManyMissedTimes",
  ],
  [
    "a deadline keeps their number small",
    { schedule: "* * * * *", startingDeadlineSeconds: 120 },
    {},
    "2025-01-01T05:00:30Z",
    "make 2025-01-01T05:00:00Z",
  ],
  [
    "an uneven schedule is met all the same",
    { schedule: "30 6-16/4 * * 1-5" },
    {},
    "2025-01-10T12:00:00Z",
    "make 2025-01-10T10:30:00Z",
  ],
  ["Allow starts beside what runs", {}, running, "2025-01-01T01:00:00Z", "make 2025-01-01T01:00:00Z"],
  [
    "Forbid does not",
    { concurrencyPolicy: "Forbid" },
    running,
    "2025-01-01T01:00:00Z",
    "wait 3600.1s; JobAlreadyActive",
  ],
  [
    "Replace ends it first",
    { concurrencyPolicy: "Replace" },
    running,
    "2025-01-01T01:00:00Z",
    "make 2025-01-01T01:00:00Z replacing a",
  ],
  ["suspended it does nothing", { suspend: true }, {}, "2025-01-01T05:00:00Z", "nothing"],
  ["an unknown zone is told", { timeZone: "Europe/Nowhere" }, {}, "2025-01-01T05:00:00Z", "nothing; UnknownTimeZone"],
  ["an unreadable schedule is told", { schedule: "x" }, {}, "2025-01-01T05:00:00Z", "nothing; UnparseableSchedule"],
  [
    "a zone in an old schedule holds, and is told",
    { schedule: "TZ=Asia/Kolkata 0 * * * *" },
    {},
    "2025-01-01T00:30:00Z",
    "make 2025-01-01T00:30:00Z; UnsupportedSchedule",
  ],
  [
    "a schedule without any time is looked at rarely",
    { schedule: "0 0 30 2 *" },
    {},
    "2025-01-01T05:00:00Z",
    "wait 3600s",
  ],
])("%s", (_rule, spec, status, now, want) => {
  expect(told(planCronJob(cronJob(spec, status), status, instant(now)))).toBe(want);
});

describe("a CronJob that is awake from one day to another", () => {
  it.each([
    [
      "in spring a time that is skipped has no Job",
      "30 2 * * *",
      "Europe/Paris",
      "2025-03-29T00:00:00Z",
      "2025-03-31T12:00:00Z",
      ["2025-03-29T02:30:00+01:00", "2025-03-31T02:30:00+02:00"],
    ],
    [
      "in autumn a time that comes twice has two",
      "30 2 * * *",
      "Europe/Paris",
      "2025-10-25T12:00:00Z",
      "2025-10-26T12:00:00Z",
      ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"],
    ],
    [
      "a Job for every hour that passes, in spring",
      "0 * * * *",
      "America/New_York",
      "2025-03-09T05:30:00Z",
      "2025-03-09T08:30:00Z",
      ["2025-03-09T01:00:00-05:00", "2025-03-09T03:00:00-04:00", "2025-03-09T04:00:00-04:00"],
    ],
    [
      "and in autumn",
      "0 * * * *",
      "America/New_York",
      "2025-11-02T04:30:00Z",
      "2025-11-02T07:30:00Z",
      ["2025-11-02T01:00:00-04:00", "2025-11-02T01:00:00-05:00", "2025-11-02T02:00:00-05:00"],
    ],
  ])("%s", (_what, schedule, zone, from, to, want) => {
    const made: string[] = [];
    let status: CronJobStatus = { lastScheduleTime: from };
    let now = instant(from);
    for (let turns = 0; now < instant(to) && turns < 100; turns++) {
      const plan = planCronJob(cronJob({ schedule, timeZone: zone }, status), status, now);
      if (plan.kind === "make") {
        made.push(formatTimeIn(timeZone(zone) ?? utc, plan.time));
        status = { lastScheduleTime: formatTime(plan.time) };
      } else now = (now + (plan.wait ?? 0)) as Instant;
    }
    expect(made).toEqual(want);
  });
});

it("a Job is named after the minute of its time", () => {
  expect(jobName(cronJob(), instant("2025-01-01T01:00:30Z"))).toBe(`tick-${instant("2025-01-01T01:00:00Z") / 60_000}`);
});

it("what has ended is not active any more, and the last success is noted", () => {
  const active = ["a", "b", "c", "gone"].map((name) => ({ name, uid: name }));
  const jobs = [job("a", "Complete", "2025-01-01T02:00:00Z"), job("b", "Failed"), job("c"), job("other")];
  const found = planActive({ cronJob: cronJob({}, { active }), jobs, now: instant(born) });
  expect(found.status).toEqual({ active: [active[2], active[3]], lastSuccessfulTime: "2025-01-01T02:00:00Z" });
  expect(found.unseen).toEqual([active[3]]);
  expect(found.events.map(({ message }) => message)).toEqual([
    "Saw completed job: a, condition: Complete",
    "Saw completed job: b, condition: Failed",
    "Saw a job that the controller did not create or forgot: other",
  ]);
});

it("finished Jobs beyond the limits go, the oldest first", () => {
  const at = (hour: number): string => `2025-01-01T0${hour}:00:00Z`;
  const jobs = [
    job("d", "Complete", at(4)),
    job("a", "Complete", at(1)),
    job("b", "Complete", at(2)),
    job("c", "Complete", at(3)),
  ];
  const others = [job("e", "Failed", at(5)), job("f", "Failed", at(6)), job("g")];
  expect(expiredJobs([...jobs, ...others], cronJob()).map(({ metadata }) => metadata.name)).toEqual(["e", "a"]);
  expect(expiredJobs(jobs, cronJob({ successfulJobsHistoryLimit: 0 }))).toHaveLength(4);
});
