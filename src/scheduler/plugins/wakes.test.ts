import { expect, it } from "vitest";
import { type NodeParts, type PodParts, testNode, testPod } from "../../../test/fakes/objects.ts";
import { type ClusterEvent, nodeChanges, podChanges } from "../cluster-event.ts";
import type { FilterPlugin } from "../plugin.ts";
import { nodeAffinity } from "./node-affinity/node-affinity.ts";
import { nodeName } from "./node-name/node-name.ts";
import { nodePorts } from "./node-ports/node-ports.ts";
import { nodeResourcesFit } from "./node-resources-fit/node-resources-fit.ts";
import { nodeUnschedulable } from "./node-unschedulable/node-unschedulable.ts";
import { taintToleration } from "./taint-toleration/taint-toleration.ts";

const added = (parts: NodeParts = {}): ClusterEvent => ({ kind: "nodeAdded", node: testNode("a", parts) });
const updated = (before: NodeParts, after: NodeParts): ClusterEvent => {
  const [previous, node] = [testNode("a", before), testNode("a", after)];
  return { kind: "nodeUpdated", node, previous, changes: nodeChanges(previous, node) };
};
const deleted = (parts: PodParts = {}): ClusterEvent => ({ kind: "assignedPodDeleted", pod: testPod("x", parts) });
const scaledDown = (before: PodParts, after: PodParts): ClusterEvent => ({
  kind: "assignedPodScaledDown",
  previous: testPod("x", before),
  pod: testPod("x", after),
});

const taints = [{ key: "dedicated", effect: "NoSchedule" as const }];
const otherTaints = [{ key: "other", effect: "NoExecute" as const }];
const tolerant = { spec: { tolerations: [{ key: "dedicated", operator: "Exists" as const }] } };
const onSsd = { spec: { nodeSelector: { disk: "ssd" } } };
const ssd = { labels: { disk: "ssd" } };
const cpu = (amount: string): PodParts => ({ requests: { cpu: amount } });
const ports = (hostPort: number): PodParts => ({ ports: [{ containerPort: 80, hostPort, protocol: "TCP" }] });

type Row = [string, FilterPlugin, PodParts, ClusterEvent, boolean];
it.each<Row>([
  ["a new node that is not cordoned", nodeUnschedulable, {}, added(), true],
  ["a new node that is cordoned", nodeUnschedulable, {}, added({ unschedulable: true }), false],
  ["an uncordoned node", nodeUnschedulable, {}, updated({ unschedulable: true }, {}), true],
  ["a node that was never cordoned", nodeUnschedulable, {}, updated({}, { taints }), false],
  ["a gone Pod", nodeUnschedulable, {}, deleted(), false],
  ["the named node", nodeName, { spec: { nodeName: "a" } }, added(), true],
  ["another node", nodeName, { spec: { nodeName: "b" } }, added(), false],
  ["a new node without taints", taintToleration, {}, added(), true],
  ["a new node with a taint", taintToleration, {}, added({ taints }), false],
  ["a new node with a tolerated taint", taintToleration, tolerant, added({ taints }), true],
  ["a node that lost its taint", taintToleration, {}, updated({ taints }, {}), true],
  [
    "a node that lost one of two",
    taintToleration,
    {},
    updated({ taints: [...taints, ...otherTaints] }, { taints }),
    false,
  ],
  ["a node that was tolerated before", taintToleration, tolerant, updated({ taints }, {}), false],
  ["a node with other labels", taintToleration, {}, updated({}, ssd), false],
  ["a new node that matches", nodeAffinity, onSsd, added(ssd), true],
  ["a new node that does not", nodeAffinity, onSsd, added(), false],
  ["a node that matches now", nodeAffinity, onSsd, updated({}, ssd), true],
  ["a node that matched before", nodeAffinity, onSsd, updated(ssd, { labels: { ...ssd.labels, more: "1" } }), false],
  ["a new node", nodePorts, ports(80), added(), true],
  ["a gone Pod with the port", nodePorts, ports(80), deleted(ports(80)), true],
  ["a gone Pod with another port", nodePorts, ports(80), deleted(ports(81)), false],
  ["a new node large enough", nodeResourcesFit, cpu("4"), added(), true],
  ["a new node too small", nodeResourcesFit, cpu("5"), added(), false],
  ["a node that grew enough", nodeResourcesFit, cpu("5"), updated({}, { allocatable: { cpu: "5" } }), true],
  ["a node that grew too little", nodeResourcesFit, cpu("9"), updated({}, { allocatable: { cpu: "5" } }), false],
  [
    "a node that grew in what is not wanted",
    nodeResourcesFit,
    cpu("1"),
    updated({}, { allocatable: { memory: "9Gi" } }),
    false,
  ],
  ["a node that takes more Pods", nodeResourcesFit, {}, updated({}, { allocatable: { pods: "111" } }), true],
  ["a gone Pod", nodeResourcesFit, cpu("1"), deleted(), true],
  ["a Pod that asks for less CPU", nodeResourcesFit, cpu("1"), scaledDown(cpu("2"), cpu("1")), true],
  [
    "a Pod that asks for less memory",
    nodeResourcesFit,
    cpu("1"),
    scaledDown({ requests: { memory: "2Gi" } }, {}),
    false,
  ],
])("%s wakes for %o: %o", (_what, plugin, parts, event, want) => {
  expect(plugin.wakesOn(event, testPod("p", parts))).toBe(want);
});

it.each<[string, FilterPlugin, PodParts, boolean]>([
  ["tolerations that pass the cordon", nodeUnschedulable, { spec: { tolerations: [{ operator: "Exists" }] } }, true],
  ["tolerations that do not", nodeUnschedulable, tolerant, false],
  ["tolerations", taintToleration, tolerant, true],
  ["requests", nodeResourcesFit, cpu("1"), true],
  ["labels", nodeResourcesFit, { labels: { a: "b" } }, false],
  ["a status", nodeResourcesFit, { status: { message: "x" } }, false],
  ["tolerations", nodeAffinity, tolerant, false],
  ["tolerations", nodePorts, tolerant, false],
  ["tolerations", nodeName, tolerant, false],
])("a Pod's new %s may satisfy a plugin", (_what, plugin, parts, want) => {
  const pod = testPod("p", parts);
  expect(plugin.wakesOnPodChange(podChanges(testPod("p"), pod), pod)).toBe(want);
});

it("takes a heartbeat for no change", () => {
  const ready = (lastHeartbeatTime: string) =>
    testNode("a", { conditions: [{ type: "Ready", status: "True", lastHeartbeatTime }] });
  expect(nodeChanges(ready("2025-01-01T00:00:00Z"), ready("2025-01-01T00:00:10Z"))).toEqual(new Set());
  expect(nodeChanges(testNode("a"), ready("2025-01-01T00:00:00Z"))).toEqual(new Set(["conditions"]));
});
