import { describe, expect, it } from "vitest";
import { type PodParts, testNode, testPod } from "../../test/fakes/objects.ts";
import type { Node, Pod } from "../api/index.ts";
import { SeededRandom } from "../base/random.ts";
import { diagnosisMessage } from "./diagnosis.ts";
import { podInfo } from "./node-info.ts";
import { defaultProfile } from "./plugins/default-profile.ts";
import { type SchedulingDecision, feasibleEnough, schedulePod } from "./schedule-pod.ts";
import { SchedulerCache } from "./scheduler-cache.ts";

function decide(pod: Pod, nodes: readonly Node[], placed: readonly (readonly [Pod, string])[] = [], seed = 1) {
  const cache = new SchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const [other, nodeName] of placed) cache.assume(podInfo(other), nodeName);
  const random = new SeededRandom(seed).stream("scheduler");
  return schedulePod(pod, {
    nodes: cache.nodes(),
    namespaceLabels: () => undefined,
    profile: defaultProfile,
    random,
    start: 0,
  });
}

function outcome(decision: SchedulingDecision): string {
  switch (decision.kind) {
    case "placed":
      return decision.node.name;
    case "unschedulable":
      return diagnosisMessage(decision.diagnosis);
    case "noNodes":
      return "no nodes";
  }
}

const a = testNode("a");
const b = testNode("b");
const taint = { key: "dedicated", value: "gpu", effect: "NoSchedule" } as const;
const notHelpful = (nodes: number) =>
  ` preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`;
const noVictims = (nodes: number) =>
  ` preemption: 0/${nodes} nodes are available: ${nodes} No preemption victims found for incoming pod.`;
const inZone = (zone: string): Partial<Pod["spec"]> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] }],
      },
    },
  },
});
const onNamedNode = (name: string): Partial<Pod["spec"]> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] }],
      },
    },
  },
});
const port = (hostPort: number, more: object = {}) => [
  { containerPort: 80, hostPort, protocol: "TCP" as const, ...more },
];

describe("a Pod is kept off a node", () => {
  type Row = [string, PodParts, Node, string, (readonly [Pod, string])[]?];
  it.each<Row>([
    [
      "without enough CPU at the moment",
      { requests: { cpu: "3" } },
      a,
      `1 Insufficient cpu.${noVictims(1)}`,
      [[testPod("big", { requests: { cpu: "2" } }), "a"]],
    ],
    ["that never has enough CPU", { requests: { cpu: "5" } }, a, `1 Insufficient cpu.${notHelpful(1)}`],
    [
      "with several shortages, each named",
      { requests: { cpu: "5", memory: "9Gi", "ephemeral-storage": "1Gi", "example.com/gpu": "1" } },
      a,
      "1 Insufficient cpu, 1 Insufficient ephemeral-storage, 1 Insufficient example.com/gpu, " +
        `1 Insufficient memory.${notHelpful(1)}`,
    ],
    [
      "with as many Pods as it takes",
      {},
      testNode("a", { allocatable: { pods: "1" } }),
      `1 Too many pods.${noVictims(1)}`,
      [[testPod("only"), "a"]],
    ],
    [
      "that does not match its nodeSelector",
      { spec: { nodeSelector: { disk: "ssd" } } },
      a,
      `1 node(s) didn't match Pod's node affinity/selector.${notHelpful(1)}`,
    ],
    [
      "that does not match its required affinity",
      { spec: inZone("z1") },
      testNode("a", { labels: { zone: "z2" } }),
      `1 node(s) didn't match Pod's node affinity/selector.${notHelpful(1)}`,
    ],
    [
      "that its affinity does not name",
      { spec: onNamedNode("b") },
      a,
      `1 node(s) didn't satisfy plugin(s) [NodeAffinity].${notHelpful(1)}`,
    ],
    [
      "with a taint that it does not tolerate",
      {},
      testNode("a", { taints: [taint] }),
      `1 node(s) had untolerated taint(s).${notHelpful(1)}`,
    ],
    ["that is cordoned", {}, testNode("a", { unschedulable: true }), `1 node(s) were unschedulable.${notHelpful(1)}`],
    [
      "with another name than it asks for",
      { spec: { nodeName: "b" } },
      a,
      `1 node(s) didn't match the requested node name.${notHelpful(1)}`,
    ],
    [
      "where its host port is taken",
      { ports: port(8080) },
      a,
      `1 node(s) didn't have free ports for the requested pod ports.${noVictims(1)}`,
      [[testPod("web", { ports: port(8080, { hostIP: "127.0.0.1" }) }), "a"]],
    ],
  ])("%s", (_rule, parts, node, reason, placed = []) => {
    expect(outcome(decide(testPod("p", parts), [node], placed))).toBe(`0/1 nodes are available: ${reason}`);
  });
});

describe("a Pod fits on a node", () => {
  type Row = [string, PodParts, Node, (readonly [Pod, string])[]?];
  it.each<Row>([
    ["with exactly what it asks for", { requests: { cpu: "4", memory: "8Gi" } }, a],
    ["that is full, if it asks for nothing", {}, a, [[testPod("big", { requests: { cpu: "4" } }), "a"]]],
    [
      "whose taint it tolerates",
      { spec: { tolerations: [{ key: "dedicated", operator: "Exists" }] } },
      testNode("a", { taints: [taint] }),
    ],
    [
      "with a taint that only asks to be avoided",
      {},
      testNode("a", { taints: [{ ...taint, effect: "PreferNoSchedule" }] }),
    ],
    [
      "that is cordoned, if it tolerates that",
      {
        spec: { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" }] },
      },
      testNode("a", { unschedulable: true }),
    ],
    [
      "where only the same number of another protocol is taken",
      { ports: port(53) },
      a,
      [[testPod("dns", { ports: port(53, { protocol: "UDP" }) }), "a"]],
    ],
    [
      "where its port is taken on another address",
      { ports: port(80, { hostIP: "10.0.0.1" }) },
      a,
      [[testPod("web", { ports: port(80, { hostIP: "10.0.0.2" }) }), "a"]],
    ],
    ["that its affinity names", { spec: onNamedNode("a") }, a],
    [
      "that has its labels",
      { spec: { nodeSelector: { zone: "z1" }, ...inZone("z1") } },
      testNode("a", { labels: { zone: "z1" } }),
    ],
  ])("%s", (_rule, parts, node, placed = []) => {
    expect(outcome(decide(testPod("p", parts), [node], placed))).toBe("a");
  });
});

describe("the message", () => {
  it("counts equal reasons, sorts them as text and says what preemption could do", () => {
    const nodes = [
      ...Array.from({ length: 10 }, (_, i) => testNode(`small-${i}`, { allocatable: { cpu: "1" } })),
      testNode("tainted-1", { taints: [taint] }),
      testNode("tainted-2", { taints: [taint] }),
      testNode("full"),
    ];
    const pod = testPod("p", { requests: { cpu: "2" } });
    const full = testPod("big", { requests: { cpu: "3" } });
    expect(outcome(decide(pod, nodes, [[full, "full"]]))).toBe(
      "0/13 nodes are available: 11 Insufficient cpu, 2 node(s) had untolerated taint(s). " +
        "preemption: 0/13 nodes are available: 1 No preemption victims found for incoming pod, " +
        "12 Preemption is not helpful for scheduling.",
    );
  });

  it("counts nodes that were not even asked", () => {
    expect(outcome(decide(testPod("p", { spec: onNamedNode("a"), requests: { cpu: "9" } }), [a, b]))).toBe(
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]." + notHelpful(2),
    );
  });

  it("says so when the affinity contradicts itself", () => {
    const nodeSelectorTerms = [
      {
        matchFields: ["a", "b"].map((name) => ({ key: "metadata.name", operator: "In" as const, values: [name] })),
      },
    ];
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
    expect(outcome(decide(testPod("p", { spec: { affinity: { nodeAffinity: required } } }), [a, b]))).toBe(
      `0/2 nodes are available: pod affinity terms conflict.${notHelpful(2)}`,
    );
  });

  it.each([
    [
      "does not hope for preemption where the Pod forbids it",
      { preemptionPolicy: "Never" as const },
      " preemption: not eligible due to preemptionPolicy=Never.",
    ],
    [
      "names what would still be missing without the lesser Pods",
      { priority: 10 },
      " preemption: 0/1 nodes are available: 1 Insufficient cpu.",
    ],
    ["is silent about preemption where it would help", { priority: 30 }, ""],
  ])("%s", (_rule, spec, part) => {
    const placed = [
      [testPod("lesser", { requests: { cpu: "1" } }), "a"],
      [testPod("equal", { requests: { cpu: "3" }, spec: { priority: 20 } }), "a"],
    ] as const;
    expect(outcome(decide(testPod("p", { spec, requests: { cpu: "2" } }), [a], placed))).toBe(
      `0/1 nodes are available: 1 Insufficient cpu.${part}`,
    );
  });

  it("has nothing to say about a cluster without nodes", () => {
    expect(outcome(decide(testPod("p"), []))).toBe("no nodes");
  });
});

describe("of several nodes a Pod goes to the one", () => {
  const prefer = (zone: string, weight: number) => ({
    preference: { matchExpressions: [{ key: "zone", operator: "In" as const, values: [zone] }] },
    weight,
  });
  const zoned = (name: string, zone: string) => testNode(name, { labels: { zone } });
  type Row = [string, PodParts, Node[], string, (readonly [Pod, string])[]?];
  it.each<Row>([
    [
      "with more left over",
      { requests: { cpu: "1", memory: "1Gi" } },
      [a, b],
      "b",
      [[testPod("x", { requests: { cpu: "1", memory: "1Gi" } }), "a"]],
    ],
    ["with fewer Pods of unknown size", {}, [a, b], "b", [[testPod("x"), "a"]]],
    [
      "that its preferred terms weigh most",
      {
        spec: {
          affinity: {
            nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [prefer("z1", 1), prefer("z2", 5)] },
          },
        },
      },
      [zoned("a", "z1"), zoned("b", "z2")],
      "b",
    ],
    ["without taints to avoid", {}, [testNode("a", { taints: [{ ...taint, effect: "PreferNoSchedule" }] }), b], "b"],
    [
      "where CPU and memory stay in balance",
      { requests: { cpu: "1", memory: "1Gi" } },
      [
        testNode("a", { allocatable: { cpu: "10", memory: "10Gi" } }),
        testNode("b", { allocatable: { cpu: "10", memory: "10Gi" } }),
      ],
      "b",
      [
        [testPod("x", { requests: { cpu: "4" } }), "a"],
        [testPod("y", { requests: { cpu: "2", memory: "2Gi" } }), "b"],
      ],
    ],
  ])("%s", (_rule, parts, nodes, want, placed = []) => {
    for (let seed = 0; seed < 5; seed++) expect(outcome(decide(testPod("p", parts), nodes, placed, seed))).toBe(want);
  });

  it("that chance picks among equals: one seed, one answer; many seeds, every node", () => {
    const nodes = [a, b, testNode("c")];
    const picks = Array.from({ length: 30 }, (_, seed) => outcome(decide(testPod("p"), nodes, [], seed)));
    expect(picks).toEqual(Array.from({ length: 30 }, (_, seed) => outcome(decide(testPod("p"), nodes, [], seed))));
    expect(new Set(picks)).toEqual(new Set(["a", "b", "c"]));
  });
});

it.each([
  [1, 1],
  [99, 99],
  [100, 100],
  [1000, 420],
  [5000, 500],
  [10000, 500],
])("of %i nodes, %i that fit are enough", (nodes, enough) => {
  expect(feasibleEnough(nodes)).toBe(enough);
});

it("searches zones in turn", () => {
  const cache = new SchedulerCache();
  const zone = (name: string) => ({ labels: { "topology.kubernetes.io/zone": name } });
  for (const [name, parts] of [
    ["a1", zone("a")],
    ["a2", zone("a")],
    ["a3", zone("a")],
    ["b1", zone("b")],
    ["x", {}],
  ] as const) {
    cache.setNode(testNode(name, parts));
  }
  expect(cache.nodes().map(({ name }) => name)).toEqual(["a1", "b1", "x", "a2", "a3"]);
});

it("counts Pods that were known before their node", () => {
  const cache = new SchedulerCache();
  cache.setPod(testPod("early", { requests: { cpu: "2" } }), "a");
  cache.setNode(a);
  expect(cache.nodes()[0]?.requested.cpuMillis).toBe(2000);
  expect(cache.removePod("uid-of-default-early")).toBe(true);
  expect(cache.nodes()[0]?.requested.cpuMillis).toBe(0);
  expect(cache.removePod("uid-of-default-early")).toBe(false);
});
