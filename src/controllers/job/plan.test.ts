import { expect, it } from "vitest";
import type { Job, JobSpec, JobStatus, Pod } from "../../api/index.ts";
import { type Instant, seconds } from "../../base/time.ts";
import { noFailures } from "./back-off.ts";
import { countReleased, finish, type Outcome, tally } from "./counting.ts";
import { completionIndexName, failureCountAnnotation, trackingFinalizer } from "./job-pods.ts";
import { type JobPlan, type ObservedJob, planJob } from "./plan.ts";

const epoch = Date.parse("2025-01-01T00:00:00Z");
const at = (second: number): Instant => (epoch + second * 1000) as Instant;
const time = (second: number): string => new Date(at(second)).toISOString().replace(".000Z", "Z");

function job(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  const complete = {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    podReplacementPolicy: spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed",
    template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "a" }] } },
    ...spec,
  };
  const metadata = { name: "work", namespace: "default", uid: "j" };
  const started = { startTime: time(0), ...status };
  return { apiVersion: "batch/v1", kind: "Job", metadata, spec: complete, status: started } as unknown as Job;
}

interface PodFacts {
  readonly phase?: string;
  readonly index?: number;
  readonly failuresBefore?: number;
  readonly exitCode?: number;
  /** In seconds. */
  readonly ended?: number;
  readonly deleted?: boolean;
  readonly tracked?: boolean;
  readonly restarts?: number;
  readonly condition?: string;
}

function pod(name: string, facts: PodFacts = {}): Pod {
  const { phase = "Running", index, failuresBefore, exitCode, ended = 0, tracked = true, restarts = 0 } = facts;
  const isOver = phase === "Failed" || phase === "Succeeded";
  const state = isOver
    ? { terminated: { exitCode: exitCode ?? (phase === "Failed" ? 1 : 0), finishedAt: time(ended) } }
    : {};
  return {
    metadata: {
      name,
      namespace: "default",
      uid: name,
      creationTimestamp: time(0),
      ...(facts.deleted === true && { deletionTimestamp: time(ended), deletionGracePeriodSeconds: 0 }),
      ...(tracked && { finalizers: [trackingFinalizer] }),
      annotations: {
        ...(index !== undefined && { [completionIndexName]: String(index) }),
        ...(failuresBefore !== undefined && { [failureCountAnnotation]: String(failuresBefore) }),
      },
    },
    spec: { nodeName: "node-a" },
    status: {
      phase,
      containerStatuses: [{ name: "main", restartCount: restarts, state }],
      conditions: facts.condition === undefined ? [] : [{ type: facts.condition, status: "True" }],
    },
  } as unknown as Pod;
}

const observe = (about: Job, pods: readonly Pod[], now = 5, more: Partial<ObservedJob> = {}): ObservedJob => ({
  job: about,
  pods,
  released: new Set(),
  run: noFailures,
  mayAct: true,
  now: at(now),
  ...more,
});

/** `create 2; FailureTarget DeadlineExceeded; surplus a,b; in 10s`, in this order, as far as there is something to say. */
function told({ verdict, create, removal, wait }: JobPlan): string {
  const indexes = create.map(({ template }) => template.metadata?.annotations?.[completionIndexName] ?? "");
  return [
    create.length === 0 ? "" : `create ${indexes.some((index) => index !== "") ? indexes.join() : create.length}`,
    verdict === undefined ? "" : `${verdict.type} ${verdict.reason}`,
    removal.pods.length === 0 ? "" : `${removal.kind} ${removal.pods.map(({ metadata }) => metadata.name).join()}`,
    wait === undefined ? "" : `in ${wait / 1000}s`,
  ]
    .filter((text) => text !== "")
    .join("; ");
}

const indexed = (more: Partial<JobSpec> = {}): Partial<JobSpec> => ({
  completionMode: "Indexed",
  completions: 3,
  parallelism: 3,
  ...more,
});
const exitCodes = (action: string, ...values: number[]) => ({
  rules: [{ action, onExitCodes: { operator: "In", values } }],
});
const failed = (name: string, facts: PodFacts = {}): Pod => pod(name, { phase: "Failed", ...facts });
const succeeded = (name: string, facts: PodFacts = {}): Pod => pod(name, { phase: "Succeeded", ...facts });

it.each<[rule: string, spec: Partial<JobSpec>, status: JobStatus, pods: readonly Pod[], want: string]>([
  ["makes as many as may run at once", { completions: 5, parallelism: 3 }, {}, [], "create 3"],
  ["makes no more than are left", { completions: 5, parallelism: 3 }, { succeeded: 4 }, [], "create 1"],
  ["makes nothing when enough are there", { completions: 5, parallelism: 1 }, {}, [pod("a")], ""],
  [
    "removes what is too many",
    { parallelism: 1, completions: 4 },
    {},
    [pod("a"), pod("b", { phase: "Pending" })],
    "surplus b",
  ],
  [
    "without completions, fills up until one has succeeded",
    { completions: undefined as never, parallelism: 2 },
    {},
    [pod("a")],
    "create 1",
  ],
  [
    "without completions, makes none after a success",
    { completions: undefined as never, parallelism: 2 },
    { succeeded: 1 },
    [pod("a")],
    "",
  ],
  ["waits after the first failure", {}, {}, [failed("a")], "in 5s"],
  ["replaces after the back-off", {}, { failed: 1 }, [failed("a", { tracked: false })], "create 1"],
  ["gives up beyond the limit", { backoffLimit: 0 }, {}, [failed("a")], "FailureTarget BackoffLimitExceeded"],
  [
    "counts what was named and not counted yet",
    { backoffLimit: 1 },
    { failed: 1, uncountedTerminatedPods: { failed: ["a"] } },
    [failed("a")],
    "FailureTarget BackoffLimitExceeded",
  ],
  [
    "counts restarts under OnFailure",
    { backoffLimit: 2, template: { spec: { restartPolicy: "OnFailure", containers: [] } } as never },
    {},
    [pod("a", { restarts: 2 })],
    "FailureTarget BackoffLimitExceeded; end a",
  ],
  [
    "ends what is active for too long",
    { activeDeadlineSeconds: 5 },
    {},
    [pod("a")],
    "FailureTarget DeadlineExceeded; end a",
  ],
  ["looks again at the deadline", { activeDeadlineSeconds: 8 }, {}, [pod("a")], "in 3s"],
  [
    "has no Pods while suspended",
    { suspend: true, completions: 2, parallelism: 2, activeDeadlineSeconds: 1 },
    {},
    [pod("a"), pod("b")],
    "surplus a,b",
  ],
  [
    "starts its deadline anew when resumed",
    { activeDeadlineSeconds: 3 },
    { conditions: [{ type: "Suspended", status: "True" }] },
    [pod("a")],
    "in 3s",
  ],
  [
    "replaces a Pod that is being deleted",
    {},
    { failed: 1 },
    [pod("a", { deleted: true, tracked: false })],
    "create 1",
  ],
  [
    "waits for the end of a deleted Pod if it is told to",
    { podReplacementPolicy: "Failed" },
    {},
    [pod("a", { deleted: true })],
    "",
  ],
  [
    "a FailJob rule ends it",
    { podFailurePolicy: exitCodes("FailJob", 42) },
    {},
    [failed("a", { exitCode: 42 })],
    "FailureTarget PodFailurePolicy",
  ],
  [
    "an Ignore rule keeps a failure out of the count",
    { backoffLimit: 0, podFailurePolicy: exitCodes("Ignore", 42) },
    {},
    [failed("a", { exitCode: 42 })],
    "in 5s",
  ],
  [
    "an Ignore rule for disruptions",
    {
      backoffLimit: 0,
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
    },
    {},
    [failed("a", { condition: "DisruptionTarget" })],
    "in 5s",
  ],
  [
    "a rule that does not match counts",
    { backoffLimit: 0, podFailurePolicy: exitCodes("Ignore", 42) },
    {},
    [failed("a", { exitCode: 1 })],
    "FailureTarget BackoffLimitExceeded",
  ],
  [
    "makes the lowest indexes that are missing",
    indexed({ completions: 5 }),
    { completedIndexes: "0,2" },
    [pod("a", { index: 3 })],
    "create 1,4",
  ],
  [
    "removes a second Pod of an index, and one without",
    indexed(),
    {},
    [pod("a", { index: 0 }), pod("b", { index: 0 }), pod("c")],
    "surplus a,c",
  ],
  [
    "removes a Pod whose index there is no more",
    indexed({ completions: 1, parallelism: 2 }),
    {},
    [pod("a", { index: 0 }), pod("b", { index: 4 })],
    "surplus b",
  ],
  [
    "backs off each index by itself",
    indexed({ backoffLimitPerIndex: 2, backoffLimit: 2 ** 31 - 1 }),
    {},
    [failed("a", { index: 1, failuresBefore: 0 })],
    "create 0,2; in 5s",
  ],
  [
    "gives up an index at its limit",
    indexed({ backoffLimitPerIndex: 1, backoffLimit: 99 }),
    {},
    [failed("a", { index: 1, failuresBefore: 1 })],
    "create 0,2",
  ],
  [
    "a FailIndex rule gives up an index",
    indexed({ backoffLimitPerIndex: 9, backoffLimit: 99, podFailurePolicy: exitCodes("FailIndex", 7) }),
    {},
    [failed("a", { index: 1, exitCode: 7 })],
    "create 0,2",
  ],
  [
    "too many failed indexes end it",
    indexed({ backoffLimitPerIndex: 0, maxFailedIndexes: 1, backoffLimit: 99 }),
    { failedIndexes: "0" },
    [failed("a", { index: 1 }), pod("b", { index: 2 })],
    "FailureTarget MaxFailedIndexesExceeded; end b",
  ],
  [
    "with all indexes decided a failed one fails it",
    indexed({ backoffLimitPerIndex: 0, backoffLimit: 99 }),
    { failedIndexes: "0", completedIndexes: "1" },
    [succeeded("a", { index: 2 })],
    "FailureTarget FailedIndexes",
  ],
  [
    "a success policy that is met ends it",
    indexed({ successPolicy: { rules: [{ succeededIndexes: "0,2", succeededCount: 1 }] } }),
    {},
    [succeeded("a", { index: 2 }), pod("b", { index: 0 })],
    "SuccessCriteriaMet SuccessPolicy; end b",
  ],
  [
    "a success policy that names other indexes does not",
    indexed({ parallelism: 1, successPolicy: { rules: [{ succeededIndexes: "0" }] } }),
    {},
    [succeeded("a", { index: 2 }), pod("b", { index: 0 })],
    "",
  ],
  [
    "what was decided stays decided",
    { backoffLimit: 9 },
    { conditions: [{ type: "FailureTarget", status: "True", reason: "DeadlineExceeded" }] },
    [pod("a")],
    "FailureTarget DeadlineExceeded; end a",
  ],
])("%s", (_rule, spec, status, pods, want) => {
  expect(told(planJob(observe(job(spec, status), pods)))).toBe(want);
});

it.each([
  [1, 10],
  [2, 20],
  [3, 40],
  [6, 320],
  [7, 600],
  [50, 600],
])("after %i failures in a row it waits %i seconds", (failures, wait) => {
  const run = { failures, lastFailure: at(100) };
  expect(planJob(observe(job({ backoffLimit: 99 }), [], 100, { run })).wait).toBe(seconds(wait));
  expect(planJob(observe(job({ backoffLimit: 99 }), [], 100 + wait, { run })).create).toHaveLength(1);
});

it("a success ends the run of failures; those after it begin a new one", () => {
  const pods = [failed("a", { ended: 1 }), succeeded("b", { ended: 2 }), failed("c", { ended: 3 })];
  const run = { failures: 4, lastFailure: at(0) };
  const spec = { completions: 3, parallelism: 3 };
  expect(planJob(observe(job(spec), pods, 5, { run })).run).toEqual({ failures: 1, lastFailure: at(3) });
});

it("does nothing before it has seen what it asked for, and nothing more when the Job is being deleted", () => {
  expect(told(planJob(observe(job(), [], 5, { mayAct: false })))).toBe("");
  const leaving = job();
  const metadata = { ...leaving.metadata, deletionTimestamp: time(1) };
  expect(told(planJob(observe({ ...leaving, metadata }, [])))).toBe("");
});

it("the successor of a failed index knows how often it failed, and its own index", () => {
  const spec = indexed({ completions: 1, backoffLimitPerIndex: 5 });
  const [made] = planJob(observe(job(spec), [failed("a", { index: 0, failuresBefore: 2 })], 100)).create;
  expect(made?.generateName).toBe("work-0-");
  expect(made?.template.metadata?.annotations).toEqual({ [completionIndexName]: "0", [failureCountAnnotation]: "3" });
  expect(made?.template.metadata?.finalizers).toEqual([trackingFinalizer]);
  expect(made?.template.spec.hostname).toBe("work-0");
  expect(made?.template.spec.containers[0]?.env?.[0]?.name).toBe("JOB_COMPLETION_INDEX");
});

// A controller that may die after each of its writes: what the next one finds is the status as it was written last, and the Pods as they are.

const nothingDone: Outcome = { created: 0, removed: [], isPartial: false };

/** More writes than any turn makes. */
const untilTheEnd = 1000;

interface World {
  status: JobStatus;
  pods: readonly Pod[];
}

/** One turn, which dies after so many writes. @returns the writes that it made */
function turn(world: World, spec: Partial<JobSpec>, writes: number): number {
  const about = { ...job(spec), status: world.status };
  const observed = observe(about, world.pods, 100);
  const plan = { ...planJob(observed), create: [] };
  const { status, release, held, final } = tally(observed, plan, nothingDone);
  let left = writes;
  const write = (act: () => void): boolean => {
    if (left === 0) return false;
    left--;
    act();
    return true;
  };
  const store = (next: JobStatus): boolean =>
    JSON.stringify(next) === JSON.stringify(world.status) || write(() => (world.status = next));
  if (!store(status)) return writes;
  const stillHeld = new Set(held);
  for (const one of release) {
    const letGo = write(() => {
      const { finalizers: _finalizers, ...metadata } = one.metadata;
      world.pods = world.pods.map((each) => (each === one ? { ...one, metadata } : each));
    });
    if (!letGo) return writes;
    stillHeld.delete(one.metadata.uid);
  }
  const counted = countReleased(world.status, stillHeld);
  store((final && finish(counted, final)) ?? counted);
  return writes - left;
}

it.each<[string, Partial<JobSpec>, readonly Pod[], JobStatus]>([
  ["succeeded Pods", { completions: 3 }, [succeeded("a"), succeeded("b"), succeeded("c")], { succeeded: 3 }],
  [
    "failed Pods beside succeeded ones",
    { completions: 2 },
    [succeeded("a"), failed("b"), succeeded("c")],
    { succeeded: 2, failed: 1 },
  ],
  [
    "indexes",
    indexed(),
    [
      succeeded("a", { index: 0 }),
      succeeded("b", { index: 1 }),
      succeeded("c", { index: 2 }),
      failed("d", { index: 2 }),
    ],
    { succeeded: 3, failed: 1 },
  ],
  [
    "Pods of a Job that has failed",
    { completions: 3, backoffLimit: 1 },
    [failed("a"), failed("b"), succeeded("c")],
    { succeeded: 1, failed: 2 },
  ],
])("%s are counted once each wherever the controller dies, and the counts never fall", (_what, spec, pods, want) => {
  const all = turn({ status: { startTime: time(0) }, pods }, spec, untilTheEnd);
  expect(all).toBeGreaterThan(pods.length);
  for (let first = 0; first <= all; first++) {
    for (let second = 0; second <= all; second++) {
      const world: World = { status: { startTime: time(0) }, pods };
      let before = { succeeded: 0, failed: 0 };
      for (const writes of [first, second, untilTheEnd, untilTheEnd]) {
        turn(world, spec, writes);
        const { succeeded: done = 0, failed: lost = 0 } = world.status;
        expect(done).toBeGreaterThanOrEqual(before.succeeded);
        expect(lost).toBeGreaterThanOrEqual(before.failed);
        before = { succeeded: done, failed: lost };
      }
      expect(world.status).toMatchObject({ ...want, uncountedTerminatedPods: {} });
      expect(world.status.conditions).toHaveLength(2);
      expect(world.pods.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
    }
  }
});
