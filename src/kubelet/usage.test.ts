import { describe, expect, it } from "vitest";
import { after, type Instant, seconds } from "../base/time.ts";
import { remembered, type UsageSample, usageOf } from "./usage.ts";

const zero = 1_000_000 as Instant;
/** A look after so many seconds, by when so many seconds of a core had been used. */
const look = (at: number, coreSeconds: number, memoryBytes = 0): UsageSample => ({
  at: after(zero, seconds(at)),
  cpuNanoSeconds: BigInt(Math.round(coreSeconds * 1e9)),
  memoryBytes,
});

describe("usage between two looks", () => {
  it.each<[string, readonly UsageSample[], number | undefined, { cores: number; window: number } | undefined]>([
    ["is unknown after one look", [], undefined, undefined],
    ["is unknown when the looks are too close", [look(99.5, 10)], undefined, undefined],
    [
      "is what was used from one to the other, by their distance",
      [look(85, 2.5)],
      undefined,
      { cores: 0.5, window: 15 },
    ],
    [
      "is told of the youngest look that is ten seconds old",
      [look(70, 0), look(85, 2.5), look(95, 9)],
      undefined,
      { cores: 0.5, window: 15 },
    ],
    [
      "is told of a shorter time if there is nothing older",
      [look(95, 9), look(98, 9.5)],
      undefined,
      { cores: 0.2, window: 5 },
    ],
    ["does not reach back beyond a minute", [look(30, 0)], undefined, undefined],
    ["begins with the container", [], 80, { cores: 0.5, window: 20 }],
    ["does not go by the beginning of a container that is old", [], 10, undefined],
    ["ignores a look at counters that have fallen since", [look(80, 11)], undefined, undefined],
  ])("%s", (_what, earlier, startedSecond, expected) => {
    const startedAt = startedSecond === undefined ? undefined : after(zero, seconds(startedSecond));
    const usage = usageOf(earlier, look(100, 10, 77), startedAt);
    expect(usage && { cores: Number(usage.cpuNanoCores) / 1e9, window: usage.window / 1000 }).toEqual(expected);
    const { at, memoryBytes } = usage ?? {};
    expect([at, memoryBytes]).toEqual(
      expected === undefined ? [undefined, undefined] : [after(zero, seconds(100)), 77],
    );
  });
});

describe("what is remembered for the next look", () => {
  it("is everything of the last minute, and no look twice", () => {
    const samples = [look(30, 0), look(45, 1), look(90, 2)];
    expect(remembered(samples, look(100, 3))).toEqual([look(45, 1), look(90, 2), look(100, 3)]);
    expect(remembered(samples, look(90, 2))).toEqual(samples);
  });
});
