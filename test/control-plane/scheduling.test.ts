import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { ControlPlane } from "./control-plane-fixture.ts";

let plane: ControlPlane;

beforeEach(async () => {
  plane = await ControlPlane.start();
});
afterEach(() => plane.stop());

const nodeOf = async (name: string) => (await plane.pod(name)).spec.nodeName;
const scheduled = async (name: string) =>
  (await plane.pod(name)).status.conditions?.find(({ type }) => type === "PodScheduled");
const asking = (cpu: string) => ({
  containers: [{ name: "main", image: "image:1", resources: { requests: { cpu } } }],
});

describe("a Pod", () => {
  it("is placed, and both the condition and the event say so", async () => {
    await plane.addNode("node-a");
    await plane.createPod("web");
    expect(await nodeOf("web")).toBe("node-a");
    expect(await scheduled("web")).toMatchObject({ status: "True" });
    expect(await plane.events("web")).toEqual([
      "default-scheduler Normal Scheduled Successfully assigned default/web to node-a",
    ]);
  });

  it("waits for room, says why, and is placed when another one goes", async () => {
    await plane.addNode("node-a", { cpu: "1" });
    await plane.createPod("first", asking("800m"));
    await plane.createPod("second", asking("800m"));
    const message =
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: " +
      "1 No preemption victims found for incoming pod.";
    expect(await scheduled("second")).toMatchObject({ status: "False", reason: "Unschedulable", message });
    expect(await plane.events("second")).toEqual([`default-scheduler Warning FailedScheduling ${message}`]);

    await plane.advance(seconds(5));
    await plane.client.pods.delete("first", "default", { gracePeriodSeconds: 0 });
    await plane.settle();
    expect(await nodeOf("second")).toBe("node-a");
    expect(await scheduled("second")).toMatchObject({ status: "True" });
  });

  it("with scheduling gates waits until the last is removed", async () => {
    await plane.addNode("node-a");
    await plane.createPod("web", { schedulingGates: [{ name: "example.com/wait" }] });
    expect(await scheduled("web")).toMatchObject({ status: "False", reason: "SchedulingGated" });
    expect(await plane.events("web")).toEqual([]);
    await plane.client.pods.patch("web", "default", "json", [{ op: "remove", path: "/spec/schedulingGates/0" }]);
    await plane.settle();
    expect(await nodeOf("web")).toBe("node-a");
  });

  it("goes where its affinity and its labels allow, once there is such a node", async () => {
    await plane.addNode("node-a", { zone: "z1" });
    await plane.createPod("web", { nodeSelector: { "topology.kubernetes.io/zone": "z2" } });
    expect((await scheduled("web"))?.message).toContain("1 node(s) didn't match Pod's node affinity/selector");
    await plane.addNode("node-b", { zone: "z2" });
    expect(await nodeOf("web")).toBe("node-b");
  });

  it("avoids a cordoned node until it is uncordoned", async () => {
    await plane.addNode("node-a");
    await plane.client.nodes.patch("node-a", undefined, "merge", { spec: { unschedulable: true } });
    await plane.settle();
    await plane.createPod("web");
    expect((await scheduled("web"))?.message).toContain("1 node(s) were unschedulable");
    await plane.client.nodes.patch("node-a", undefined, "merge", { spec: { unschedulable: null } });
    await plane.settle();
    expect(await nodeOf("web")).toBe("node-a");
  });

  it("shares the nodes with its like", async () => {
    for (const name of ["node-a", "node-b", "node-c"]) await plane.addNode(name);
    for (let i = 0; i < 9; i++) await plane.createPod(`web-${i}`, asking("100m"));
    const perNode: Record<string, number> = {};
    for (let i = 0; i < 9; i++) {
      const node = (await nodeOf(`web-${i}`)) as string;
      perNode[node] = (perNode[node] ?? 0) + 1;
    }
    expect(perNode).toEqual({ "node-a": 3, "node-b": 3, "node-c": 3 });
  });
});
