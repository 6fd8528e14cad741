import { beforeEach, describe, expect, it } from "vitest";
import { testNode, testPod } from "../../test/fakes/objects.ts";
import type { Pod } from "../api/index.ts";
import { millis, minutes, seconds } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { VirtualClock, virtualEpoch } from "../simulation/virtual-clock.ts";
import type { ClusterEvent } from "./cluster-event.ts";
import type { FilterPlugin } from "./plugin.ts";
import { type QueuedPod, SchedulingQueue, backOffOf } from "./scheduling-queue.ts";

/** Rejects by name; is woken by nodes and by changed tolerations. */
const choosy: FilterPlugin = {
  name: "Choosy",
  prepare: () => ({ kind: "skip" }),
  wakesOn: (event) => event.kind === "nodeAdded",
  wakesOnPodChange: (changes) => changes.has("tolerations"),
};
const indifferent: FilterPlugin = { ...choosy, name: "Indifferent", wakesOn: () => false };

let clock: VirtualClock;
let queue: SchedulingQueue;

beforeEach(() => {
  clock = new VirtualClock(settle);
  queue = new SchedulingQueue({ clock, filters: [choosy, indifferent] });
});

const take = async (): Promise<QueuedPod> => (await queue.next()) as QueuedPod;
const nodeAdded: ClusterEvent = { kind: "nodeAdded", node: testNode("a") };
const uid = (name: string) => `uid-of-default-${name}`;
const priority = (value: number) => ({ spec: { priority: value } });
const now = () => clock.now() - virtualEpoch;

/** Keeps the queue busy, so that back-offs are waited for. */
async function reject(name: string, by = "Choosy"): Promise<void> {
  const taken = await take();
  expect(taken.pod.metadata.name).toBe(name);
  queue.reject(taken, new Set([by]));
}

it("gives out the highest priority first, then who came first", async () => {
  queue.set(testPod("low", priority(1)));
  queue.set(testPod("first", priority(5)));
  queue.set(testPod("second", priority(5)));
  queue.set(testPod("high", priority(9)));
  const order = [await take(), await take(), await take(), await take()];
  expect(order.map(({ pod }) => pod.metadata.name)).toEqual(["high", "first", "second", "low"]);
});

it("gives the most important of all that one event woke to a scheduler that waits", async () => {
  queue.set(testPod("early", priority(1)));
  await reject("early");
  queue.set(testPod("important", priority(9)));
  await reject("important");
  await clock.advance(minutes(1));
  const waiting = queue.next();
  queue.wake(nodeAdded);
  expect((await waiting)?.pod.metadata.name).toBe("important");
});

it("gives the newest state of a Pod out, and no Pod that was removed", async () => {
  queue.set(testPod("gone"));
  queue.set(testPod("web"));
  queue.set(testPod("web", { labels: { version: "2" } }));
  queue.remove(uid("gone"));
  expect((await take()).pod.metadata.labels).toEqual({ version: "2" });
  expect(queue.counts()).toMatchObject({ active: 0, inHand: 1 });
});

it("waits for a Pod, and sends the taker home when it closes", async () => {
  const waiting = queue.next();
  queue.set(testPod("web"));
  expect((await waiting)?.pod.metadata.name).toBe("web");
  const last = queue.next();
  queue.close();
  expect(await last).toBeUndefined();
  expect(await queue.next()).toBeUndefined();
});

it("keeps a Pod with scheduling gates outside until the last is gone, then tries it at once", async () => {
  const gates = (...names: string[]): Pod =>
    testPod("web", { spec: { schedulingGates: names.map((name) => ({ name })) } });
  queue.set(gates("a", "b"));
  queue.wake(nodeAdded);
  await clock.advance(minutes(10));
  queue.set(gates("b"));
  expect(queue.placeOf(uid("web"))).toBe("gated");
  queue.set(gates());
  expect(queue.placeOf(uid("web"))).toBe("active");
});

describe("a rejected Pod", () => {
  it("waits until something happens that its plugins care about", async () => {
    queue.set(testPod("web"));
    await reject("web");
    await clock.advance(seconds(30));
    queue.wake({ kind: "assignedPodDeleted", pod: testPod("other") });
    expect(queue.placeOf(uid("web"))).toBe("unschedulable");
    queue.wake(nodeAdded);
    expect(queue.placeOf(uid("web"))).toBe("active");
  });

  it("is not woken by what only other plugins care about", async () => {
    queue.set(testPod("web"));
    await reject("web", "Indifferent");
    queue.wake(nodeAdded);
    expect(queue.placeOf(uid("web"))).toBe("unschedulable");
  });

  it("sits out the rest of its back-off when it is woken early", async () => {
    queue.set(testPod("web"));
    await reject("web");
    await clock.advance(millis(300));
    queue.wake(nodeAdded);
    expect(queue.placeOf(uid("web"))).toBe("backOff");
    await clock.advance(millis(699));
    expect(queue.placeOf(uid("web"))).toBe("backOff");
    await clock.advance(millis(1));
    expect(queue.placeOf(uid("web"))).toBe("active");
  });

  it("is tried before its back-off is over when nobody else waits", async () => {
    queue.set(testPod("web"));
    await reject("web");
    queue.wake(nodeAdded);
    expect((await take()).pod.metadata.name).toBe("web");
    expect(now()).toBe(0);
    expect(clock.nextDue()).toBeGreaterThan(clock.now() + 1000); // its back-off timer is called off
  });

  it("does not pass those who wait, though its priority be higher", async () => {
    queue.set(testPod("important", priority(9)));
    await reject("important");
    queue.set(testPod("usual"));
    queue.wake(nodeAdded);
    expect((await take()).pod.metadata.name).toBe("usual");
  });

  it("is tried again after five minutes whatever happens", async () => {
    queue.set(testPod("web"));
    await reject("web", "Indifferent");
    await clock.advance(minutes(2));
    queue.set(testPod("later"));
    await reject("later", "Indifferent");
    await clock.advance(minutes(3));
    expect([queue.placeOf(uid("web")), queue.placeOf(uid("later"))]).toEqual(["active", "unschedulable"]);
    await clock.advance(minutes(2));
    expect(queue.placeOf(uid("later"))).toBe("active");
  });

  it("is tried again when it changes in a way that its plugins care about", async () => {
    queue.set(testPod("web"));
    await reject("web");
    await clock.advance(seconds(10));
    queue.set(testPod("web", { status: { message: "still waiting" } }));
    queue.set(testPod("web", { labels: { version: "2" } }));
    expect(queue.placeOf(uid("web"))).toBe("unschedulable");
    queue.set(testPod("web", { spec: { tolerations: [{ operator: "Exists" }] } }));
    expect(queue.placeOf(uid("web"))).toBe("active");
  });
});

describe("a Pod whose attempt broke", () => {
  it("is tried again after its back-off, not earlier even if nobody else waits", async () => {
    queue.set(testPod("web"));
    queue.fail(await take(), "error");
    const next = queue.next();
    await clock.advance(millis(999));
    expect(queue.placeOf(uid("web"))).toBe("backOff");
    queue.wake(nodeAdded);
    expect(queue.placeOf(uid("web"))).toBe("backOff");
    await clock.advance(millis(1));
    expect((await next)?.errors).toBe(1);
  });

  it("is tried as soon as there is a node, if there was none", async () => {
    queue.set(testPod("web"));
    queue.fail(await take(), "noNodes");
    await clock.advance(millis(10));
    queue.wake(nodeAdded);
    expect(queue.placeOf(uid("web"))).toBe("active");
  });

  it("cannot come back if it was removed meanwhile", async () => {
    queue.set(testPod("web"));
    const taken = await take();
    queue.remove(taken.uid);
    queue.fail(taken, "error");
    queue.reject(taken, new Set(["Choosy"]));
    await clock.advance(minutes(10));
    expect(queue.counts()).toMatchObject({ active: 0, backOff: 0, unschedulable: 0 });
  });
});

it.each([
  [0, 0, 0],
  [1, 0, 1],
  [2, 0, 2],
  [3, 0, 4],
  [4, 0, 8],
  [5, 0, 10],
  [50, 0, 10],
  [5, 1, 1],
  [0, 3, 4],
])("after %i rejections and %i errors in a row the back-off is %i s", (rejections, errors, want) => {
  expect(backOffOf({ rejections, errors })).toBe(seconds(want));
});

it("leaves no timer behind when it closes", async () => {
  for (const name of ["a", "b", "c"]) queue.set(testPod(name));
  await reject("a");
  queue.fail(await take(), "error");
  queue.close();
  expect(clock.nextDue()).toBeUndefined();
});
