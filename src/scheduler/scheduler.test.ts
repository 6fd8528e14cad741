import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeApiServer } from "../../test/fakes/fake-api-server.ts";
import { testNode, testPod } from "../../test/fakes/objects.ts";
import type { Event, Pod } from "../api/index.ts";
import { conflict, internalError } from "../api/wire/status-error.ts";
import { SeededRandom } from "../base/random.ts";
import { minutes, seconds } from "../base/time.ts";
import { createClient } from "../client/client.ts";
import { createEventRecorder } from "../client/event-recorder.ts";
import { settle } from "../host/settle.ts";
import { VirtualClock } from "../simulation/virtual-clock.ts";
import { type RunningScheduler, startScheduler } from "./scheduler.ts";

let clock: VirtualClock;
let server: FakeApiServer;
let scheduler: RunningScheduler;
let failures: unknown[];

beforeEach(() => {
  clock = new VirtualClock(settle);
  server = new FakeApiServer();
  failures = [];
});
afterEach(() => scheduler.stop());

function start(seed = 1): void {
  const client = createClient({
    transport: server.handle,
    user: { username: "system:kube-scheduler", groups: [] },
    userAgent: "test",
    clock,
  });
  const recorder = createEventRecorder({ client, clock, source: { component: "default-scheduler" } });
  const onFailure = (error: unknown): void => void failures.push(error);
  scheduler = startScheduler({ client, clock, random: new SeededRandom(seed), recorder, onFailure });
}

const podOf = (name: string) => server.get("pods", name, "default") as unknown as Pod;
const nodeNameOf = (name: string) => podOf(name).spec.nodeName;
const scheduledCondition = (name: string) => podOf(name).status.conditions?.find(({ type }) => type === "PodScheduled");
const events = () =>
  (server.all("events") as unknown as Event[]).map(
    ({ count, type, reason, message }) => `${count}x ${type} ${reason} ${message}`,
  );

describe("the scheduler", () => {
  it("binds a Pod and says so", async () => {
    server.put("nodes", testNode("node-a"));
    server.put("pods", testPod("web"));
    start();
    await settle();
    expect(nodeNameOf("web")).toBe("node-a");
    expect(events()).toEqual(["1x Normal Scheduled Successfully assigned default/web to node-a"]);
    expect(scheduler.queueCounts()).toMatchObject({ active: 0, inHand: 0 });
  });

  it("does not put two Pods where one fits, before it has seen the first there", async () => {
    server.put("nodes", testNode("node-a", { allocatable: { cpu: "1" } }));
    start();
    await settle();
    for (const name of ["first", "second"]) server.put("pods", testPod(name, { requests: { cpu: "1" } }));
    await settle();
    expect([nodeNameOf("first"), nodeNameOf("second")]).toEqual(["node-a", undefined]);
    expect(scheduledCondition("second")).toMatchObject({
      status: "False",
      reason: "Unschedulable",
      message:
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: " +
        "1 No preemption victims found for incoming pod.",
      lastTransitionTime: "2025-01-01T00:00:00Z",
    });
  });

  it("schedules the waiting Pod when the other one has finished", async () => {
    server.put("nodes", testNode("node-a", { allocatable: { cpu: "1" } }));
    const running = { nodeName: "node-a" };
    const first = testPod("first", { requests: { cpu: "1" }, spec: running });
    server.put("pods", first);
    server.put("pods", testPod("second", { requests: { cpu: "1" } }));
    start();
    await clock.advance(seconds(30));
    expect(nodeNameOf("second")).toBeUndefined();
    server.put("pods", { ...first, status: { phase: "Succeeded" } });
    await settle();
    expect(nodeNameOf("second")).toBe("node-a");
  });

  it("waits for a node, and takes the first at once", async () => {
    server.put("pods", testPod("web"));
    start();
    await settle();
    expect(scheduledCondition("web")?.message).toBe("no nodes available to schedule pods");
    await clock.advance(seconds(60));
    // At 0, 1, 3, 7, 15, 25, 35, 45 and 55 seconds.
    expect(events()).toEqual(["9x Warning FailedScheduling no nodes available to schedule pods"]);
    server.put("nodes", testNode("node-a"));
    await settle();
    expect(nodeNameOf("web")).toBe("node-a");
  });

  it("writes the condition only when it changes, and keeps the time of the transition", async () => {
    server.put("nodes", testNode("node-a", { unschedulable: true }));
    server.put("pods", testPod("web"));
    start();
    await clock.advance(seconds(1));
    const first = scheduledCondition("web");
    await clock.advance(minutes(6)); // tried once more
    const patches = server.log.filter((line) => line === "PATCH /api/v1/namespaces/default/pods/web/status");
    expect(patches).toHaveLength(1);

    server.put("nodes", testNode("node-b", { taints: [{ key: "x", effect: "NoSchedule" }] }));
    server.put("nodes", testNode("node-a", { taints: [{ key: "x", effect: "NoSchedule" }] }));
    await clock.advance(seconds(1));
    expect(scheduledCondition("web")?.message).toContain("2 node(s) had untolerated taint(s)");
    expect(scheduledCondition("web")?.lastTransitionTime).toBe(first?.lastTransitionTime);
  });

  it("leaves other schedulers' Pods, gated Pods and placed Pods alone", async () => {
    server.put("nodes", testNode("node-a"));
    server.put("pods", testPod("foreign", { spec: { schedulerName: "mine" } }));
    server.put("pods", testPod("gated", { spec: { schedulingGates: [{ name: "wait" }] } }));
    server.put("pods", testPod("placed", { spec: { nodeName: "elsewhere" } }));
    start();
    await clock.advance(minutes(1));
    expect(["foreign", "gated", "placed"].map(nodeNameOf)).toEqual([undefined, undefined, "elsewhere"]);
    expect(events()).toEqual([]);
    server.put("pods", testPod("gated"));
    await settle();
    expect(nodeNameOf("gated")).toBe("node-a");
  });

  it("skips a Pod that is being deleted", async () => {
    server.put("nodes", testNode("node-a"));
    server.put("pods", testPod("web", { deletionTimestamp: "2025-01-01T00:00:00Z" }));
    start();
    await settle();
    expect(nodeNameOf("web")).toBeUndefined();
    expect(events()).toEqual(["1x Warning FailedScheduling skip schedule deleting pod: default/web"]);
  });

  it("frees the place and tries again when the binding is refused", async () => {
    server.put("nodes", testNode("node-a", { allocatable: { cpu: "1" } }));
    server.put("pods", testPod("web", { requests: { cpu: "1" } }));
    let refusals = 0;
    server.fault = ({ path }) => {
      if (!path.endsWith("/binding") || refusals++ > 0) return undefined;
      return server.failure(internalError("storage is busy"));
    };
    start();
    await settle();
    expect(scheduledCondition("web")).toMatchObject({
      reason: "SchedulerError",
      message: 'running Bind plugin "DefaultBinder": Internal error occurred: storage is busy',
    });
    await clock.advance(seconds(1));
    expect(nodeNameOf("web")).toBe("node-a");
  });

  it("accepts that another scheduler was faster", async () => {
    server.put("nodes", testNode("node-a"));
    server.put("pods", testPod("web"));
    server.fault = ({ path }) => {
      if (!path.endsWith("/binding")) return undefined;
      server.put("pods", testPod("web", { spec: { nodeName: "elsewhere" } }));
      return server.failure(conflict({ group: "", resource: "pods/binding" }, "web", "pod web is already assigned"));
    };
    start();
    await clock.advance(minutes(1));
    expect(nodeNameOf("web")).toBe("elsewhere");
    expect(scheduledCondition("web")).toBeUndefined();
    expect(events()).toEqual([]);
  });

  it("goes on when a Pod's amounts cannot be read", async () => {
    server.put("nodes", testNode("node-a"));
    server.put("pods", testPod("broken", { requests: { cpu: "many" }, spec: { priority: 9 } }));
    server.put("pods", testPod("web"));
    start();
    await settle();
    expect(nodeNameOf("web")).toBe("node-a");
    expect(scheduledCondition("broken")?.reason).toBe("SchedulerError");
  });

  it("gives one seed one answer", async () => {
    const place = async (seed: number): Promise<(string | undefined)[]> => {
      clock = new VirtualClock(settle);
      server = new FakeApiServer();
      for (const name of ["a", "b", "c"]) server.put("nodes", testNode(name));
      const names = Array.from({ length: 12 }, (_, index) => `pod-${index}`);
      start(seed);
      for (const name of names) server.put("pods", testPod(name));
      await settle();
      const placed = names.map(nodeNameOf);
      await scheduler.stop();
      return placed;
    };
    const once = await place(7);
    expect(await place(7)).toEqual(once);
    expect(once).not.toContain(undefined);
    expect(await place(8)).not.toEqual(once);
  });

  it("is silent after stop", async () => {
    start();
    await settle();
    await scheduler.stop();
    server.put("nodes", testNode("node-a"));
    server.put("pods", testPod("web"));
    await clock.advance(minutes(10));
    expect(nodeNameOf("web")).toBeUndefined();
    expect(clock.nextDue()).toBeUndefined();
  });
});
