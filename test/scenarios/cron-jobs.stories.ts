// CronJobs: Jobs by the clock (pod-lifecycle 13.6). Nights on which clocks are changed are far away for a cluster that lives every second of the way
// there: they are told in src/controllers/cronjob/plan.test.ts.

import assert from "node:assert/strict";
import type { CronJob, Job } from "../../src/api/index.ts";
import {
  cronJob,
  type CronJobOptions,
  minutes,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const timeAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

async function begin(
  t: StoryTeller,
  options: Partial<CronJobOptions> & { readonly image?: string } = {},
): Promise<void> {
  const { image = "short:1", ...spec } = options;
  await t.nodes("node-a");
  t.image("short:1", { present: true, runsFor: seconds(5) });
  t.image("bad:1", { present: true, runsFor: seconds(5), exits: 1 });
  t.image("long:1", { present: true, runsFor: minutes(5), stopsIn: seconds(1) });
  await t.apply(cronJob("tick", { schedule: "*/2 * * * *", job: { backoffLimit: 0, template: { image } }, ...spec }));
}

const jobs = async (t: StoryTeller): Promise<readonly Job[]> =>
  (await t.cluster.call(t.cluster.client.jobs.list({ namespace: "default" }))).items;

const statusOf = async (t: StoryTeller): Promise<CronJob["status"]> =>
  ((await t.get<CronJob>("cronjob/tick")) as CronJob).status;

const reasons = (t: StoryTeller): readonly string[] =>
  t.events("cronjob/tick").map((line) => line.replace(/ \(\d+ times\)/, "").split(/\s+/)[1] ?? "");

export const stories: readonly Story[] = [
  story("every two minutes there is a Job, named after its minute; three that succeeded are kept", async (t) => {
    await begin(t);
    await t.elapse(minutes(11));
    const made = await jobs(t);
    assert.equal(made.length, 3);
    for (const { metadata, status } of made) {
      const minute = Number(metadata.name.split("-")[1]);
      assert.equal(
        new Date(minute * 60_000).toISOString().replace(".000Z", "Z"),
        metadata.annotations?.[timeAnnotation],
      );
      assert.equal(minute % 2, 0);
      assert.equal(status.succeeded, 1);
    }
    const { active, lastScheduleTime, lastSuccessfulTime = "" } = await statusOf(t);
    assert.equal(active, undefined);
    assert.equal(lastScheduleTime, made.at(-1)?.metadata.annotations?.[timeAnnotation]);
    assert.equal(lastSuccessfulTime, made.at(-1)?.status.completionTime);
    assert.deepEqual([...new Set(reasons(t))].sort(), ["SawCompletedJob", "SuccessfulCreate", "SuccessfulDelete"]);
  }),

  story("of those that failed one is kept", async (t) => {
    await begin(t, { image: "bad:1" });
    await t.elapse(minutes(9));
    const made = await jobs(t);
    assert.deepEqual(
      made.map(({ status }) => status.failed),
      [1],
    );
    assert.equal((await statusOf(t)).lastSuccessfulTime, undefined);
  }),

  story("while one runs, Allow starts another, Forbid waits, Replace ends it", async (t) => {
    await begin(t, { image: "long:1" });
    await t.elapse(minutes(4.5));
    assert.equal((await statusOf(t)).active?.length, 2);
    await t.patch("cronjob/tick", { spec: { concurrencyPolicy: "Forbid" } });
    await t.elapse(minutes(2));
    assert.ok(reasons(t).includes("JobAlreadyActive"));
    assert.equal((await statusOf(t)).active?.length, 2);
    await t.patch("cronjob/tick", { spec: { concurrencyPolicy: "Replace" } });
    await t.elapse(minutes(2));
    const { active = [] } = await statusOf(t);
    assert.equal(active.length, 1);
    const running = (await jobs(t)).filter(({ status }) => status.completionTime === undefined);
    assert.deepEqual(
      running.map(({ metadata }) => metadata.name),
      active.map(({ name }) => name),
    );
  }),

  story(
    "a suspended CronJob makes nothing; resumed it makes up for the latest of the times that it missed",
    async (t) => {
      await begin(t, { suspend: true });
      await t.elapse(minutes(31));
      assert.deepEqual(await jobs(t), []);
      await t.patch("cronjob/tick", { spec: { suspend: false } });
      await t.elapse(seconds(30));
      assert.equal((await jobs(t)).length, 1);
      assert.deepEqual(reasons(t), ["SuccessfulCreate", "SawCompletedJob"]);
    },
  ),

  story("what is missed for longer than the deadline is not made up for", async (t) => {
    await begin(t, { schedule: "*/15 * * * *", suspend: true, startingDeadlineSeconds: 60 });
    await t.elapse(minutes(20));
    await t.patch("cronjob/tick", { spec: { suspend: false } });
    await t.elapse(minutes(2));
    assert.deepEqual(await jobs(t), []);
    await t.elapse(minutes(10));
    assert.equal((await jobs(t)).length, 1);
  }),
];
