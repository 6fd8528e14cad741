import { describe, expect, it } from "vitest";
import { testNode, testPod } from "../../test/fakes/objects.ts";
import type { Node, Pod, PodDisruptionBudget } from "../api/index.ts";
import { SeededRandom } from "../base/random.ts";
import { podInfo } from "./node-info.ts";
import { Nominations } from "./nominations.ts";
import { defaultProfile } from "./plugins/default-profile.ts";
import type { Preemption } from "./preempt.ts";
import { type Search, schedulePod } from "./schedule-pod.ts";
import { SchedulerCache } from "./scheduler-cache.ts";

interface VictimParts {
  readonly priority?: number;
  readonly cpu?: string;
  readonly started?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly leaving?: boolean;
  readonly ports?: number;
}

/** A Pod that runs; two cores and priority 0 unless said. */
function running(name: string, parts: VictimParts = {}): Pod {
  const { priority = 0, cpu = "2", started = "2025-01-01T00:00:00Z", labels, leaving = false } = parts;
  const mark = { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" } as const;
  return testPod(name, {
    requests: { cpu },
    spec: { priority },
    ...(labels && { labels }),
    ...(leaving && { deletionTimestamp: started }),
    ...(parts.ports !== undefined && {
      ports: [{ containerPort: 80, hostPort: parts.ports, protocol: "TCP" as const }],
    }),
    status: { phase: "Running", startTime: started, ...(leaving && { conditions: [mark] }) },
  });
}

const vip = (cpu = "3", spec: Partial<Pod["spec"]> = {}, status: Partial<Pod["status"]> = {}): Pod =>
  testPod("vip", { requests: { cpu }, spec: { priority: 1000, ...spec }, status });

const budget = (name: string, disruptionsAllowed: number, disruptedPods?: Record<string, string>) =>
  ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2025-01-01T00:00:00Z",
    },
    spec: { selector: { matchLabels: { app: name } } },
    status: {
      disruptionsAllowed,
      currentHealthy: 1,
      desiredHealthy: 1,
      expectedPods: 1,
      ...(disruptedPods && { disruptedPods }),
    },
  }) satisfies PodDisruptionBudget;

type Placed = Readonly<Record<string, readonly Pod[]>>;

function decide(
  pod: Pod,
  placed: Placed,
  more: Partial<Search> & { readonly nodes?: never; readonly as?: Node[] } = {},
) {
  const cache = new SchedulerCache();
  const nodes = more.as ?? Object.keys(placed).map((name) => testNode(name));
  for (const node of nodes) cache.setNode(node);
  for (const [node, pods] of Object.entries(placed)) for (const each of pods) cache.setPod(each, node);
  return schedulePod(pod, {
    nodes: cache.nodes(),
    namespaceLabels: () => undefined,
    profile: defaultProfile,
    random: new SeededRandom(1).stream("scheduler"),
    start: 0,
    ...more,
  });
}

function text(preemption: Preemption): string {
  return preemption.kind === "none"
    ? preemption.note
    : `${preemption.nodeName}: ${preemption.victims.map(({ metadata }) => metadata.name).join(" ")}`;
}

/** `node: victims`, or what users are told. */
function preempted(...parameters: Parameters<typeof decide>): string {
  const decision = decide(...parameters);
  return decision.kind === "unschedulable" ? text(decision.preemption) : decision.kind;
}

const old = "2024-01-01T00:00:00Z";
const young = "2025-06-01T00:00:00Z";

describe("who leaves a node", () => {
  it.each<[string, readonly Pod[], string, string]>([
    ["the one of lower priority", [running("x", { cpu: "4" })], "3", "a: x"],
    [
      "not one of the same priority",
      [running("x", { cpu: "4", priority: 1000 })],
      "3",
      "0/1 nodes are available: 1 No preemption victims found for incoming pod.",
    ],
    ["only as many as must", [running("x"), running("y")], "2", "a: y"],
    ["the least important", [running("x", { priority: 5 }), running("y", { priority: 9 })], "2", "a: x"],
    ["of equals the younger", [running("x", { started: young }), running("y", { started: old })], "2", "a: x"],
    [
      "all that must, the most important first",
      [running("x", { priority: 1 }), running("y", { priority: 2 })],
      "4",
      "a: y x",
    ],
    [
      "a large one rather than nobody",
      [running("x", { cpu: "1", priority: 1 }), running("y", { cpu: "3", priority: 2 })],
      "3",
      "a: y",
    ],
    [
      "nobody if it would not be enough",
      [running("x", { priority: 5000 }), running("y")],
      "3",
      "0/1 nodes are available: 1 Insufficient cpu.",
    ],
    [
      "nobody if even the empty node is too small",
      [running("x")],
      "9",
      "0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    ],
  ])("%s", (_rule, pods, cpu, want) => {
    expect(preempted(vip(cpu), { a: pods })).toBe(want);
  });

  it("whoever holds a port that is wanted", () => {
    const pod = testPod("vip", {
      ports: [{ containerPort: 80, hostPort: 80, protocol: "TCP" }],
      spec: { priority: 1 },
    });
    expect(preempted(pod, { a: [running("x", { ports: 80 }), running("y", { ports: 81 })] })).toBe("a: x");
  });

  it("those whom no budget keeps, before those whom one keeps", () => {
    const pods = [running("kept", { labels: { app: "kept" }, priority: 1 }), running("free", { priority: 5 })];
    expect(preempted(vip("2"), { a: pods }, { budgets: [budget("kept", 0)] })).toBe("a: free");
    expect(preempted(vip("2"), { a: pods }, { budgets: [budget("kept", 1)] })).toBe("a: kept");
    expect(preempted(vip("4"), { a: pods }, { budgets: [budget("kept", 0)] })).toBe("a: free kept");
    expect(preempted(vip("2"), { a: pods }, { budgets: [budget("kept", 0, { kept: old })] })).toBe("a: kept");
  });
});

describe("which node", () => {
  const full = (...pods: readonly Pod[]) => pods;
  it.each<[string, Placed, string]>([
    [
      "where the fewest budgets are broken",
      {
        a: full(running("x", { cpu: "4", labels: { app: "kept" } })),
        b: full(running("y", { cpu: "4", priority: 9 })),
      },
      "b: y",
    ],
    [
      "where the most important victim is the least important",
      {
        a: full(running("x", { cpu: "4", priority: 7 })),
        b: full(running("y", { priority: 3 }), running("z", { priority: 3 })),
      },
      "b: y z",
    ],
    [
      "where the priorities sum up to less",
      {
        a: full(running("x", { priority: 3 }), running("w", { priority: 2 })),
        b: full(running("y", { priority: 3 }), running("z", { priority: 1 })),
      },
      "b: y z",
    ],
    [
      "where fewer leave, also of negative priority",
      {
        a: full(running("x", { priority: -3 }), running("w", { priority: -3 })),
        b: full(running("y", { cpu: "4", priority: -3 })),
      },
      "b: y",
    ],
    [
      "where the most important have run for the shortest time",
      { a: full(running("x", { cpu: "4", started: old })), b: full(running("y", { cpu: "4", started: young })) },
      "b: y",
    ],
    ["the first of equals", { a: full(running("x", { cpu: "4" })), b: full(running("y", { cpu: "4" })) }, "a: x"],
  ])("%s", (_rule, placed, want) => {
    expect(preempted(vip(), placed, { budgets: [budget("kept", 0)] })).toBe(want);
  });

  it("none that is refused for what no leaving changes", () => {
    const as = [testNode("a", { taints: [{ key: "k", effect: "NoSchedule" }] }), testNode("b")];
    const placed = { a: [running("x", { cpu: "4" })], b: [running("y", { cpu: "4", priority: 2000 })] };
    expect(preempted(vip(), placed, { as })).toBe(
      "0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
    );
  });
});

describe("who may preempt", () => {
  const placed = { a: [running("x", { cpu: "4" })] };
  const leaving = { a: [running("x", { cpu: "4", leaving: true })] };
  const onA = { nominatedNodeName: "a" };
  it.each<[string, Pod, Placed, string]>([
    [
      "not who must not",
      vip("3", { preemptionPolicy: "Never" }),
      placed,
      "not eligible due to preemptionPolicy=Never.",
    ],
    [
      "not who waits for a victim",
      vip("3", {}, onA),
      leaving,
      "not eligible due to a terminating pod on the nominated node.",
    ],
    ["who waits for nobody any more", vip("3", {}, onA), placed, "a: x"],
    ["who was nominated for a node that is gone", vip("3", {}, { nominatedNodeName: "b" }), placed, "a: x"],
    ["who is not nominated, again with those that leave", vip(), leaving, "a: x"],
  ])("%s", (_rule, pod, there, want) => {
    expect(preempted(pod, there)).toBe(want);
  });

  it("keeps the nomination while it waits, and ends it when there is no hope", () => {
    const waits = decide(vip("3", {}, onA), leaving);
    const hopeless = decide(vip("3", {}, onA), { a: [running("x", { cpu: "4", priority: 5000 })] });
    expect([waits, hopeless].map((each) => each.kind === "unschedulable" && each.preemption)).toMatchObject([
      { endsNomination: false },
      { endsNomination: true },
    ]);
  });
});

describe("room that is being made", () => {
  const nominatedFor = (node: string, priority: number): Nominations => {
    const nominations = new Nominations();
    nominations.set(testPod("first", { requests: { cpu: "3" }, spec: { priority } }), node);
    return nominations;
  };
  const placeOf = (pod: Pod, nominations: Nominations): string => {
    const decision = decide(pod, { a: [] }, { nominations });
    return decision.kind === "placed" ? decision.node.name : decision.kind;
  };

  it.each<[string, number, string]>([
    ["is taken for Pods of lower priority", 2000, "unschedulable"],
    ["is taken for Pods of the same priority", 1000, "unschedulable"],
    ["is open to Pods of higher priority", 999, "a"],
  ])("%s", (_rule, priority, want) => {
    expect(placeOf(vip(), nominatedFor("a", priority))).toBe(want);
  });

  it("is open to the Pod that it is made for, on whose node it looks first", () => {
    const nominations = new Nominations();
    const pod = vip("3", {}, { nominatedNodeName: "c" });
    nominations.set(pod, "c");
    const decision = decide(pod, { a: [], b: [], c: [running("x", { cpu: "1" })] }, { nominations });
    expect(decision.kind === "placed" && decision.node.name).toBe("c");
  });

  it("stays taken when news come that do not know of it yet, and ends when they take it back", () => {
    const nominations = new Nominations();
    const pod = vip();
    nominations.set(pod, "a");
    nominations.observe(pod, pod);
    expect(nominations.nodeOf(pod.metadata.uid)).toBe("a");
    nominations.observe(pod, vip("3", {}, { nominatedNodeName: "a" }));
    expect(nominations.nodeOf(pod.metadata.uid)).toBeUndefined();
    expect(nominations.size).toBe(0);
  });
});

it("counts nothing twice: the sums of a node are as before when somebody was thought away", () => {
  const info = podInfo(running("x"));
  const cache = new SchedulerCache();
  cache.setNode(testNode("a"));
  cache.setPod(info.pod, "a");
  const [node] = cache.nodes();
  const without = node?.without(() => true);
  without?.add(info);
  expect(without?.requested).toEqual(node?.requested);
});
