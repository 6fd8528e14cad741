import { describe, expect, it } from "vitest";
import type { HPAScalingRules } from "../../api/generated/autoscaling-v2.ts";
import { after, type Instant, seconds } from "../../base/time.ts";
import { limitMove, noPast, type Past, remember, rememberChange } from "./limits.ts";

const now = 1_750_000_000_000 as Instant;
const ago = (wait: number): Instant => after(now, seconds(-wait));

const podsPerMinute = (value: number, more: Partial<HPAScalingRules> = {}): HPAScalingRules => ({
  policies: [{ type: "Pods", value, periodSeconds: 60 }],
  selectPolicy: "Max",
  stabilizationWindowSeconds: 0,
  ...more,
});

const recommended = (...entries: readonly (readonly [seconds: number, replicas: number])[]): Past => ({
  ...noPast,
  recommendations: entries.map(([wait, replicas]) => ({ at: ago(wait), replicas })),
});

const both = (rules: HPAScalingRules) => ({ scaleUp: rules, scaleDown: rules });

describe("a move without a behavior", () => {
  it.each([
    ["is as it is wanted", 4, 6, noPast, 6, "ReadyForNewScale", "DesiredWithinRange"],
    ["doubles at most", 4, 20, noPast, 8, "ReadyForNewScale", "ScaleUpLimit"],
    ["goes to four at once from few", 1, 20, noPast, 4, "ReadyForNewScale", "ScaleUpLimit"],
    ["goes no further than the most", 8, 20, noPast, 10, "ReadyForNewScale", "TooManyReplicas"],
    ["goes no further than the least", 4, 1, noPast, 2, "ReadyForNewScale", "TooFewReplicas"],
    [
      "goes down by the highest of five minutes",
      8,
      3,
      recommended([290, 6], [310, 9]),
      6,
      "ScaleDownStabilized",
      "DesiredWithinRange",
    ],
    ["goes down when the high ones are old", 8, 3, recommended([310, 9]), 3, "ReadyForNewScale", "DesiredWithinRange"],
  ] as const)("%s", (_what, current, desired, past, replicas, able, limited) => {
    const moved = limitMove({ current, desired, min: 2, max: 10, past, now });
    expect([moved.replicas, moved.able.reason, moved.limited.reason]).toEqual([replicas, able, limited]);
    expect(moved.limited.isLimited).toBe(limited !== "DesiredWithinRange");
  });
});

describe("a move with a behavior", () => {
  const changed: Past = {
    ...noPast,
    up: [
      { at: ago(30), by: 2 },
      { at: ago(70), by: 5 },
    ],
  };
  const lowered: Past = { ...noPast, down: [{ at: ago(30), by: 1 }] };
  const percent: HPAScalingRules = podsPerMinute(4, {
    policies: [
      { type: "Pods", value: 4, periodSeconds: 60 },
      { type: "Percent", value: 50, periodSeconds: 60 },
    ],
  });
  it.each([
    ["grows by what its policy allows", 10, 90, podsPerMinute(3), noPast, 13, "ScaleUpLimit"],
    ["counts what came within the period", 10, 90, podsPerMinute(3), changed, 11, "ScaleUpLimit"],
    ["stays where more came than the policy allows", 10, 90, podsPerMinute(1), changed, 10, "ScaleUpLimit"],
    ["takes the policy that allows most", 10, 90, percent, noPast, 15, "ScaleUpLimit"],
    ["or least, if so chosen", 10, 90, { ...percent, selectPolicy: "Min" }, noPast, 14, "ScaleUpLimit"],
    [
      "does not grow where that is disabled",
      10,
      90,
      podsPerMinute(3, { selectPolicy: "Disabled" }),
      noPast,
      10,
      "ScaleUpLimit",
    ],
    ["shrinks by what its policy allows", 10, 1, podsPerMinute(3), noPast, 7, "ScaleDownLimit"],
    ["counts what went within the period", 10, 1, podsPerMinute(3), lowered, 8, "ScaleDownLimit"],
    ["shrinks by the policy that takes most", 10, 1, percent, noPast, 5, "ScaleDownLimit"],
    ["or least, if so chosen for less", 10, 1, { ...percent, selectPolicy: "Min" }, noPast, 6, "ScaleDownLimit"],
    [
      "does not shrink where that is disabled",
      10,
      1,
      podsPerMinute(3, { selectPolicy: "Disabled" }),
      noPast,
      10,
      "ScaleDownLimit",
    ],
  ] as const)("%s", (_what, current, desired, rules, past, replicas, limited) => {
    const moved = limitMove({ current, desired, min: 1, max: 100, rules: both(rules), past, now });
    expect([moved.replicas, moved.limited.reason]).toEqual([replicas, limited]);
  });

  it("waits for its window in both directions", () => {
    const rules = both(podsPerMinute(50, { stabilizationWindowSeconds: 60 }));
    const up = limitMove({ current: 5, desired: 9, min: 1, max: 100, rules, past: recommended([50, 6], [70, 1]), now });
    expect([up.replicas, up.able.reason]).toEqual([6, "ScaleUpStabilized"]);
    const down = limitMove({ current: 5, desired: 1, min: 1, max: 100, rules, past: recommended([50, 4]), now });
    expect([down.replicas, down.able.reason]).toEqual([4, "ScaleDownStabilized"]);
  });
});

it("remembers an hour", () => {
  const old = rememberChange(remember(noPast, ago(3700), 5), ago(3700), 5, 2);
  expect(remember(old, now, 3)).toEqual({ recommendations: [{ at: now, replicas: 3 }], up: [], down: [] });
  expect(rememberChange(noPast, now, 2, 5).up).toEqual([{ at: now, by: 3 }]);
});
