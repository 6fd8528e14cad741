import { describe, expect, it } from "vitest";
import { type NodeParts, testNode } from "../../../test/fakes/objects.ts";
import type { Lease, Node, Taint } from "../../api/index.ts";
import { type Instant, type Millis, after, parseTime, seconds } from "../../base/time.ts";
import {
  type NoExecutePolicy,
  evictionInterval,
  nextLook,
  noteHeartbeat,
  planConditions,
  planTaints,
  wantsNoExecute,
  zoneState,
} from "./plan.ts";
import { Zones } from "./zones.ts";

const start = parseTime("2025-01-01T00:00:00Z") as Instant;
const at = (second: number): Instant => after(start, seconds(second));
const ready = (status: "True" | "False" | "Unknown", more: object = {}): NodeParts => ({
  conditions: [
    { type: "Ready", status, reason: "r", message: "m", lastHeartbeatTime: "2025-01-01T00:00:00Z", ...more },
  ],
});
const silent = testNode("a");

describe("a sign of life", () => {
  const lease = (renewTime: string) => ({ spec: { renewTime } }) as unknown as Lease;
  const node = testNode("a", ready("True"));
  const first = noteHeartbeat(undefined, node, lease("1"), at(0));
  it.each([
    ["the same lease and status", node, lease("1"), 0],
    ["a renewed lease", node, lease("2"), 30],
    ["a posted status", testNode("a", ready("True", { lastHeartbeatTime: "2025-01-01T00:00:10Z" })), lease("1"), 30],
  ])("is %s: last seen at %#", (_what, seen, seenLease, second) => {
    expect(noteHeartbeat(first, seen, seenLease, at(30)).seenAt).toBe(at(second));
  });
});

describe("the conditions of a silent node", () => {
  const heartbeat = { sign: "", seenAt: at(0) };
  it.each<[string, Node, number, boolean]>([
    ["stay for 50 s", testNode("a", ready("True")), 49.999, false],
    ["become unknown after 50 s", testNode("a", ready("True")), 50, true],
    ["become unknown also if it was not ready", testNode("a", ready("False")), 51, true],
    ["stay for 60 s if it never spoke", silent, 59.999, false],
    ["become unknown after 60 s if it never spoke", silent, 60, true],
  ])("%s", (_rule, node, second, want) => {
    expect(planConditions(node, heartbeat, at(second)) !== undefined).toBe(want);
  });

  it("say since when and why, and are written once", () => {
    const planned = planConditions(testNode("a", ready("True")), heartbeat, at(60));
    expect(planned).toHaveLength(4);
    expect(planned?.[0]).toEqual({
      type: "Ready",
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastHeartbeatTime: "2025-01-01T00:00:00Z",
      lastTransitionTime: "2025-01-01T00:01:00Z",
    });
    expect(planned?.[1]).toMatchObject({
      type: "MemoryPressure",
      status: "Unknown",
      reason: "NodeStatusNeverUpdated",
      message: "Kubelet never posted node status.",
    });
    expect(planConditions(testNode("a", { conditions: planned }), heartbeat, at(90))).toBeUndefined();
  });
});

it.each<[string, Node, number, number]>([
  ["is ready and was just heard", testNode("a", ready("True")), 0, 50],
  ["is ready and has been silent for a while", testNode("a", ready("True")), 20, 30],
  ["is not ready", testNode("a", ready("False")), 0, 5],
  ["has not spoken yet", silent, 0, 5],
])("looks at a node again in time when it %s", (_what, node, second, want) => {
  expect(nextLook(node, { sign: "", seenAt: at(0) }, at(second))).toBe(seconds(want));
});

describe("the taints", () => {
  const short = (taints: readonly Taint[] | undefined) =>
    taints?.map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`);
  const taint = (key: string, effect: Taint["effect"]): Taint => ({ key: `node.kubernetes.io/${key}`, effect });
  const foreign: Taint = { key: "dedicated", effect: "NoExecute" };
  const notReady = [taint("not-ready", "NoSchedule"), taint("not-ready", "NoExecute")];
  const unreachable = [taint("unreachable", "NoSchedule"), taint("unreachable", "NoExecute")];
  const pressure = {
    conditions: [...(ready("True").conditions ?? []), { type: "MemoryPressure", status: "True" as const }],
  };
  type Row = [string, NodeParts, NoExecutePolicy, string[] | undefined];
  it.each<Row>([
    ["of a node that is well are none", ready("True"), "add", undefined],
    ["of others are left alone", { ...ready("True"), taints: [foreign] }, "add", undefined],
    ["of a node that is not ready", ready("False"), "add", ["not-ready:NoSchedule", "not-ready:NoExecute"]],
    ["of a node that is unknown", ready("Unknown"), "add", ["unreachable:NoSchedule", "unreachable:NoExecute"]],
    ["wait for the node's turn", ready("False"), "keep", ["not-ready:NoSchedule"]],
    [
      "are swapped at once",
      { ...ready("Unknown"), taints: notReady },
      "keep",
      ["unreachable:NoSchedule", "unreachable:NoExecute"],
    ],
    ["stay while the reason does", { ...ready("Unknown"), taints: unreachable }, "keep", undefined],
    [
      "that drive Pods off go when nothing can be heard",
      { ...ready("Unknown"), taints: unreachable },
      "remove",
      ["unreachable:NoSchedule"],
    ],
    [
      "go when the node is ready again",
      { ...ready("True"), taints: [...unreachable, foreign] },
      "keep",
      ["dedicated:NoExecute"],
    ],
    ["follow pressure", pressure, "add", ["memory-pressure:NoSchedule"]],
    ["follow cordoning", { ...ready("True"), unschedulable: true }, "add", ["unschedulable:NoSchedule"]],
    ["of a node that has not spoken stay", { taints: [taint("not-ready", "NoSchedule")] }, "keep", undefined],
  ])("%s", (_rule, parts, policy, want) => {
    expect(short(planTaints(testNode("a", parts), policy, at(5)))).toEqual(want);
  });

  it("say when they were added", () => {
    expect(planTaints(testNode("a", ready("False")), "keep", at(5))?.[0]?.timeAdded).toBe("2025-01-01T00:00:05Z");
  });

  it.each<[string, NodeParts, boolean]>([
    ["a ready node", ready("True"), false],
    ["a node that has not spoken", {}, false],
    ["a node that is not ready", ready("False"), true],
    ["a node that is tainted already", { ...ready("Unknown"), taints: notReady }, false],
  ])("that drive Pods off are wanted by %s: %s", (_what, parts, want) => {
    expect(wantsNoExecute(testNode("a", parts))).toBe(want);
  });
});

it.each([
  [1, 0, "normal"],
  [0, 1, "fullDisruption"],
  [0, 9, "fullDisruption"],
  [1, 2, "normal"],
  [2, 3, "partialDisruption"],
  [5, 6, "normal"],
  [9, 11, "partialDisruption"],
  [5, 5, "normal"],
])("a zone with %i ready and %i other nodes is in state %s", (readyNodes, others, state) => {
  expect(zoneState(readyNodes, others)).toBe(state);
});

it.each<[Parameters<typeof evictionInterval>[0], number, Millis | undefined]>([
  ["normal", 5, seconds(10)],
  ["fullDisruption", 5, seconds(10)],
  ["partialDisruption", 50, undefined],
  ["partialDisruption", 51, seconds(100)],
])("in state %s a zone of %i nodes empties one node every %s ms", (state, size, interval) => {
  expect(evictionInterval(state, size)).toBe(interval);
});

describe("the turn of a node to be tainted", () => {
  const zoned = (name: string, zone: string, parts: NodeParts) =>
    testNode(name, { ...parts, labels: { "topology.kubernetes.io/zone": zone } });
  const well = (name: string, zone: string) => zoned(name, zone, ready("True"));
  const ill = (name: string, zone: string) => zoned(name, zone, ready("Unknown"));

  it("comes once every ten seconds in each zone", () => {
    const nodes = [well("a", "x"), ill("b", "x"), ill("c", "x"), well("d", "y"), ill("e", "y")];
    const zones = new Zones();
    const turn = (index: number, second: number) => zones.turnOf(nodes[index] as Node, true, () => nodes, at(second));
    expect(turn(1, 0)).toEqual({ kind: "now", policy: "add" });
    expect(turn(2, 4)).toEqual({ kind: "later", wait: seconds(6) });
    expect(turn(4, 4)).toEqual({ kind: "now", policy: "add" });
    expect(turn(2, 10)).toEqual({ kind: "now", policy: "add" });
  });

  it("does not come in a small zone where most are ill, and never where nothing is well", () => {
    const most = [well("a", "x"), well("b", "x"), ill("c", "x"), ill("d", "x"), ill("e", "x")];
    expect(new Zones().turnOf(most[2] as Node, true, () => most, at(0))).toEqual({ kind: "now", policy: "keep" });
    const all = [ill("a", "x"), ill("b", "y")];
    expect(new Zones().turnOf(all[0] as Node, true, () => all, at(0))).toEqual({ kind: "now", policy: "remove" });
    const one = [ill("a", "x"), well("b", "y")];
    expect(new Zones().turnOf(one[0] as Node, true, () => one, at(0))).toEqual({ kind: "now", policy: "add" });
  });

  it("is counted anew when a node has changed", () => {
    const zones = new Zones();
    const before = [ill("a", "x")];
    expect(zones.turnOf(before[0] as Node, false, () => before, at(0))).toEqual({ kind: "now", policy: "remove" });
    zones.forget();
    const now = [ill("a", "x"), well("b", "x")];
    expect(zones.turnOf(now[0] as Node, false, () => now, at(1))).toEqual({ kind: "now", policy: "keep" });
  });
});
