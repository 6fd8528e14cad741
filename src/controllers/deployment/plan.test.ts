import { describe, expect, it } from "vitest";
import { testPod } from "../../../test/fakes/objects.ts";
import type { Deployment, Pod, ReplicaSet } from "../../api/index.ts";
import { expiredRevisions, planStep } from "./plan.ts";
import { testDeployment, testReplicaSet } from "../../../test/fakes/deployments.ts";
import { revisionsOf } from "./revisions.ts";

const madeFor = [3, 4] as const;

/** `create 1`, `resize new 3`, `scale`, … */
function step(deployment: Deployment, replicaSets: readonly ReplicaSet[], pods: readonly Pod[] = []): string {
  const planned = planStep({ deployment, revisions: revisionsOf(deployment, replicaSets), podsOf: () => pods });
  const sizes = (list: readonly { readonly replicaSet: ReplicaSet; readonly replicas: number }[]): string =>
    list.map(({ replicaSet, replicas }) => ` ${replicaSet.metadata.name} ${replicas}`).join("");
  const removed = (list: readonly ReplicaSet[]): string => list.map(({ metadata }) => ` -${metadata.name}`).join("");
  switch (planned.kind) {
    case "leave":
      return "leave";
    case "create":
      return `create ${planned.replicaSet.spec.replicas}`;
    case "sync":
      return `sync ${planned.replicaSet.metadata.name}`;
    case "resize":
      return `resize${sizes(planned.resizes)}`;
    case "scale":
      return `scale${sizes(planned.resizes)}${removed(planned.remove)}`;
    case "settle":
      return `settle${removed(planned.remove)}`;
  }
}

const complete = { observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
const newest = (parts: Parameters<typeof testReplicaSet>[1] = {}): ReplicaSet =>
  testReplicaSet("new", { revision: "2", madeFor, ...parts });
const old = (parts: Parameters<typeof testReplicaSet>[1] = {}): ReplicaSet =>
  testReplicaSet("o", { image: "web:0", revision: "1", madeFor, ...parts });

describe("a rolling Deployment", () => {
  it.each<[string, Deployment, readonly ReplicaSet[], string]>([
    ["without ReplicaSets makes one of the full size", testDeployment(), [], "create 3"],
    ["with an old one makes one as large as the surge lets it", testDeployment(), [old()], "create 1"],
    [
      "with an old one and no surge makes an empty one",
      testDeployment({ surge: 0, unavailable: 1 }),
      [old()],
      "create 0",
    ],
    ["first brings the newest up to date", testDeployment(), [newest({ revision: "1" }), old()], "sync new"],
    [
      "lets the newest grow before the old one shrinks",
      testDeployment(),
      [newest({ replicas: 1 }), old({ replicas: 2 })],
      "resize new 2",
    ],
    [
      "lets the old one shrink when the newest is available",
      testDeployment(),
      [newest({ replicas: 1 }), old()],
      "resize o 2",
    ],
    ["waits for what is not available yet", testDeployment(), [newest({ replicas: 1, available: 0 }), old()], "settle"],
    ["has nothing to do when all is done", testDeployment(), [newest(), old({ replicas: 0 })], "settle"],
    [
      "that is going does nothing",
      testDeployment({ metadata: { deletionTimestamp: "2025-01-01T00:00:00Z" } }),
      [],
      "leave",
    ],
    ["that was scaled spreads its size first", testDeployment({ spec: { replicas: 5 } }), [newest()], "scale new 5"],
    ["that is paused makes nothing new", testDeployment({ spec: { paused: true } }), [old()], "scale o 3"],
    ["that is paused is scaled", testDeployment({ spec: { paused: true, replicas: 4 } }), [old()], "scale o 4"],
  ])("%s", (_rule, deployment, replicaSets, want) => {
    expect(step(deployment, replicaSets)).toBe(want);
  });

  it("lets old revisions go when the rollout is over, and not before", () => {
    const spec = { revisionHistoryLimit: 0 };
    const sets = [newest(), old({ replicas: 0 })];
    expect(step(testDeployment({ spec, status: complete }), sets)).toBe("settle -o");
    expect(step(testDeployment({ spec }), sets)).toBe("settle");
    expect(step(testDeployment({ spec: { ...spec, paused: true } }), sets)).toBe("scale new 3 -o");
  });
});

describe("a Deployment that recreates", () => {
  const recreating = testDeployment({ spec: { strategy: { type: "Recreate" } } });
  const ended = testPod("p", { status: { phase: "Succeeded" } });
  it.each<[string, readonly ReplicaSet[], readonly Pod[], string]>([
    ["first ends everything old", [old()], [], "resize o 0"],
    ["waits while the old one reports Pods", [old({ replicas: 0, status: { replicas: 2 } })], [], "settle"],
    ["waits while an old Pod is still ending", [old({ replicas: 0 })], [testPod("p")], "settle"],
    ["does not wait for Pods that have ended", [old({ replicas: 0 })], [ended], "create 3"],
    ["begins at once when there is nothing old", [], [], "create 3"],
    ["lets the newest grow to its full size", [newest({ replicas: 0 }), old({ replicas: 0 })], [], "resize new 3"],
    ["has nothing to do when all is done", [newest(), old({ replicas: 0 })], [], "settle"],
  ])("%s", (_rule, replicaSets, pods, want) => {
    expect(step(recreating, replicaSets, pods)).toBe(want);
  });

  it("ends what is old also when it was scaled meanwhile", () => {
    const scaled = testDeployment({ spec: { strategy: { type: "Recreate" }, replicas: 5 } });
    expect(step(scaled, [newest({ replicas: 1 }), old()])).toBe("resize o 0");
  });
});

it.each<[string, number, readonly ReplicaSet[], readonly string[]]>([
  ["within the limit all stay", 2, [old({ replicas: 0 })], []],
  [
    "beyond it the oldest revisions go",
    1,
    [
      testReplicaSet("c", { replicas: 0, revision: "3" }),
      testReplicaSet("a", { replicas: 0, revision: "1" }),
      testReplicaSet("b", { replicas: 0, revision: "2" }),
    ],
    ["a", "b"],
  ],
  ["one that has replicas stays", 0, [old()], []],
  ["one that reports Pods stays", 0, [old({ replicas: 0, status: { replicas: 1 } })], []],
  ["one that has not seen its size yet stays", 0, [old({ replicas: 0, status: { observedGeneration: 0 } })], []],
])("of the old revisions, %s", (_rule, revisionHistoryLimit, sets, want) => {
  const expired = expiredRevisions(testDeployment({ spec: { revisionHistoryLimit } }), sets);
  expect(expired.map(({ metadata }) => metadata.name)).toEqual(want);
});
