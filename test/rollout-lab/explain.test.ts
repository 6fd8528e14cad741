import { describe, expect, it } from "vitest";
import type { Instant } from "../../src/base/time.ts";
import { millis } from "../../src/base/time.ts";
import type { LifeEntry } from "../../src/timeline/pod-life.ts";
import { explain, type Stage } from "./explain.ts";
import type { Answer, FailureKind, Outcome } from "./open-loop.ts";
import type { PodLife } from "./pod-lives.ts";

const life = (pod: string, ...lines: readonly (readonly [at: number, what: string, detail?: string])[]): PodLife => ({
  pod,
  entries: lines.map(
    ([at, what, detail = ""]): LifeEntry => ({
      at: at as Instant,
      namespace: "default",
      pod,
      uid: pod,
      what,
      detail,
      tone: "plain",
    }),
  ),
});

const outcome = (answer: Answer, from: number, to = from): Outcome => ({
  path: "/",
  intended: from as Instant,
  late: millis(0),
  ended: to as Instant,
  answer,
});

const lives = [
  life(
    "old",
    [0, "Unhealthy", "Readiness probe failed: refused"],
    [0, "Routed"],
    [10_000, "Terminating"],
    [10_020, "Unrouted"],
    [12_000, "Exited", "code 0"],
    [12_100, "Gone"],
  ),
  life("new", [9_000, "Running"], [9_000, "Ready"], [9_010, "Routed"]),
  life(
    "sick",
    [0, "Routed"],
    [20_000, "Unhealthy", "Liveness probe failed: timeout"],
    [21_000, "Exited", "code 137"],
    [23_000, "Ready"],
  ),
];
const answered = ["old", "new", "sick"].map((pod) =>
  outcome({ kind: "ok", pod, detail: "" }, pod === "new" ? 9_500 : 20),
);

describe("a failed request", () => {
  it.each<[kind: FailureKind, at: number, stage: Stage, pods: readonly string[], because: RegExp]>([
    ["refused", 9_200, "starting", ["new"], /before its server listened/],
    ["refused", 10_005, "ending", ["old"], /listened no more/],
    ["reset", 12_000, "ending", ["old"], /process ended \(code 0\)/],
    ["reset", 20_500, "restarting", ["sick"], /Liveness probe failed: timeout/],
    ["refused", 15_000, "unexplained", [], /in lifepod itself/],
  ])("%s at %i ms is %s", (kind, at, stage, pods, because) => {
    const { groups } = explain([...answered, outcome({ kind, detail: "" }, at)], lives);
    expect(groups).toEqual([expect.objectContaining({ kind, stage, pods, count: 1 })]);
    expect(groups[0]?.because).toMatch(because);
  });

  it("is laid to the Pod that answered it, where one did", () => {
    const { perPod, groups } = explain([...answered, outcome({ kind: "5xx", pod: "new", detail: "" }, 9_300)], lives);
    expect([...perPod.keys()]).toEqual(["new"]);
    expect(groups[0]?.because).toMatch(/still said that it could not/);
  });
});

it("failures of one kind in one stage are one group, with their first and last moment", () => {
  const refused: Answer = { kind: "refused", detail: "" };
  const { groups } = explain([...answered, ...[9_020, 9_100, 9_400].map((at) => outcome(refused, at))], lives);
  expect(groups).toEqual([expect.objectContaining({ count: 3, between: [10, 390] })]);
});
