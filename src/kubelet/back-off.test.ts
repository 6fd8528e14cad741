import { describe, expect, it } from "vitest";
import { aContainer, aPod, at, exited, running, seen } from "../../test/fakes/kubelet-pods.ts";
import { millis, seconds } from "../base/time.ts";
import {
  type BackOffEntry,
  backOffUntil,
  crashBackOffKey,
  formatDuration,
  raisedBackOff,
  restoredBackOff,
} from "./back-off.ts";

it("waits 0, 10, 20, 40, 80, 160, 300, 300 s after each of a container's crashes", () => {
  let entry: BackOffEntry | undefined;
  let finishedAt = at(1);
  const waits: number[] = [];
  for (let crash = 0; crash < 8; crash++) {
    const restartAt = backOffUntil(entry, finishedAt, finishedAt) ?? finishedAt;
    waits.push((restartAt - finishedAt) / 1000);
    entry = raisedBackOff(entry, finishedAt, restartAt);
    finishedAt = (restartAt + seconds(1)) as typeof finishedAt;
  }
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
});

describe("back-off", () => {
  const entry: BackOffEntry = { delay: seconds(40), lastUpdate: at(0) };
  it.each<[string, number, number, number | undefined]>([
    ["runs until its step after the exit is over", 5, 10, 45],
    ["is over at that instant", 5, 45, undefined],
    ["is forgotten after more than ten minutes between start and exit", 601, 601, undefined],
    ["is not forgotten at exactly ten minutes", 600, 601, 640],
    ["counts from the start for an exit that seems to be before it", -3000, 10, 40],
    ["is over for an exit that is yet to come", 500, 10, undefined],
  ])("%s", (_rule, since, now, until) => {
    expect(backOffUntil(entry, at(since), at(now))).toBe(until === undefined ? undefined : at(until));
  });

  it("begins anew with 10 s after it was forgotten", () => {
    expect(raisedBackOff(entry, at(601), at(602))).toEqual({ delay: seconds(10), lastUpdate: at(602) });
  });

  it("has another key when image or resources change", () => {
    const keys = [
      aContainer("c"),
      aContainer({ name: "c", image: "image:2" }),
      aContainer({ name: "c", resources: { limits: { cpu: "1" } } }),
    ];
    expect(new Set(keys.map((container) => crashBackOffKey(aPod(), container))).size).toBe(3);
  });
});

describe("back-off after a restart of the kubelet", () => {
  it.each<[string, Parameters<typeof restoredBackOff>[0], number | undefined]>([
    ["is none for a first instance", [seen("c", running())], undefined],
    ["is 10 s after an immediate restart", [seen("c", running(5), { attempt: 1 }), seen("c", exited(1, 5))], 10],
    [
      "is the step after the pause that was waited",
      [seen("c", exited(1, 60, "Error", 50), { attempt: 4 }), seen("c", exited(1, 8))],
      80,
    ],
    [
      "does not exceed what the number of restarts allows",
      [seen("c", exited(1, 900, "Error", 899), { attempt: 2 }), seen("c", exited(1, 8))],
      20,
    ],
    ["goes by the number of restarts when the instance before is gone", [seen("c", running(100), { attempt: 3 })], 40],
    ["never exceeds five minutes", [seen("c", running(100), { attempt: 30 })], 300],
  ])("%s", (_rule, instances, want) => {
    expect(restoredBackOff(instances)?.delay).toBe(want === undefined ? undefined : seconds(want));
  });
});

it.each([
  [0, "0s"],
  [250, "250ms"],
  [1234, "1.234s"],
  [10_000, "10s"],
  [80_000, "1m20s"],
  [300_000, "5m0s"],
  [3_661_000, "1h1m1s"],
])("prints %d ms as %s", (duration, text) => {
  expect(formatDuration(millis(duration))).toBe(text);
});
