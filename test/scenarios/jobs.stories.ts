// Jobs: work that is done to its end, whatever becomes of the Pods that do it (pod-lifecycle 13.5).

import assert from "node:assert/strict";
import type { Job, JobStatus, Pod } from "../../src/api/index.ts";
import {
  exists,
  hasCondition,
  isComplete,
  isGone,
  isRunning,
  job,
  type JobOptions,
  minutes,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const jobName = (name: string) => ({ "batch.kubernetes.io/job-name": name });

const statusOf = async (t: StoryTeller, name = "work"): Promise<JobStatus> =>
  ((await t.get<Job>(`job/${name}`)) as Job).status;

/** `1/2 active 1`: succeeded and failed, and what is there besides. */
const counts = async (t: StoryTeller, name = "work"): Promise<string> => {
  const { succeeded = 0, failed = 0, active = 0, terminating = 0 } = await statusOf(t, name);
  return `${succeeded} succeeded, ${failed} failed, ${active} active, ${terminating} terminating`;
};

const podsOf = (t: StoryTeller, name = "work"): Promise<readonly Pod[]> => t.pods(jobName(name));

/** `Complete CompletionsReached`, the true ones, in their order. */
const conditions = async (t: StoryTeller, name = "work"): Promise<readonly string[]> =>
  ((await statusOf(t, name)).conditions ?? []).map(({ type, status, reason }) => `${type} ${status} ${reason}`);

/** Two nodes; `ok:1` succeeds after five seconds, `bad:1` fails after one, `slow:1` runs until it is stopped. */
async function begin(t: StoryTeller): Promise<void> {
  await t.nodes("node-a", "node-b");
  t.image("ok:1", { present: true, runsFor: seconds(5) });
  t.image("bad:1", { present: true, runsFor: seconds(1), exits: 1 });
  t.image("slow:1", { present: true, stopsIn: seconds(2) });
  t.chapter();
}

async function start(t: StoryTeller, image: string, options: Partial<JobOptions> = {}): Promise<void> {
  await begin(t);
  const { template = {}, ...spec } = options;
  await t.apply(job("work", { ...spec, template: { image, ...template } }));
}

const ends: readonly Story[] = [
  story("a Job's Pod succeeds, is counted, and stays", async (t) => {
    await start(t, "ok:1");
    await t.until("job/work", isComplete, { within: minutes(1) });
    assert.equal(await counts(t), "1 succeeded, 0 failed, 0 active, 0 terminating");
    assert.deepEqual(await conditions(t), [
      "SuccessCriteriaMet True CompletionsReached",
      "Complete True CompletionsReached",
    ]);
    const [pod] = await podsOf(t);
    assert.deepEqual(pod?.metadata.finalizers, undefined);
    assert.equal(pod?.status.phase, "Succeeded");
    const { startTime = "", completionTime = "", uncountedTerminatedPods, ready } = await statusOf(t);
    assert.ok(startTime < completionTime);
    assert.deepEqual([uncountedTerminatedPods, ready], [{}, 0]);
    t.expectEvents(
      "job/work",
      `Normal  SuccessfulCreate  Created pod: ${pod?.metadata.name}\nNormal  Completed  Job completed`,
    );
  }),

  story("two at a time until five have succeeded", async (t) => {
    await start(t, "ok:1", { completions: 5, parallelism: 2 });
    let most = 0;
    for (let second = 0; second < 30; second++) {
      most = Math.max(most, (await statusOf(t)).active ?? 0);
      await t.elapse(seconds(1));
    }
    assert.equal(most, 2);
    assert.equal((await podsOf(t)).length, 5);
    assert.equal(await counts(t), "5 succeeded, 0 failed, 0 active, 0 terminating");
    await t.until("job/work", isComplete, { within: seconds(1) });
  }),

  story("failed Pods are replaced after 10s, 20s, 40s, until the limit is reached", async (t) => {
    await start(t, "bad:1", { backoffLimit: 3 });
    await t.until("job/work", hasCondition("Failed"), { within: minutes(5) });
    const born = (await podsOf(t))
      .map(({ metadata }) => Date.parse(metadata.creationTimestamp) / 1000)
      .sort((a, b) => a - b);
    const gaps = born.slice(1).map((at, i) => at - (born[i] as number));
    assert.deepEqual(gaps, [11, 21, 41]);
    assert.equal(await counts(t), "0 succeeded, 4 failed, 0 active, 0 terminating");
    assert.deepEqual(await conditions(t), [
      "FailureTarget True BackoffLimitExceeded",
      "Failed True BackoffLimitExceeded",
    ]);
    assert.match(
      t.events("job/work").at(-1) ?? "",
      /BackoffLimitExceeded {2}Job has reached the specified backoff limit/,
    );
  }),
];

const deaths: readonly Story[] = [
  story("a Job that is active for too long is ended, and its Pods with it", async (t) => {
    await start(t, "slow:1", { activeDeadlineSeconds: 30, parallelism: 2, completions: 2 });
    await t.until("job/work", hasCondition("FailureTarget"), { within: seconds(31) });
    assert.equal(await counts(t), "0 succeeded, 2 failed, 0 active, 2 terminating");
    await t.until("job/work", hasCondition("Failed"), { within: seconds(5) });
    assert.equal(await counts(t), "0 succeeded, 2 failed, 0 active, 0 terminating");
    assert.deepEqual(await podsOf(t), []);
  }),

  story("a finished Job goes after its time, and its Pods with it", async (t) => {
    await start(t, "ok:1", { ttlSecondsAfterFinished: 20 });
    await t.until("job/work", isComplete, { within: minutes(1) });
    await t.elapse(seconds(19));
    assert.ok(exists(await t.get("job/work")));
    await t.until("job/work", isGone, { within: seconds(3) });
    assert.deepEqual(await podsOf(t), []);
  }),

  story("a suspended Job has no Pods; resumed it starts anew", async (t) => {
    await start(t, "slow:1", { parallelism: 2, completions: 2, activeDeadlineSeconds: 60 });
    await t.elapse(seconds(40));
    await t.patch("job/work", { spec: { suspend: true } });
    await t.elapse(seconds(5));
    assert.equal(await counts(t), "0 succeeded, 0 failed, 0 active, 0 terminating");
    assert.deepEqual(await conditions(t), ["Suspended True JobSuspended"]);
    assert.deepEqual(await podsOf(t), []);
    await t.elapse(minutes(10));
    const before = (await statusOf(t)).startTime ?? "";
    await t.patch("job/work", { spec: { suspend: false } });
    await t.elapse(seconds(5));
    assert.deepEqual(await conditions(t), ["Suspended False JobResumed"]);
    assert.ok(((await statusOf(t)).startTime ?? "") > before);
    assert.equal(await counts(t), "0 succeeded, 0 failed, 2 active, 0 terminating");
    await t.until("job/work", hasCondition("Failed"), { within: seconds(60) });
  }),
];

const losses: readonly Story[] = [
  story("a Pod that somebody deletes counts as failed at once, and is replaced after the back-off", async (t) => {
    await start(t, "slow:1");
    await t.elapse(seconds(3));
    const [first] = await podsOf(t);
    await t.delete(`pod/${first?.metadata.name}`);
    assert.equal(await counts(t), "0 succeeded, 1 failed, 0 active, 1 terminating");
    await t.elapse(seconds(12));
    const [second] = await podsOf(t);
    assert.notEqual(second?.metadata.name, first?.metadata.name);
    assert.equal(await counts(t), "0 succeeded, 1 failed, 1 active, 0 terminating");
    await t.until(`pod/${second?.metadata.name}`, isRunning, { within: seconds(5) });
  }),

  story("Pods that are evicted are not held against a Job that ignores disruptions", async (t) => {
    const rules = [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }];
    await start(t, "slow:1", { backoffLimit: 0, podFailurePolicy: { rules } });
    await t.elapse(seconds(3));
    const [first] = await podsOf(t);
    const name = first?.metadata.name ?? "";
    await t.evict(`pod/${name}`);
    await t.elapse(seconds(20));
    const [second] = (await podsOf(t)).filter(({ metadata }) => metadata.name !== name);
    assert.equal(second?.status.phase, "Running");
    assert.equal(await counts(t), "0 succeeded, 0 failed, 1 active, 0 terminating");
  }),
];

const indexes: readonly Story[] = [
  story("each index has its own limit: one that fails too often is given up, the others are done", async (t) => {
    await begin(t);
    t.image("third:1", {
      present: true,
      behaves: ({ config }) => {
        const isThird = config.envs.some(({ key, value }) => key === "JOB_COMPLETION_INDEX" && value === "2");
        return { runsFor: seconds(2), exits: isThird ? 1 : 0 };
      },
    });
    const spec = { completionMode: "Indexed", completions: 4, parallelism: 4, backoffLimitPerIndex: 1 } as const;
    await t.apply(job("work", { ...spec, template: { image: "third:1" } }));
    await t.until("job/work", hasCondition("Failed"), { within: minutes(2) });
    const { completedIndexes, failedIndexes } = await statusOf(t);
    assert.deepEqual([completedIndexes, failedIndexes], ["0,1,3", "2"]);
    assert.equal(await counts(t), "3 succeeded, 2 failed, 0 active, 0 terminating");
    assert.deepEqual((await conditions(t)).at(-1), "Failed True FailedIndexes");
  }),
];

export const stories: readonly Story[] = [...ends, ...deaths, ...losses, ...indexes];
