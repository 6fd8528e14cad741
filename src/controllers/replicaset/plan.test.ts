import { describe, expect, it } from "vitest";
import { testPod } from "../../../test/fakes/objects.ts";
import type { Pod, PodTemplateSpec, ReplicaSetStatus } from "../../api/index.ts";
import { type Instant, formatTime, seconds } from "../../base/time.ts";
import { nextAvailability } from "../pod-state.ts";
import { batchSizes } from "../slow-start.ts";
import { computeStatus, planReplicas, type ReplicaOwner } from "./plan.ts";

const now = Date.UTC(2025, 0, 1) as Instant;

function ownerOf(
  parts: Partial<Omit<ReplicaOwner, "metadata">> & { readonly deletionTimestamp?: string } = {},
): ReplicaOwner {
  const { deletionTimestamp, ...rest } = parts;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "owner",
      resourceVersion: "1",
      creationTimestamp: formatTime(now),
      generation: 4,
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    },
    requirements: [],
    replicas: 2,
    minReadySeconds: 0,
    template: { metadata: { labels: { app: "web" } } } as unknown as PodTemplateSpec,
    status: { replicas: 0 },
    ...rest,
  };
}

const pods = (count: number): readonly Pod[] => Array.from({ length: count }, (_, index) => testPod(`p${index}`));
const readyFor = (name: string, time: number): Pod =>
  testPod(name, {
    labels: { app: "web" },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: formatTime((now - time) as Instant) }],
    },
  });

it.each<[string, number, number, string]>([
  ["as many as wanted", 2, 2, "nothing"],
  ["too few", 5, 2, "create 3"],
  ["far too few: at most 500 at once", 1200, 0, "create 500"],
  ["too many", 1, 4, "delete 3"],
  ["far too many: at most 500 at once", 0, 700, "delete 500"],
])("with %s", (_what, replicas, present, want) => {
  const active = pods(present);
  const plan = planReplicas(ownerOf({ replicas }), active, active, now);
  const told =
    plan.kind === "create" ? `create ${plan.count}` : plan.kind === "delete" ? `delete ${plan.pods.length}` : plan.kind;
  expect(told).toBe(want);
});

it("an owner that is going creates and deletes nothing", () => {
  const leaving = ownerOf({ replicas: 5, deletionTimestamp: formatTime(now) });
  expect(planReplicas(leaving, pods(2), [], now)).toEqual({ kind: "nothing" });
});

it.each<[number, readonly number[]]>([
  [0, []],
  [1, [1]],
  [6, [1, 2, 3]],
  [10, [1, 2, 4, 3]],
])("%i creations begin slowly: %j", (count, want) => {
  expect(batchSizes(count)).toEqual(want);
});

describe("the status", () => {
  it("counts what there is, has all labels, is ready, and has been so for long enough", () => {
    const active = [testPod("starting"), readyFor("young", seconds(5)), readyFor("old", seconds(60))];
    expect(computeStatus(ownerOf({ minReadySeconds: 30 }), active, undefined, now)).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      observedGeneration: 4,
    });
  });

  it("leaves out what has fallen to zero", () => {
    const status: ReplicaSetStatus = { replicas: 3, readyReplicas: 3, availableReplicas: 3, fullyLabeledReplicas: 3 };
    expect(computeStatus(ownerOf({ status }), [], undefined, now)).toEqual({ replicas: 0, observedGeneration: 4 });
  });

  const failure = { type: "ReplicaFailure", status: "True", lastTransitionTime: "2024-01-01T00:00:00Z" } as const;
  const nothing = [undefined, undefined];
  const told = { ...failure, reason: "FailedCreate", message: "no" };
  it.each<[string, ReplicaSetStatus["conditions"], unknown, number, readonly (string | undefined)[]]>([
    ["no failure", undefined, undefined, 0, nothing],
    ["a failure to create", [], new Error("quota"), 1, ["FailedCreate", "quota"]],
    ["a failure to delete", [], new Error("held"), 3, ["FailedDelete", "held"]],
    ["another failure: the first one stays told", [told], new Error("else"), 1, ["FailedCreate", "no"]],
    ["no failure any more", [told], undefined, 2, nothing],
  ])("tells of %s", (_what, conditions, cause, present, want) => {
    const owner = ownerOf({ status: { replicas: 0, ...(conditions && { conditions }) } });
    const [condition] = computeStatus(owner, pods(present), cause, now).conditions ?? [];
    expect([condition?.reason, condition?.message]).toEqual(want);
  });
});

it.each<[string, readonly Pod[], number, number | undefined]>([
  ["nobody is ready", [testPod("p")], 30, undefined],
  ["everybody is available", [readyFor("p", seconds(30))], 30, undefined],
  ["readiness is enough", [readyFor("p", 0)], 0, undefined],
  ["several will be", [readyFor("p", seconds(5)), readyFor("q", seconds(20))], 30, 10],
])("the next look for availability when %s", (_what, active, minReadySeconds, want) => {
  expect(nextAvailability(active, minReadySeconds, now)).toBe(want === undefined ? undefined : seconds(want));
});
