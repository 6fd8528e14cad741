// Where a Pod should go: filter, score, select (pod-lifecycle 11.1). Pure: the same Pod, nodes and stream of chance give the same answer.

import type { Pod, PodDisruptionBudget } from "../api/index.ts";
import type { RandomStream } from "../base/random.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Nominations } from "./nominations.ts";
import type { ClusterView, NodeRejection, SchedulingProfile } from "./plugin.ts";
import { type Preemption, planPreemption } from "./preempt.ts";
import { type PreparedTests, type Preparation, prepareTests } from "./prepared-tests.ts";

export type SchedulingDecision =
  | {
      readonly kind: "placed";
      readonly node: NodeInfo;
      /** Where the search for the next Pod begins. */
      readonly nextStart: number;
    }
  | {
      readonly kind: "unschedulable";
      readonly diagnosis: Diagnosis;
      /** Whether room is to be made for it. */
      readonly preemption: Preemption;
    }
  | { readonly kind: "noNodes" };

export interface Search extends ClusterView {
  readonly profile: SchedulingProfile;
  /** Breaks ties between equally good nodes. */
  readonly random: RandomStream;
  /** The position among the nodes where the search begins; it moves on, so that all nodes get their turn. */
  readonly start: number;
  /** Pods for which room is being made; none unless said. */
  readonly nominations?: Nominations;
  /** What a preemption should respect; none unless said. */
  readonly budgets?: readonly PodDisruptionBudget[];
}

/** With fewer nodes than this that fit, all are compared. */
export const fewestComparedNodes = 100;

export function schedulePod(pod: Pod, search: Search): SchedulingDecision {
  const { nodes, profile } = search;
  if (nodes.length === 0) return { kind: "noNodes" };
  const prepared = prepareTests(pod, search, profile, search.nominations);
  if (prepared.kind === "rejected") return rejectedEverywhere(pod, search, prepared);

  const { tests } = prepared;
  const { candidates, others, rejectedBy } = narrow(nodes, tests);
  // Where room was made for the Pod it goes if it can.
  const nominated = candidates.find(({ name }) => name === pod.status.nominatedNodeName);
  if (nominated !== undefined && tests.rejectionOf(nominated) === undefined) {
    return { kind: "placed", node: nominated, nextStart: search.start };
  }
  const found = findFeasible(candidates, tests, search.start, feasibleEnough(nodes.length));
  if (found.feasible.length > 0) {
    const node = found.feasible.length === 1 ? found.feasible[0] : selectNode(pod, found.feasible, search);
    return { kind: "placed", node: node as NodeInfo, nextStart: (search.start + found.asked) % nodes.length };
  }
  for (const { plugin } of found.rejections.values()) rejectedBy.add(plugin);
  const preemption = planPreemption(pod, {
    nodes,
    rejectionOf: (node) => found.rejections.get(node.name) ?? others,
    tests,
    budgets: search.budgets ?? [],
    random: search.random,
  });
  const diagnosis: Diagnosis = {
    nodeCount: nodes.length,
    nodes: found.rejections,
    ...(others === undefined ? {} : { others }),
    rejectedBy,
    preemption: preemption.kind === "none" ? preemption.note : "",
  };
  return { kind: "unschedulable", diagnosis, preemption };
}

/** How many nodes that fit are enough to compare: all of a small cluster, fewer and fewer percent of a large one. */
export function feasibleEnough(nodeCount: number): number {
  if (nodeCount < fewestComparedNodes) return nodeCount;
  const percent = Math.max(5, 50 - Math.floor(nodeCount / 125));
  return Math.max(fewestComparedNodes, Math.floor((nodeCount * percent) / 100));
}

function rejectedEverywhere(
  pod: Pod,
  { nodes, random }: Search,
  { plugin, message, unresolvable }: Preparation & { kind: "rejected" },
): SchedulingDecision {
  const others: NodeRejection = { plugin, reasons: [message], unresolvable };
  const preemption = planPreemption(pod, { nodes, rejectionOf: () => others, budgets: [], random });
  const diagnosis: Diagnosis = {
    nodeCount: nodes.length,
    nodes: new Map(),
    others,
    preFilterMessage: message,
    rejectedBy: new Set([plugin]),
    preemption: preemption.kind === "none" ? preemption.note : "",
  };
  return { kind: "unschedulable", diagnosis, preemption };
}

function narrow(
  nodes: readonly NodeInfo[],
  { narrowing }: PreparedTests,
): { candidates: readonly NodeInfo[]; others?: NodeRejection; rejectedBy: Set<string> } {
  const plugins = narrowing.map(({ plugin }) => plugin).sort();
  if (plugins.length === 0) return { candidates: nodes, rejectedBy: new Set() };
  const candidates = nodes.filter(({ name }) => narrowing.every(({ nodeNames }) => nodeNames.has(name)));
  const reasons = [`node(s) didn't satisfy plugin(s) [${plugins.join(" ")}]`];
  const others = { plugin: plugins.join(" "), reasons, unresolvable: true };
  return { candidates, others, rejectedBy: new Set(plugins) };
}

function findFeasible(
  candidates: readonly NodeInfo[],
  tests: PreparedTests,
  start: number,
  enough: number,
): { feasible: NodeInfo[]; rejections: Map<string, NodeRejection>; asked: number } {
  const feasible: NodeInfo[] = [];
  const rejections = new Map<string, NodeRejection>();
  let asked = 0;
  for (; asked < candidates.length && feasible.length < enough; asked++) {
    const node = candidates[(start + asked) % candidates.length] as NodeInfo;
    const rejection = tests.rejectionOf(node);
    if (rejection === undefined) feasible.push(node);
    else rejections.set(node.name, rejection);
  }
  return { feasible, rejections, asked };
}

/** The node with the highest weighted score; among equals the stream of chance decides, so that equal nodes share the load. */
function selectNode(pod: Pod, nodes: readonly NodeInfo[], search: Search): NodeInfo {
  const { profile, random } = search;
  const totals = new Float64Array(nodes.length);
  for (const { plugin, weight } of profile.scores) {
    const prepared = plugin.prepareScore(pod, search, nodes);
    if (prepared === undefined) continue;
    const scores = nodes.map((node) => prepared.score(node));
    prepared.normalize?.(scores);
    for (const [index, score] of scores.entries()) totals[index] = (totals[index] as number) + weight * score;
  }
  const best: NodeInfo[] = [];
  let highest = Number.NEGATIVE_INFINITY;
  for (const [index, total] of totals.entries()) {
    if (total > highest) {
      highest = total;
      best.length = 0;
    }
    if (total === highest) best.push(nodes[index] as NodeInfo);
  }
  return best.length === 1 ? (best[0] as NodeInfo) : random.pick(best);
}
