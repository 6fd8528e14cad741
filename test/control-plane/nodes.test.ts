import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { minutes, seconds } from "../../src/base/time.ts";
import { ControlPlane } from "./control-plane-fixture.ts";

let plane: ControlPlane;

beforeEach(async () => {
  plane = await ControlPlane.start();
});
afterEach(() => plane.stop());

const podReady = async (name: string): Promise<void> => {
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2025-01-01T00:00:00Z" }];
  await plane.client.pods.patch(name, "default", "strategic", { status: { phase: "Running", conditions } }, "status");
};
const conditionOf = async (name: string, type: string) =>
  (await plane.pod(name)).status.conditions?.find((condition) => condition.type === type);

describe("a node", () => {
  it("takes no Pods before it is ready, and takes them as soon as it is", async () => {
    const allocatable = { cpu: "4", memory: "8Gi", pods: "110" };
    await plane.client.nodes.create({ metadata: { name: "node-a" }, status: { allocatable } });
    await plane.createPod("web");
    await plane.advance(seconds(20));
    expect(await plane.taints("node-a")).toEqual(["not-ready:NoSchedule"]);
    expect((await plane.pod("web")).spec.nodeName).toBeUndefined();
    expect((await conditionOf("web", "PodScheduled"))?.message).toBe(
      "0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: 0/1 nodes are available: " +
        "1 Preemption is not helpful for scheduling.",
    );

    await plane.report("node-a", "True");
    expect(await plane.taints("node-a")).toEqual([]);
    expect((await plane.pod("web")).spec.nodeName).toBe("node-a");
    expect(await plane.events("node-a")).toEqual([
      "node-controller Normal RegisteredNode Node node-a event: Registered Node node-a in Controller",
    ]);
  });

  it("is tainted for each thing that is wrong with it, while it is", async () => {
    await plane.addNode("node-a");
    await plane.report("node-a", "False");
    await plane.client.nodes.patch("node-a", undefined, "merge", { spec: { unschedulable: true } });
    await plane.settle();
    expect(await plane.taints("node-a")).toEqual(["not-ready:NoSchedule", "unschedulable:NoSchedule"]);
    await plane.client.nodes.patch("node-a", undefined, "merge", { spec: { unschedulable: false } });
    await plane.report("node-a", "True");
    expect(await plane.taints("node-a")).toEqual([]);
  });

  it("that falls silent is unknown after 50 s, loses its Pods after five minutes more, and comes back", async () => {
    await plane.addNode("node-a");
    await plane.addNode("node-b");
    await plane.createPod("web", { nodeName: "node-a" });
    await podReady("web");
    plane.silence("node-a");

    await plane.advance(seconds(45));
    expect((await plane.conditions("node-a"))["Ready"]).toBe("True");
    await plane.advance(seconds(20));
    expect(await plane.conditions("node-a")).toEqual({
      Ready: "Unknown",
      MemoryPressure: "Unknown",
      DiskPressure: "Unknown",
      PIDPressure: "Unknown",
    });
    expect(await plane.taints("node-a")).toEqual(["unreachable:NoSchedule", "unreachable:NoExecute"]);
    expect(await conditionOf("web", "Ready")).toMatchObject({ status: "False" });
    expect(await plane.events("node-a")).toContain(
      "node-controller Normal NodeNotReady Node node-a status is now: NodeNotReady",
    );
    expect(await plane.events("web")).toEqual(["node-controller Warning NodeNotReady Node is not ready"]);

    await plane.advance(seconds(280));
    expect((await plane.pod("web")).metadata.deletionTimestamp).toBeUndefined();
    await plane.advance(seconds(30));
    expect((await plane.pod("web")).metadata.deletionTimestamp).toBeDefined();
    expect(await conditionOf("web", "DisruptionTarget")).toMatchObject({
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
    });
    expect(await plane.events("web")).toContain(
      "taint-eviction-controller Normal TaintManagerEviction Marking for deletion Pod default/web",
    );

    await plane.report("node-a", "True");
    expect(await plane.taints("node-a")).toEqual([]);
  });

  it("that is back in time keeps its Pods", async () => {
    await plane.addNode("node-a");
    await plane.addNode("node-b");
    await plane.createPod("web", { nodeName: "node-a" });
    plane.silence("node-a");
    await plane.advance(minutes(4));
    await plane.report("node-a", "True");
    expect(await plane.events("web")).toContain(
      "taint-eviction-controller Normal TaintManagerEviction Cancelling deletion of Pod default/web",
    );
    await plane.advance(seconds(30));
    expect((await plane.pod("web")).metadata.deletionTimestamp).toBeUndefined();
  });

  it("keeps its Pods when no node can be heard: the fault may be ours", async () => {
    await plane.addNode("node-a");
    await plane.addNode("node-b");
    await plane.createPod("web", { nodeName: "node-a" });
    plane.silence("node-a");
    plane.silence("node-b");
    await plane.advance(minutes(20));
    expect(await plane.taints("node-a")).toEqual(["unreachable:NoSchedule"]);
    expect((await plane.pod("web")).metadata.deletionTimestamp).toBeUndefined();
  });

  it("is followed by the next of its zone only ten seconds later", async () => {
    for (const name of ["node-a", "node-b", "node-c", "node-d", "node-e"]) await plane.addNode(name, { zone: "z" });
    plane.silence("node-a");
    plane.silence("node-b");
    const isDriven = async (name: string) => (await plane.taints(name)).includes("unreachable:NoExecute");
    const drivenAt: Record<string, number> = {};
    for (let second = 0; second < 90; second++) {
      await plane.advance(seconds(1));
      for (const name of ["node-a", "node-b"]) if (await isDriven(name)) drivenAt[name] ??= second;
    }
    expect(Math.abs((drivenAt["node-a"] as number) - (drivenAt["node-b"] as number))).toBe(10);
  });
});

describe("a Pod that nobody removes", () => {
  it("goes when its node is gone for good", async () => {
    await plane.addNode("node-a");
    await plane.createPod("web", { nodeName: "node-a" });
    plane.silence("node-a");
    await plane.client.nodes.delete("node-a");
    await plane.advance(seconds(39));
    expect((await plane.pod("web")).metadata.name).toBe("web");
    await plane.advance(seconds(60));
    await expect(plane.pod("web")).rejects.toMatchObject({ reason: "NotFound" });
  });
});
