import { describe, expect, it } from "vitest";
import { maxSurgeOf, maxUnavailableOf, resizeNewest, shrinkOld } from "./rolling-update.ts";
import { testDeployment, testReplicaSet } from "../../../test/fakes/deployments.ts";

it.each<[number, number | string, number | string, number, number]>([
  [3, "25%", "25%", 1, 0],
  [10, "25%", "25%", 3, 2],
  [4, 2, 1, 2, 1],
  [3, 0, "10%", 0, 1],
  [3, "0%", 0, 0, 1],
  [2, 0, 5, 0, 2],
  [0, "25%", "25%", 0, 0],
  [1, "100%", "100%", 1, 1],
])(
  "of %i with surge %s and unavailable %s there may be %i more and %i fewer",
  (replicas, surge, unavailable, more, fewer) => {
    const deployment = testDeployment({ spec: { replicas }, surge, unavailable });
    expect([maxSurgeOf(deployment), maxUnavailableOf(deployment)]).toEqual([more, fewer]);
  },
);

it("a Recreate has no room for either", () => {
  const deployment = testDeployment({ spec: { strategy: { type: "Recreate" } } });
  expect([maxSurgeOf(deployment), maxUnavailableOf(deployment)]).toEqual([0, 0]);
});

describe("the newest ReplicaSet", () => {
  it.each<[string, number, readonly number[], number | undefined]>([
    ["grows by the surge beside a full old one", 0, [3], 1],
    ["does not grow while there is no room", 1, [3], undefined],
    ["grows when an old one has given way", 1, [2], 2],
    ["never grows beyond what is wanted", 2, [], 3],
    ["stays at what is wanted", 3, [0], undefined],
    ["shrinks when there is more than wanted", 5, [], 3],
    ["does not grow when there are far too many", 1, [3, 3], undefined],
  ])("%s", (_rule, present, others, want) => {
    const old = others.map((replicas, index) => testReplicaSet("o".repeat(index + 1), { replicas }));
    const resize = resizeNewest(testDeployment(), testReplicaSet("new", { replicas: present }), old);
    expect(resize?.replicas).toBe(want);
  });
});

describe("old ReplicaSets", () => {
  type Size = readonly [replicas: number, available: number];
  it.each<[string, { surge?: number; unavailable?: number }, Size | undefined, readonly Size[], readonly number[]]>([
    ["stay while nothing new is available", {}, [1, 0], [[3, 3]], []],
    ["give way to what is available", {}, [1, 1], [[3, 3]], [2]],
    ["give way at once as far as some may be missing", { surge: 0, unavailable: 2 }, [0, 0], [[3, 3]], [1]],
    ["go when all that is new is available", {}, [3, 3], [[1, 1]], [0]],
    ["lose first what is not available anyway", {}, [1, 1], [[3, 2]], [2]],
    [
      "lose what is broken, the oldest first",
      { unavailable: 1 },
      [0, 0],
      [
        [2, 0],
        [2, 2],
      ],
      [0],
    ],
    [
      "lose only what is not available while too little is",
      {},
      [1, 0],
      [
        [2, 1],
        [2, 2],
      ],
      [1],
    ],
    ["are believed to have no more available than they are to have", {}, [2, 2], [[2, 3]], [1]],
    [
      "lose the oldest's before the younger's",
      {},
      [3, 3],
      [
        [1, 1],
        [1, 1],
      ],
      [0, 0],
    ],
    ["give way without a newest too, as far as some may be missing", { unavailable: 1 }, undefined, [[3, 3]], [2]],
  ])("%s", (_rule, limits, newest, others, want) => {
    const old = others.map(([replicas, available], index) =>
      testReplicaSet("o".repeat(index + 1), { replicas, available }),
    );
    const revisions = {
      newest:
        newest === undefined ? undefined : testReplicaSet("newest", { replicas: newest[0], available: newest[1] }),
      old,
    };
    expect(shrinkOld(testDeployment(limits), revisions).map(({ replicas }) => replicas)).toEqual(want);
  });
});
