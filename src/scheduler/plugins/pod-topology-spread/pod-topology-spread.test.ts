import { describe, expect, it } from "vitest";
import { type NodeParts, testNode, testPod } from "../../../../test/fakes/objects.ts";
import type { Node, Pod, TopologySpreadConstraint } from "../../../api/index.ts";
import { SeededRandom } from "../../../base/random.ts";
import type { ClusterEvent } from "../../cluster-event.ts";
import { nodeChanges } from "../../cluster-event.ts";
import { diagnosisMessage } from "../../diagnosis.ts";
import { podInfo } from "../../node-info.ts";
import { schedulePod } from "../../schedule-pod.ts";
import { SchedulerCache } from "../../scheduler-cache.ts";
import { defaultProfile } from "../default-profile.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";

const zone = (name: string, parts: NodeParts = {}): NodeParts => ({
  ...parts,
  labels: { zone: name, ...parts.labels },
});
const web = { labels: { app: "web" } };
const spread = (more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: "zone",
  whenUnsatisfiable: "DoNotSchedule",
  labelSelector: { matchLabels: { app: "web" } },
  ...more,
});
const incoming = (constraint: TopologySpreadConstraint, spec: Partial<Pod["spec"]> = {}, labels = web.labels): Pod =>
  testPod("p", { labels, spec: { topologySpreadConstraints: [constraint], ...spec } });

let made = 0;
/** So many Pods of the group on the node. */
const placed = (nodeName: string, count: number, more: Parameters<typeof testPod>[1] = {}): [Pod, string][] =>
  Array.from({ length: count }, () => [testPod(`web-${made++}`, { ...web, ...more }), nodeName]);

/** The nodes that the Pod fits on, each asked alone, in a cluster with all of them. */
function fits(pod: Pod, nodes: readonly Node[], pods: readonly [Pod, string][]): string[] {
  const cache = new SchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const [other, nodeName] of pods) cache.assume(podInfo(other), nodeName);
  const filter = podTopologySpread.prepare(pod, { nodes: cache.nodes(), namespaceLabels: () => undefined });
  if (filter.kind !== "filter") throw new Error("the constraint is not looked at");
  return cache.nodes().flatMap((info) => (filter.test(info) === undefined ? [info.name] : []));
}

const a = testNode("a", zone("x"));
const b = testNode("b", zone("y"));
const c = testNode("c", zone("z"));
const dedicated = testNode("c", zone("z", { taints: [{ key: "dedicated", effect: "NoSchedule" }] }));

describe("a hard constraint lets a Pod go", () => {
  type Row = [string, Pod, Node[], [Pod, string][], string[]];
  it.each<Row>([
    ["anywhere while all is even", incoming(spread()), [a, b], [], ["a", "b"]],
    ["only to the emptier domain", incoming(spread()), [a, b], placed("a", 1), ["b"]],
    ["as far apart as the skew allows", incoming(spread({ maxSkew: 2 })), [a, b], placed("a", 1), ["a", "b"]],
    ["nowhere outside the domains", incoming(spread()), [a, testNode("b")], [], ["a"]],
    ["by the sum of a domain's nodes", incoming(spread()), [a, testNode("a2", zone("x")), b], placed("a", 1), ["b"]],
    [
      "anywhere if it is not of the group itself and all is within the skew",
      incoming(spread(), {}, { app: "db" }),
      [a, b],
      placed("a", 1),
      ["a", "b"],
    ],
    [
      "not counting Pods of other namespaces",
      incoming(spread()),
      [a, b],
      placed("a", 1, { namespace: "other" }),
      ["a", "b"],
    ],
    [
      "not counting Pods on their way out",
      incoming(spread()),
      [a, b],
      placed("a", 1, { deletionTimestamp: "2025" }),
      ["a", "b"],
    ],
    [
      "not counting Pods of other groups",
      incoming(spread()),
      [a, b],
      placed("a", 1, { labels: { app: "db" } }),
      ["a", "b"],
    ],
    [
      "counting only Pods with the same further labels",
      incoming(spread({ matchLabelKeys: ["rev"] }), {}, { ...web.labels, rev: "2" } as never),
      [a, b],
      placed("a", 1, { labels: { app: "web", rev: "1" } }),
      ["a", "b"],
    ],
    [
      "as if a domain were empty while there are too few",
      incoming(spread({ minDomains: 3 })),
      [a, b],
      [...placed("a", 1), ...placed("b", 1)],
      [],
    ],
    [
      "by what is there when there are enough",
      incoming(spread({ minDomains: 2 })),
      [a, b],
      [...placed("a", 1), ...placed("b", 1)],
      ["a", "b"],
    ],
    [
      "not minding domains that its selector rules out",
      incoming(spread(), { nodeSelector: { zone: "x" } }),
      [a, b],
      placed("a", 3),
      ["a", "b"],
    ],
    [
      "minding them if it is told to ignore the selector",
      incoming(spread({ nodeAffinityPolicy: "Ignore" }), { nodeSelector: { zone: "x" } }),
      [a, b],
      placed("a", 3),
      ["b"],
    ],
    ["minding tainted nodes", incoming(spread()), [a, b, dedicated], [...placed("a", 1), ...placed("b", 1)], ["c"]],
    [
      "not minding them if it is told to honor taints",
      incoming(spread({ nodeTaintsPolicy: "Honor" })),
      [a, b, dedicated],
      [...placed("a", 1), ...placed("b", 1)],
      ["a", "b", "c"],
    ],
  ])("%s", (_rule, pod, nodes, pods, want) => {
    expect(fits(pod, nodes, pods)).toEqual(want);
  });
});

function decide(pod: Pod, nodes: readonly Node[], pods: readonly [Pod, string][]): string {
  const cache = new SchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const [other, nodeName] of pods) cache.assume(podInfo(other), nodeName);
  const random = new SeededRandom(1).stream("scheduler");
  const decision = schedulePod(pod, {
    nodes: cache.nodes(),
    namespaceLabels: () => undefined,
    profile: defaultProfile,
    random,
    start: 0,
  });
  switch (decision.kind) {
    case "placed":
      return decision.node.name;
    case "unschedulable":
      return diagnosisMessage(decision.diagnosis);
    case "noNodes":
      return "no nodes";
  }
}

it("says which nodes are crowded and which lie in no domain", () => {
  const cordoned = testNode("b", zone("y", { unschedulable: true }));
  expect(decide(incoming(spread()), [a, cordoned, testNode("x")], placed("a", 1))).toBe(
    "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology " +
      "spread constraints (missing required label), 1 node(s) were unschedulable. preemption: 0/3 nodes are available: " +
      "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
  );
});

it("prefers the emptiest domain where the constraint is soft, and goes elsewhere rather than nowhere", () => {
  const soft = incoming(spread({ whenUnsatisfiable: "ScheduleAnyway" }));
  // Larger groups elsewhere on the node would else make it the least used one.
  const others = [...placed("c", 6, { labels: { app: "db" } })];
  expect(decide(soft, [a, b, c], [...placed("a", 2), ...placed("b", 2), ...others])).toBe("c");
  expect(decide(soft, [a], placed("a", 9))).toBe("a");
});

describe("a rejected Pod is tried again", () => {
  const updated = (before: NodeParts, after: NodeParts): ClusterEvent => {
    const [previous, node] = [testNode("a", before), testNode("a", after)];
    return { kind: "nodeUpdated", node, previous, changes: nodeChanges(previous, node) };
  };
  const member = testPod("w", web);
  const stranger = testPod("s", { labels: { app: "db" } });
  it.each<[string, ClusterEvent, boolean]>([
    ["a node of a domain comes", { kind: "nodeAdded", node: a }, true],
    ["a node outside comes", { kind: "nodeAdded", node: testNode("n") }, false],
    ["a node of a domain goes", { kind: "nodeDeleted", node: a }, true],
    ["a node enters a domain", updated({}, zone("x")), true],
    ["a node leaves a domain", updated(zone("x"), {}), true],
    ["a node only grows", updated(zone("x"), zone("x", { allocatable: { cpu: "9" } })), false],
    ["one of the group is placed", { kind: "assignedPodAdded", pod: member }, true],
    ["one of the group goes", { kind: "assignedPodDeleted", pod: member }, true],
    ["a stranger goes", { kind: "assignedPodDeleted", pod: stranger }, false],
    ["one leaves the group", { kind: "assignedPodRelabeled", previous: member, pod: stranger }, true],
    ["a stranger changes", { kind: "assignedPodRelabeled", previous: stranger, pod: stranger }, false],
    ["one asks for less", { kind: "assignedPodScaledDown", previous: member, pod: member }, false],
  ])("when %s: %o", (_what, event, want) => {
    expect(podTopologySpread.wakesOn(event, incoming(spread()))).toBe(want);
  });
});
