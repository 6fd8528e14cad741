import { describe, expect, it } from "vitest";
import { type NodeParts, testNode, testPod } from "../../../../test/fakes/objects.ts";
import type { Affinity, Node, Pod } from "../../../api/index.ts";
import { SeededRandom } from "../../../base/random.ts";
import { type ClusterEvent, nodeChanges } from "../../cluster-event.ts";
import { diagnosisMessage } from "../../diagnosis.ts";
import { podInfo } from "../../node-info.ts";
import { schedulePod } from "../../schedule-pod.ts";
import { SchedulerCache } from "../../scheduler-cache.ts";
import { defaultProfile } from "../default-profile.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";

type Term = NonNullable<NonNullable<Affinity["podAffinity"]>["requiredDuringSchedulingIgnoredDuringExecution"]>[number];

const term = (app: string, more: Partial<Term> = {}): Term => ({
  topologyKey: "zone",
  labelSelector: { matchLabels: { app } },
  ...more,
});
const near = (...terms: Term[]): Affinity => ({
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const far = (...terms: Term[]): Affinity => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const preferring = (podAffinityTerm: Term, weight: number): Affinity => ({
  podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm, weight }] },
});
const avoiding = (podAffinityTerm: Term, weight: number): Affinity => ({
  podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm, weight }] },
});
const pod = (name: string, app: string, affinity?: Affinity, namespace = "default", labels: object = {}): Pod =>
  testPod(name, { namespace, labels: { app, ...labels }, ...(affinity && { spec: { affinity } }) });

const zone = (name: string): NodeParts => ({ labels: { zone: name } });
const a = testNode("a", zone("x"));
const a2 = testNode("a2", zone("x"));
const b = testNode("b", zone("y"));
const lone = testNode("lone");
const namespaces: Record<string, Record<string, string>> = { default: { team: "one" }, other: { team: "two" } };

function decide(incoming: Pod, nodes: readonly Node[], placed: readonly (readonly [Pod, string])[]) {
  const cache = new SchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const [other, nodeName] of placed) cache.assume(podInfo(other), nodeName);
  const view = { nodes: cache.nodes(), namespaceLabels: (name: string) => namespaces[name] };
  const random = new SeededRandom(1).stream("scheduler");
  return { view, decision: schedulePod(incoming, { ...view, profile: defaultProfile, random, start: 0 }) };
}

/** The nodes that the Pod fits on. */
function fits(incoming: Pod, nodes: readonly Node[], placed: readonly (readonly [Pod, string])[]): string[] {
  const { view } = decide(incoming, nodes, placed);
  const filter = interPodAffinity.prepare(incoming, view);
  return view.nodes.flatMap((info) => (filter.kind !== "filter" || filter.test(info) === undefined ? [info.name] : []));
}

describe("a Pod fits", () => {
  const db = pod("db", "db");
  const foreignDb = pod("db", "db", undefined, "other");
  type Row = [string, Pod, (readonly [Pod, string])[], string[]];
  it.each<Row>([
    ["anywhere if nobody asks for anything", pod("p", "web"), [[db, "a"]], ["a", "a2", "b", "lone"]],
    ["in the whole domain of the Pod it asks for", pod("p", "web", near(term("db"))), [[db, "a"]], ["a", "a2"]],
    [
      "on the very node, if that is the domain",
      pod("p", "web", near(term("db", { topologyKey: "kubernetes.io/hostname" }))),
      [[db, "a"]],
      ["a"],
    ],
    ["nowhere if the Pod it asks for is not there", pod("p", "web", near(term("db"))), [], []],
    ["nowhere if that Pod is in no domain", pod("p", "web", near(term("db"))), [[db, "lone"]], []],
    ["in every domain if it is the first of its own kind", pod("p", "web", near(term("web"))), [], ["a", "a2", "b"]],
    [
      "only with its own kind if it is not the first",
      pod("p", "web", near(term("web"))),
      [[pod("q", "web"), "b"]],
      ["b"],
    ],
    [
      "only where one Pod matches all terms",
      pod("p", "web", near(term("db"), term("cache"))),
      [
        [db, "a"],
        [pod("c", "cache"), "a"],
      ],
      [],
    ],
    ["outside the domain of the Pod it avoids", pod("p", "web", far(term("db"))), [[db, "a"]], ["b", "lone"]],
    [
      "outside the domain of a Pod that avoids it",
      pod("p", "web"),
      [[pod("q", "db", far(term("web"))), "a"]],
      ["b", "lone"],
    ],
    [
      "beside a Pod that avoids others",
      pod("p", "web"),
      [[pod("q", "db", far(term("db"))), "a"]],
      ["a", "a2", "b", "lone"],
    ],
    ["beside Pods of other namespaces", pod("p", "web", far(term("db"))), [[foreignDb, "a"]], ["a", "a2", "b", "lone"]],
    [
      "not beside those of a named namespace",
      pod("p", "web", far(term("db", { namespaces: ["other"] }))),
      [[foreignDb, "a"]],
      ["b", "lone"],
    ],
    [
      "not beside those of a selected namespace",
      pod("p", "web", far(term("db", { namespaceSelector: { matchLabels: { team: "two" } } }))),
      [[foreignDb, "a"]],
      ["b", "lone"],
    ],
    [
      "beside those of a namespace that is not selected",
      pod("p", "web", far(term("db", { namespaceSelector: { matchLabels: { team: "one" } } }))),
      [[foreignDb, "a"]],
      ["a", "a2", "b", "lone"],
    ],
    [
      "not beside any namespace's if all are selected",
      pod("p", "web", far(term("db", { namespaceSelector: {} }))),
      [[foreignDb, "a"]],
      ["b", "lone"],
    ],
    [
      "beside those whose further labels differ",
      pod("p", "web", far(term("web", { matchLabelKeys: ["rev"] })), "default", { rev: "2" }),
      [[pod("q", "web", undefined, "default", { rev: "1" }), "a"]],
      ["a", "a2", "b", "lone"],
    ],
    [
      "not beside those whose further labels must not differ",
      pod("p", "web", far(term("web", { mismatchLabelKeys: ["rev"] })), "default", { rev: "2" }),
      [[pod("q", "web", undefined, "default", { rev: "1" }), "a"]],
      ["b", "lone"],
    ],
  ])("%s", (_rule, incoming, placed, want) => {
    expect(fits(incoming, [a, a2, b, lone], placed)).toEqual(want);
  });
});

it.each<[string, Pod, Pod, string]>([
  [
    "is missing",
    pod("p", "web", near(term("db"))),
    pod("q", "cache"),
    "1 node(s) didn't match pod affinity rules. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  ],
  [
    "is too near",
    pod("p", "web", far(term("db"))),
    pod("q", "db"),
    "1 node(s) didn't match pod anti-affinity rules. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
  [
    "does not want it",
    pod("p", "web"),
    pod("q", "db", far(term("web"))),
    "1 node(s) didn't satisfy existing pods anti-affinity rules. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
])("says so when a Pod %s", (_what, incoming, other, message) => {
  const { decision } = decide(incoming, [a], [[other, "a"]]);
  expect(decision.kind === "unschedulable" && diagnosisMessage(decision.diagnosis)).toBe(
    `0/1 nodes are available: ${message}`,
  );
});

it.each<[string, Pod, Pod, string]>([
  ["prefers to be near", pod("p", "web", preferring(term("db"), 50)), pod("q", "db"), "a"],
  ["prefers not to be near", pod("p", "web", avoiding(term("db"), 50)), pod("q", "db"), "b"],
  ["is wanted by", pod("p", "web"), pod("q", "db", preferring(term("web"), 50)), "a"],
  ["is needed by", pod("p", "web"), pod("q", "db", near(term("web"))), "a"],
  ["is better avoided by", pod("p", "web"), pod("q", "db", avoiding(term("web"), 50)), "b"],
])("of two nodes alike chooses by the Pod that it %s", (_what, incoming, other, want) => {
  // A second Pod keeps the two nodes equally full.
  const { decision } = decide(
    incoming,
    [a, b],
    [
      [other, "a"],
      [pod("filler", "filler"), "b"],
    ],
  );
  expect(decision.kind === "placed" && decision.node.name).toBe(want);
});

describe("a rejected Pod is tried again", () => {
  const updated = (before: NodeParts, after: NodeParts): ClusterEvent => {
    const [previous, node] = [testNode("a", before), testNode("a", after)];
    return { kind: "nodeUpdated", node, previous, changes: nodeChanges(previous, node) };
  };
  const db = pod("db", "db");
  const wantsDb = pod("p", "web", near(term("db")));
  it.each<[string, Pod, ClusterEvent, boolean]>([
    ["what it asks for comes", wantsDb, { kind: "assignedPodAdded", pod: db }, true],
    ["somebody else comes", wantsDb, { kind: "assignedPodAdded", pod: pod("c", "cache") }, false],
    ["what it avoids goes", pod("p", "web", far(term("db"))), { kind: "assignedPodDeleted", pod: db }, true],
    [
      "who avoids it goes",
      pod("p", "web"),
      { kind: "assignedPodDeleted", pod: pod("q", "db", far(term("web"))) },
      true,
    ],
    [
      "one of a namespace that may be selected comes",
      pod("p", "web", near(term("db", { namespaceSelector: {} }))),
      { kind: "assignedPodAdded", pod: pod("d", "db", undefined, "other") },
      true,
    ],
    [
      "what it avoids is relabeled",
      pod("p", "web", far(term("db"))),
      { kind: "assignedPodRelabeled", previous: db, pod: pod("db", "cache") },
      true,
    ],
    ["a node of a domain comes", wantsDb, { kind: "nodeAdded", node: a }, true],
    ["a node outside comes", wantsDb, { kind: "nodeAdded", node: lone }, false],
    ["a node is relabeled", wantsDb, updated({}, zone("x")), true],
    ["a node grows", wantsDb, updated({}, { allocatable: { cpu: "9" } }), false],
    ["a node goes", wantsDb, { kind: "nodeDeleted", node: a }, false],
    ["somebody asks for less", wantsDb, { kind: "assignedPodScaledDown", previous: db, pod: db }, false],
  ])("when %s", (_what, incoming, event, want) => {
    expect(interPodAffinity.wakesOn(event, incoming)).toBe(want);
  });
});
