import { expect, it } from "vitest";
import { millis, seconds } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { RunawayError, VirtualClock, virtualEpoch } from "./virtual-clock.ts";

const make = () => new VirtualClock(settle);
const sinceEpoch = (clock: VirtualClock): number => clock.now() - virtualEpoch;

it("wakes a loop of ten-second sleeps at 10, 20 and 30 s when a minute passes at once", async () => {
  const clock = make();
  const woke: number[] = [];
  const loop = (async () => {
    for (let turn = 0; turn < 3; turn++) {
      await clock.sleep(seconds(10));
      woke.push(sinceEpoch(clock));
    }
  })();
  await clock.advance(seconds(60));
  await loop;
  expect(woke).toEqual([10_000, 20_000, 30_000]);
  expect(sinceEpoch(clock)).toBe(60_000);
});

it("fires timers due at the same instant in the order they were set", async () => {
  const clock = make();
  const fired: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) clock.setTimer(seconds(1), () => fired.push(name));
  await clock.advance(seconds(1));
  expect(fired).toEqual(["a", "b", "c", "d", "e"]);
});

it("settles chains of promises between two timers of the same instant", async () => {
  const clock = make();
  const log: string[] = [];
  clock.setTimer(seconds(1), () => {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => undefined)
      .then(() => log.push("chain of the first"));
  });
  clock.setTimer(seconds(1), () => log.push("second"));
  await clock.advance(seconds(1));
  expect(log).toEqual(["chain of the first", "second"]);
});

it("does not fire a cancelled timer", async () => {
  const clock = make();
  let fired = false;
  const timer = clock.setTimer(seconds(1), () => {
    fired = true;
  });
  timer.cancel();
  await clock.advance(seconds(2));
  expect(fired).toBe(false);
  expect(clock.nextDue()).toBeUndefined();
});

it("rejects a sleep with the signal's reason as soon as it is aborted", async () => {
  const clock = make();
  const abort = new AbortController();
  const slept = clock.sleep(seconds(10), abort.signal).catch((reason: unknown) => reason);
  abort.abort(new Error("no longer needed"));
  expect(await slept).toEqual(new Error("no longer needed"));
  expect(sinceEpoch(clock)).toBe(0);
});

it("stops at the moment a condition becomes true, or at the limit", async () => {
  const clock = make();
  let ready = false;
  clock.setTimer(seconds(7), () => {
    ready = true;
  });
  expect(await clock.advanceUntil(() => ready, seconds(60))).toBe(true);
  expect(sinceEpoch(clock)).toBe(7_000);
  expect(await clock.advanceUntil(() => false, seconds(5))).toBe(false);
  expect(sinceEpoch(clock)).toBe(12_000);
});

it("names who keeps rescheduling when time stands still", async () => {
  const clock = make();
  const again = (): void => {
    clock.setTimer(millis(0), again, "relist of node-a");
  };
  again();
  const advanced = clock.advance(seconds(1));
  await expect(advanced).rejects.toThrow(RunawayError);
  await expect(advanced).rejects.toThrow(/relist of node-a/);
});

it("names who goes on and on between two timers", async () => {
  const clock = make();
  const loop = (async () => {
    while (clock.mayGoOn(() => "status of node-a")) await Promise.resolve();
  })();
  const advanced = clock.advance(seconds(1));
  await expect(advanced).rejects.toThrow(RunawayError);
  await expect(advanced).rejects.toThrow(/100000 calls .*status of node-a/);
  await loop;
});

it("counts anew after every timer", async () => {
  const clock = new VirtualClock(settle, virtualEpoch, 10);
  for (let turn = 0; turn < 5; turn++) {
    for (let call = 0; call < 10; call++) expect(clock.mayGoOn(() => "busy")).toBe(true);
    await clock.advance(seconds(1));
  }
  expect(sinceEpoch(clock)).toBe(5_000);
});

it("keeps order over thousands of timers set in any order", async () => {
  const clock = make();
  const fired: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const due = (i * 7919) % 1000;
    clock.setTimer(millis(due), () => fired.push(due));
  }
  await clock.advance(seconds(1));
  expect(fired).toEqual([...fired].sort((a, b) => a - b));
  expect(fired).toHaveLength(2000);
});
