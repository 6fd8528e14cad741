import { beforeEach, expect, it } from "vitest";
import { millis, seconds } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { VirtualClock, virtualEpoch } from "../simulation/virtual-clock.ts";
import { Controller, type ControllerFailure, type ReconcileOutcome, done, keyOf, splitKey } from "./controller.ts";

let clock: VirtualClock;
let failures: ControllerFailure[];

beforeEach(() => {
  clock = new VirtualClock(settle);
  failures = [];
});

function start(reconcile: (key: string) => Promise<ReconcileOutcome>, concurrency = 1): Controller {
  const onFailure = (failure: ControllerFailure): void => void failures.push(failure);
  const controller = new Controller({ name: "test", clock, reconcile, concurrency, onFailure });
  controller.start();
  return controller;
}

it("comes back after the wait that a turn asked for", async () => {
  const turns: number[] = [];
  const controller = start(() => {
    turns.push(clock.now() - virtualEpoch);
    return Promise.resolve(turns.length < 3 ? { kind: "after", wait: seconds(10) } : done);
  });
  controller.queue.add("a");
  await clock.advance(seconds(60));
  expect(turns).toEqual([0, 10_000, 20_000]);
});

it("retries a failed or throwing turn with growing waits, and reports each", async () => {
  const turns: number[] = [];
  const controller = start(() => {
    turns.push(clock.now() - virtualEpoch);
    if (turns.length === 1) throw new Error("broken");
    return Promise.resolve(turns.length === 2 ? { kind: "failed", error: new Error("refused") } : done);
  });
  controller.queue.add("a");
  await clock.advance(seconds(1));
  expect(turns).toEqual([0, 5, 15]);
  expect(failures.map(({ key, error, retryAfter }) => [key, String(error), retryAfter])).toEqual([
    ["a", "Error: broken", 5],
    ["a", "Error: refused", 10],
  ]);
  expect(controller.queue.failuresOf("a")).toBe(0);
});

it("works on as many keys at once as it was told, and never twice on one", async () => {
  const running: string[] = [];
  const seen: string[] = [];
  const controller = start(async (key) => {
    running.push(key);
    seen.push([...running].sort().join(""));
    await clock.sleep(seconds(1));
    running.splice(running.indexOf(key), 1);
    return done;
  }, 2);
  for (const key of ["a", "b", "c"]) controller.queue.add(key);
  await clock.advance(millis(500));
  controller.queue.add("a"); // while it is being worked on
  await clock.advance(seconds(10));
  expect(seen).toEqual(["a", "ab", "bc", "ac"]);
});

it("stops after the turn in progress", async () => {
  let finished = false;
  const controller = start(async () => {
    await clock.sleep(seconds(5));
    finished = true;
    return { kind: "after", wait: seconds(1) };
  });
  controller.queue.add("a");
  await clock.advance(seconds(1));
  const stopped = controller.stop();
  await clock.advance(seconds(4));
  await stopped;
  expect(finished).toBe(true);
  expect(clock.nextDue()).toBeUndefined();
});

it.each([
  ["default/web", { name: "web", namespace: "default" }],
  ["node-a", { name: "node-a" }],
])("calls an object %s", (key, metadata) => {
  expect(keyOf({ metadata })).toBe(key);
  expect(splitKey(key)).toEqual(metadata);
});
