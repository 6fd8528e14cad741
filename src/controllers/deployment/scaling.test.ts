import { describe, expect, it } from "vitest";
import type { Resize } from "./rolling-update.ts";
import { planScaling, wasScaled } from "./scaling.ts";
import { type ReplicaSetParts, testDeployment, testReplicaSet } from "../../../test/fakes/deployments.ts";

const sizes = (resizes: readonly Resize[]): Record<string, number> =>
  Object.fromEntries(resizes.map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas]));

describe("a Deployment", () => {
  it.each<[string, ReplicaSetParts, boolean]>([
    ["whose ReplicaSet was made for its size was not scaled", { madeFor: [3, 4] }, false],
    ["whose ReplicaSet was made for another size was scaled", { madeFor: [5, 7] }, true],
    ["whose ReplicaSet does not say for what it was made was not scaled", {}, false],
    ["whose ReplicaSet is empty was not scaled, whatever that one says", { replicas: 0, madeFor: [5, 7] }, false],
  ])("%s", (_what, parts, want) => {
    expect(wasScaled(testDeployment(), { newest: testReplicaSet("new", parts), old: [] })).toBe(want);
    expect(wasScaled(testDeployment(), { newest: undefined, old: [testReplicaSet("old", parts)] })).toBe(want);
  });
});

interface Case {
  readonly replicas: number;
  readonly newest?: ReplicaSetParts;
  readonly old?: readonly ReplicaSetParts[];
  readonly surge?: number;
  readonly recreate?: true;
  readonly want: Readonly<Record<string, number>>;
}

it.each<[string, Case]>([
  ["the only ReplicaSet gets the whole size", { replicas: 5, newest: { replicas: 3 }, want: { newest: 5 } }],
  [
    "so does an old one that is alone",
    { replicas: 5, newest: { replicas: 0 }, old: [{ replicas: 3 }], want: { o: 5 } },
  ],
  [
    "when all are empty the newest gets it",
    { replicas: 5, newest: { replicas: 0 }, old: [{ replicas: 0 }], want: { newest: 5 } },
  ],
  [
    "when all are empty and none is new the youngest gets it",
    { replicas: 5, old: [{ replicas: 0 }, { replicas: 0 }], want: { oo: 5 } },
  ],
  [
    "a size that stays is written down all the same",
    { replicas: 3, newest: { replicas: 3, madeFor: [5, 6] }, want: { newest: 3 } },
  ],
  [
    "when the newest is complete the old ones go",
    { replicas: 3, newest: { replicas: 3, madeFor: [3, 4] }, old: [{ replicas: 1 }], want: { o: 0 } },
  ],
  [
    "in the middle of a rollout all grow in proportion, the largest first",
    {
      replicas: 15,
      surge: 3,
      newest: { replicas: 5, madeFor: [10, 13] },
      old: [{ replicas: 8, madeFor: [10, 13] }],
      want: { newest: 7, o: 11 },
    },
  ],
  [
    "in the middle of a rollout all shrink in proportion",
    {
      replicas: 5,
      surge: 3,
      newest: { replicas: 5, madeFor: [10, 13] },
      old: [{ replicas: 8, madeFor: [10, 13] }],
      want: { newest: 3, o: 5 },
    },
  ],
  [
    "of equals the newer one grows first",
    {
      replicas: 6,
      surge: 1,
      newest: { replicas: 2, madeFor: [3, 4] },
      old: [{ replicas: 2, madeFor: [3, 4] }],
      want: { newest: 4, o: 3 },
    },
  ],
  [
    "scaled to nothing nobody keeps anything",
    {
      replicas: 0,
      newest: { replicas: 1, madeFor: [3, 4] },
      old: [{ replicas: 3, madeFor: [3, 4] }],
      want: { newest: 0, o: 0 },
    },
  ],
  [
    "a Recreate with two sorts of Pods has no proportions to keep",
    { replicas: 5, recreate: true, newest: { replicas: 1 }, old: [{ replicas: 2 }], want: {} },
  ],
])("%s", (_rule, { replicas, newest, old = [], surge, recreate, want }) => {
  const deployment = testDeployment({
    spec: { replicas, ...(recreate && { strategy: { type: "Recreate" } }) },
    ...(surge !== undefined && { surge }),
  });
  const revisions = {
    newest: newest === undefined ? undefined : testReplicaSet("newest", newest),
    old: old.map((parts, index) => testReplicaSet("o".repeat(index + 1), parts)),
  };
  expect(sizes(planScaling(deployment, revisions))).toEqual(want);
});
