import { describe, expect, it } from "vitest";
import type { Pod } from "../../api/index.ts";
import { after, formatTime, type Instant, minutes, seconds } from "../../base/time.ts";
import { type Aim, type PodMetric, replicasFor } from "./replica-calculator.ts";

const now = 1_750_000_000_000 as Instant;

interface Sketch {
  readonly phase?: "Running" | "Pending" | "Failed";
  readonly ready?: boolean;
  /** Minutes since the start. */
  readonly age?: number;
  readonly request?: string;
  readonly deleted?: true;
  /** Millicores in use; not measured if absent. */
  readonly uses?: number;
}

function podOf({ phase = "Running", ready = true, age = 60, request = "100m", deleted }: Sketch, name: string): Pod {
  const startedAt = after(now, minutes(-age));
  return {
    metadata: { name, ...(deleted && { deletionTimestamp: formatTime(now) }) },
    spec: { containers: [{ name: "app", resources: request === "" ? {} : { requests: { cpu: request } } }] },
    status: {
      phase,
      startTime: formatTime(startedAt),
      conditions: [
        {
          type: "Ready",
          status: ready ? "True" : "False",
          lastTransitionTime: formatTime(after(startedAt, seconds(ready ? 5 : 0))),
        },
      ],
    },
  } as unknown as Pod;
}

function ask(sketches: readonly Sketch[], aim: Aim, resource = "cpu") {
  const pods = sketches.map((sketch, index) => podOf(sketch, `p${index}`));
  const metrics = new Map<string, PodMetric>(
    sketches.flatMap(({ uses }, index) =>
      uses === undefined ? [] : [[`p${index}`, { at: now, window: seconds(15), milliValue: uses }] as const],
    ),
  );
  const tolerances = { up: 0.1, down: 0.1 };
  return replicasFor({ currentReplicas: sketches.length, pods, metrics, resource, aim, tolerances, now });
}

const half: Aim = { kind: "utilization", percent: 50 };
const times = (count: number, sketch: Sketch): readonly Sketch[] => Array.from({ length: count }, () => sketch);

describe("the replicas that a metric asks for", () => {
  it.each<[string, readonly Sketch[], Aim, number]>([
    ["stay when the aim is met", times(3, { uses: 50 }), half, 3],
    ["stay within the tolerance", times(3, { uses: 55 }), half, 3],
    ["grow by the ratio, rounded up", times(3, { uses: 60 }), half, 4],
    ["shrink by the ratio, rounded up", times(4, { uses: 15 }), half, 2],
    ["follow an amount as they follow a share", times(2, { uses: 300 }), { kind: "average", milliValue: 100 }, 6],
    ["do not shrink because of a Pod that is not measured", [...times(2, { uses: 10 }), {}], half, 3],
    ["grow less when a Pod is not measured", [...times(2, { uses: 150 }), {}], half, 6],
    ["do not grow for Pods that are starting", [{ uses: 90 }, { uses: 500, ready: false, age: 1 }], half, 2],
    [
      "count no Pod that is waiting to run when they shrink",
      [...times(3, { uses: 10 }), { phase: "Pending" }],
      half,
      1,
    ],
    [
      "ignore Pods that have failed or are ending",
      [{ uses: 100 }, { phase: "Failed" }, { deleted: true, uses: 900 }],
      half,
      2,
    ],
    [
      "count a Pod that became unready long after its start",
      [
        { uses: 100, ready: true },
        { uses: 100, ready: true, age: 9 },
      ],
      half,
      4,
    ],
  ])("%s", (_what, sketches, aim, replicas) => {
    expect(ask(sketches, aim)).toMatchObject({ kind: "replicas", replicas });
  });

  it.each<[string, readonly Sketch[], string]>([
    ["there are no Pods", [], "no pods returned by selector while calculating replica count"],
    ["a container requests nothing", [{ uses: 1, request: "" }], "missing request for cpu in container app of Pod p0"],
    [
      "no Pod that counts is measured",
      [{ ready: false, age: 1, uses: 5 }],
      "did not receive metrics for targeted pods (pods might be unready)",
    ],
  ])("are unknown when %s", (_what, sketches, message) => {
    expect(ask(sketches, half)).toEqual({ kind: "failed", message });
  });

  it("count memory of Pods that are not ready yet", () => {
    const aim: Aim = { kind: "average", milliValue: 100 };
    expect(ask([{ uses: 200, ready: false, age: 1 }], aim, "memory")).toMatchObject({ replicas: 2 });
    expect(ask([{ uses: 200, ready: false, age: 1 }], aim, "cpu")).toMatchObject({ kind: "failed" });
  });
});
