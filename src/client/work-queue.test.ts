import { beforeEach, expect, it } from "vitest";
import { millis, seconds } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { VirtualClock } from "../simulation/virtual-clock.ts";
import { WorkQueue } from "./work-queue.ts";

let clock: VirtualClock;
let queue: WorkQueue;

beforeEach(() => {
  clock = new VirtualClock(settle);
  queue = new WorkQueue({ clock, name: "test" });
});

it("hands a key out once, however often it was added", async () => {
  queue.add("a");
  queue.add("a");
  queue.add("b");
  expect(await queue.next()).toBe("a");
  expect(await queue.next()).toBe("b");
  expect(queue.length).toBe(0);
});

it("never has one key in two hands, and hands it out again after done if it was added meanwhile", async () => {
  queue.add("a");
  await queue.next();
  queue.add("a");
  queue.add("a");
  let taken: string | undefined;
  void queue.next().then((key) => {
    taken = key;
  });
  await settle();
  expect(taken).toBeUndefined();

  queue.done("a");
  await settle();
  expect(taken).toBe("a");
  queue.done("a");
  expect(queue.length).toBe(0);
});

it("gives waiting takers keys in the order in which they asked", async () => {
  const first = queue.next();
  const second = queue.next();
  queue.add("a");
  queue.add("b");
  expect(await Promise.all([first, second])).toEqual(["a", "b"]);
});

it("adds a key after its wait, the soonest of several", async () => {
  queue.addAfter("a", seconds(10));
  queue.addAfter("a", seconds(3));
  queue.addAfter("a", seconds(5));
  await clock.advance(millis(2999));
  expect(queue.length).toBe(0);
  await clock.advance(millis(1));
  expect(queue.length).toBe(1);
  await queue.next();
  queue.done("a");
  await clock.advance(seconds(60));
  expect(queue.length).toBe(0);
});

it("doubles the wait with each failure up to the longest, and starts over when told to forget", () => {
  const waits = Array.from({ length: 20 }, () => queue.addRateLimited("a"));
  expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
  expect(waits.at(-1)).toBe(1_000_000);
  expect(queue.failuresOf("a")).toBe(20);
  queue.forget("a");
  expect(queue.addRateLimited("a")).toBe(5);
});

it("shuts down after what waits and what is in hand, and drops what is delayed", async () => {
  queue.add("a");
  queue.add("b");
  queue.addAfter("c", seconds(1));
  await queue.next();
  let ended = false;
  void queue.shutDown().then(() => {
    ended = true;
  });
  queue.add("late");

  expect(await queue.next()).toBe("b");
  queue.done("a");
  await settle();
  expect(ended).toBe(false);
  queue.done("b");
  await settle();
  expect(ended).toBe(true);
  expect(await queue.next()).toBeUndefined();
  expect(clock.nextDue()).toBeUndefined();
});

it("sends takers home when it shuts down", async () => {
  const taker = queue.next();
  await queue.shutDown();
  expect(await taker).toBeUndefined();
});
