// Where a Pod should go: filter, score, select (pod-lifecycle 11.1). Pure: the same Pod, nodes and stream of chance give the same answer.

import type { Pod } from "../api/index.ts";
import type { RandomStream } from "../base/random.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { NodeInfo } from "./node-info.ts";
import type { ClusterView, NodeRejection, PreparedFilter, SchedulingProfile } from "./plugin.ts";
import { preemptionNote } from "./preemption-note.ts";

export type SchedulingDecision =
  | {
      readonly kind: "placed";
      readonly node: NodeInfo;
      /** Where the search for the next Pod begins. */
      readonly nextStart: number;
    }
  | { readonly kind: "unschedulable"; readonly diagnosis: Diagnosis }
  | { readonly kind: "noNodes" };

export interface Search extends ClusterView {
  readonly profile: SchedulingProfile;
  /** Breaks ties between equally good nodes. */
  readonly random: RandomStream;
  /** The position among the nodes where the search begins; it moves on, so that all nodes get their turn. */
  readonly start: number;
}

/** With fewer nodes than this that fit, all are compared. */
export const fewestComparedNodes = 100;

export function schedulePod(pod: Pod, search: Search): SchedulingDecision {
  const { nodes, profile } = search;
  if (nodes.length === 0) return { kind: "noNodes" };
  const prepared = prepareFilters(pod, search, profile);
  if (prepared.kind === "rejected") return rejectedEverywhere(pod, nodes, prepared);

  const { candidates, others, rejectedBy } = narrow(nodes, prepared);
  const found = findFeasible(candidates, prepared.tests, search.start, feasibleEnough(nodes.length));
  if (found.feasible.length > 0) {
    const node = found.feasible.length === 1 ? found.feasible[0] : selectNode(pod, found.feasible, search);
    return { kind: "placed", node: node as NodeInfo, nextStart: (search.start + found.asked) % nodes.length };
  }
  for (const { plugin } of found.rejections.values()) rejectedBy.add(plugin);
  const diagnosis: Diagnosis = {
    nodeCount: nodes.length,
    nodes: found.rejections,
    ...(others === undefined ? {} : { others }),
    rejectedBy,
    preemption: preemptionNote(pod, nodes, (node) => found.rejections.get(node.name) ?? others, prepared.tests),
  };
  return { kind: "unschedulable", diagnosis };
}

/** How many nodes that fit are enough to compare: all of a small cluster, fewer and fewer percent of a large one. */
export function feasibleEnough(nodeCount: number): number {
  if (nodeCount < fewestComparedNodes) return nodeCount;
  const percent = Math.max(5, 50 - Math.floor(nodeCount / 125));
  return Math.max(fewestComparedNodes, Math.floor((nodeCount * percent) / 100));
}

type NodeTest = (node: NodeInfo) => NodeRejection | undefined;

type PreparedFilters =
  | { readonly kind: "rejected"; readonly plugin: string; readonly message: string; readonly unresolvable: boolean }
  | {
      readonly kind: "ready";
      readonly tests: readonly NodeTest[];
      readonly narrowing: readonly { readonly plugin: string; readonly nodeNames: ReadonlySet<string> }[];
    };

function prepareFilters(pod: Pod, cluster: ClusterView, profile: SchedulingProfile): PreparedFilters {
  const tests: NodeTest[] = [];
  const narrowing: { plugin: string; nodeNames: ReadonlySet<string> }[] = [];
  for (const plugin of profile.filters) {
    const filter: PreparedFilter = plugin.prepare(pod, cluster);
    switch (filter.kind) {
      case "skip":
        break;
      case "rejected":
        return { ...filter, plugin: plugin.name };
      case "filter":
        tests.push((node) => filter.test(node));
        if (filter.nodeNames !== undefined) narrowing.push({ plugin: plugin.name, nodeNames: filter.nodeNames });
        break;
    }
  }
  return { kind: "ready", tests, narrowing };
}

function rejectedEverywhere(
  pod: Pod,
  nodes: readonly NodeInfo[],
  { plugin, message, unresolvable }: PreparedFilters & { kind: "rejected" },
): SchedulingDecision {
  const others: NodeRejection = { plugin, reasons: [message], unresolvable };
  const diagnosis: Diagnosis = {
    nodeCount: nodes.length,
    nodes: new Map(),
    others,
    preFilterMessage: message,
    rejectedBy: new Set([plugin]),
    preemption: preemptionNote(pod, nodes, () => others, []),
  };
  return { kind: "unschedulable", diagnosis };
}

function narrow(
  nodes: readonly NodeInfo[],
  { narrowing }: PreparedFilters & { kind: "ready" },
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
  tests: readonly NodeTest[],
  start: number,
  enough: number,
): { feasible: NodeInfo[]; rejections: Map<string, NodeRejection>; asked: number } {
  const feasible: NodeInfo[] = [];
  const rejections = new Map<string, NodeRejection>();
  let asked = 0;
  for (; asked < candidates.length && feasible.length < enough; asked++) {
    const node = candidates[(start + asked) % candidates.length] as NodeInfo;
    const rejection = firstRejection(node, tests);
    if (rejection === undefined) feasible.push(node);
    else rejections.set(node.name, rejection);
  }
  return { feasible, rejections, asked };
}

function firstRejection(node: NodeInfo, tests: readonly NodeTest[]): NodeRejection | undefined {
  for (const test of tests) {
    const rejection = test(node);
    if (rejection !== undefined) return rejection;
  }
  return undefined;
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
