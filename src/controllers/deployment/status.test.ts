import { describe, expect, it } from "vitest";
import type { DeploymentCondition, DeploymentStatus } from "../../api/index.ts";
import { type Instant, formatTime, seconds } from "../../base/time.ts";
import type { Revisions } from "./revisions.ts";
import { computeStatus, untilDeadline, withPause } from "./status.ts";
import { type DeploymentParts, testDeployment, testReplicaSet } from "../../../test/fakes/deployments.ts";

const now = Date.UTC(2025, 0, 1) as Instant;
const ago = (count: number): string => formatTime((now - seconds(count)) as Instant);

const progressing = (
  reason: string,
  age: number,
  status: DeploymentCondition["status"] = "True",
): DeploymentCondition => ({
  type: "Progressing",
  status,
  reason,
  message: "as before",
  lastUpdateTime: ago(age),
  lastTransitionTime: ago(age),
});

const full: DeploymentStatus = {
  observedGeneration: 1,
  replicas: 3,
  updatedReplicas: 3,
  readyReplicas: 3,
  availableReplicas: 3,
};
const onlyNew: Revisions = { newest: testReplicaSet("new"), old: [] };
const half: Revisions = { newest: testReplicaSet("new", { replicas: 1, available: 0 }), old: [testReplicaSet("old")] };
const halfCounts: DeploymentStatus = {
  observedGeneration: 1,
  replicas: 4,
  updatedReplicas: 1,
  readyReplicas: 3,
  availableReplicas: 3,
  unavailableReplicas: 1,
};

const told = (status: DeploymentStatus, type: string): string => {
  const found = (status.conditions ?? []).find((condition) => condition.type === type);
  return found === undefined ? "nothing" : `${found.status} ${found.reason}: ${found.message}`;
};

it("the counts are the sums of what ReplicaSets report; zeros are left out", () => {
  const { conditions: _conditions, ...counts } = computeStatus(testDeployment(), half, now);
  expect(counts).toEqual(halfCounts);
  const { conditions: _none, ...empty } = computeStatus(
    testDeployment({ spec: { replicas: 0 } }),
    { newest: undefined, old: [] },
    now,
  );
  expect(empty).toEqual({ observedGeneration: 1 });
});

it("more that is available than asked for is no negative number", () => {
  const shrinking = { newest: testReplicaSet("new", { replicas: 1, available: 3, status: { replicas: 3 } }), old: [] };
  expect(computeStatus(testDeployment({ spec: { replicas: 1 } }), shrinking, now).unavailableReplicas).toBeUndefined();
});

it.each<[number, number, string]>([
  [3, 0, "True MinimumReplicasAvailable: Deployment has minimum availability."],
  [2, 0, "False MinimumReplicasUnavailable: Deployment does not have minimum availability."],
  [2, 1, "True MinimumReplicasAvailable: Deployment has minimum availability."],
])("with %i of 3 available and %i that may be missing Available is %s", (available, unavailable, want) => {
  const revisions = { newest: testReplicaSet("new", { available }), old: [] };
  expect(told(computeStatus(testDeployment({ unavailable }), revisions, now), "Available")).toBe(want);
});

describe("progress", () => {
  type Row = [string, DeploymentParts, DeploymentStatus, Revisions, string];
  it.each<Row>([
    [
      "is told when a count has grown",
      {},
      { ...halfCounts, updatedReplicas: 0, conditions: [progressing("NewReplicaSetCreated", 5)] },
      half,
      'True ReplicaSetUpdated: ReplicaSet "new" is progressing.',
    ],
    [
      "is told when an old replica has gone",
      {},
      { ...halfCounts, replicas: 5, conditions: [progressing("ReplicaSetUpdated", 5)] },
      half,
      'True ReplicaSetUpdated: ReplicaSet "new" is progressing.',
    ],
    [
      "is told again after it had been given up",
      {},
      { ...halfCounts, readyReplicas: 2, conditions: [progressing("ProgressDeadlineExceeded", 5, "False")] },
      half,
      'True ReplicaSetUpdated: ReplicaSet "new" is progressing.',
    ],
    [
      "is waited for until the deadline",
      {},
      { ...halfCounts, conditions: [progressing("ReplicaSetUpdated", 600)] },
      half,
      "True ReplicaSetUpdated: as before",
    ],
    [
      "is given up after the deadline",
      {},
      { ...halfCounts, conditions: [progressing("ReplicaSetUpdated", 601)] },
      half,
      'False ProgressDeadlineExceeded: ReplicaSet "new" has timed out progressing.',
    ],
    [
      "stays given up",
      {},
      { ...halfCounts, conditions: [progressing("ProgressDeadlineExceeded", 5, "False")] },
      half,
      "False ProgressDeadlineExceeded: as before",
    ],
    [
      "comes to its end",
      {},
      { ...full, availableReplicas: 2, conditions: [progressing("ReplicaSetUpdated", 5)] },
      onlyNew,
      'True NewReplicaSetAvailable: ReplicaSet "new" has successfully progressed.',
    ],
    [
      "comes to its end also when it had been given up",
      {},
      { ...full, conditions: [progressing("ProgressDeadlineExceeded", 5, "False")] },
      onlyNew,
      'True NewReplicaSetAvailable: ReplicaSet "new" has successfully progressed.',
    ],
    [
      "that has come to its end stays there when Pods fail",
      {},
      { ...full, conditions: [progressing("NewReplicaSetAvailable", 9999)] },
      { newest: testReplicaSet("new", { available: 0 }), old: [] },
      "True NewReplicaSetAvailable: as before",
    ],
    [
      "begins anew with the next rollout",
      {},
      { ...full, conditions: [progressing("NewReplicaSetAvailable", 9999)] },
      half,
      "True NewReplicaSetAvailable: as before",
    ],
    [
      "of a Deployment without a newest ReplicaSet is its own",
      {},
      { readyReplicas: 1, conditions: [] },
      { newest: undefined, old: [testReplicaSet("old")] },
      'True ReplicaSetUpdated: Deployment "web" is progressing.',
    ],
    [
      "is no matter without a deadline",
      { spec: { progressDeadlineSeconds: 2 ** 31 - 1 } },
      { ...halfCounts, conditions: [progressing("ReplicaSetUpdated", 9999)] },
      half,
      "nothing",
    ],
  ])("%s", (_rule, parts, status, revisions, want) => {
    expect(told(computeStatus(testDeployment({ ...parts, status }), revisions, now), "Progressing")).toBe(want);
  });

  it("that goes on moves the time from which the deadline counts, and not the time since when it goes on", () => {
    const status = { ...halfCounts, readyReplicas: 2, conditions: [progressing("ReplicaSetUpdated", 60)] };
    const found = computeStatus(testDeployment({ status }), half, now).conditions?.find(
      ({ type }) => type === "Progressing",
    );
    expect([found?.lastUpdateTime, found?.lastTransitionTime]).toEqual([ago(0), ago(60)]);
  });
});

describe("the time until the deadline", () => {
  it.each<[string, DeploymentParts, DeploymentStatus, number | undefined]>([
    ["counts from the last progress", {}, { ...halfCounts, conditions: [progressing("ReplicaSetUpdated", 100)] }, 501],
    [
      "does not matter when all is done",
      {},
      { ...full, conditions: [progressing("NewReplicaSetAvailable", 100)] },
      undefined,
    ],
    [
      "does not matter when it has passed",
      {},
      { ...halfCounts, conditions: [progressing("ProgressDeadlineExceeded", 1, "False")] },
      undefined,
    ],
    [
      "does not matter while paused",
      { spec: { paused: true } },
      { ...halfCounts, conditions: [progressing("DeploymentPaused", 1, "Unknown")] },
      undefined,
    ],
    ["does not matter before anything was told", {}, halfCounts, undefined],
    [
      "does not matter when the rollout was over and Pods have failed since",
      {},
      { ...halfCounts, conditions: [progressing("NewReplicaSetAvailable", 1000)] },
      undefined,
    ],
    [
      "does not matter to a Deployment that goes",
      { metadata: { deletionTimestamp: ago(1) } },
      { ...halfCounts, conditions: [progressing("ReplicaSetUpdated", 1000)] },
      undefined,
    ],
    [
      "is looked at again in a second when it has passed and nothing was said about it",
      {},
      { ...halfCounts, conditions: [progressing("ReplicaSetUpdated", 1000)] },
      1,
    ],
  ])("%s", (_rule, parts, status, want) => {
    expect(untilDeadline(testDeployment(parts), status, now)).toBe(want === undefined ? undefined : seconds(want));
  });
});

it.each<[string, boolean, DeploymentCondition | undefined, string]>([
  ["begins", true, progressing("ReplicaSetUpdated", 5), "Unknown DeploymentPaused: Deployment is paused"],
  ["begins before anything was told", true, undefined, "Unknown DeploymentPaused: Deployment is paused"],
  ["goes on", true, progressing("DeploymentPaused", 5, "Unknown"), "Unknown DeploymentPaused: as before"],
  ["ends", false, progressing("DeploymentPaused", 5, "Unknown"), "Unknown DeploymentResumed: Deployment is resumed"],
  ["never was", false, progressing("ReplicaSetUpdated", 5), "True ReplicaSetUpdated: as before"],
  [
    "does not hide a failure",
    true,
    progressing("ProgressDeadlineExceeded", 5, "False"),
    "False ProgressDeadlineExceeded: as before",
  ],
])("a pause that %s", (_what, paused, condition, want) => {
  const deployment = testDeployment({
    spec: { paused },
    status: { conditions: condition === undefined ? [] : [condition] },
  });
  expect(told({ conditions: withPause(deployment, now) }, "Progressing")).toBe(want);
});

it("a ReplicaSet's failure is the Deployment's, the newest one's before others, and goes with it", () => {
  const failing = (reason: string) => ({
    conditions: [{ type: "ReplicaFailure", status: "True" as const, reason, message: "no" }],
  });
  const bad = testReplicaSet("new", { status: failing("FailedCreate") });
  const old = [testReplicaSet("old", { status: failing("FailedDelete") })];
  const both = computeStatus(testDeployment(), { newest: bad, old }, now);
  expect(told(both, "ReplicaFailure")).toBe("True FailedCreate: no");
  expect(told(computeStatus(testDeployment(), { newest: testReplicaSet("new"), old }, now), "ReplicaFailure")).toBe(
    "True FailedDelete: no",
  );
  expect(told(computeStatus(testDeployment({ status: both }), onlyNew, now), "ReplicaFailure")).toBe("nothing");
});
