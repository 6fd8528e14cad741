// Keeps Pods near those they ask for and away from those they avoid, and away from Pods that avoid them (pod-lifecycle 11.3). Near means: in the
// same domain, a set of nodes with the same value of a label.

import type { Node, Pod } from "../../../api/index.ts";
import type { NodeInfo } from "../../node-info.ts";
import {
  type ClusterView,
  type FilterPlugin,
  type NodeRejection,
  type ScorePlugin,
  maxNodeScore,
} from "../../plugin.ts";
import { type AffinityTerm, preferredTerms, requiredAffinity, requiredAntiAffinity } from "./affinity-terms.ts";

const name = "InterPodAffinity";
const notNear = "node(s) didn't match pod affinity rules";
const tooNear = "node(s) didn't match pod anti-affinity rules";
const avoided = "node(s) didn't satisfy existing pods anti-affinity rules";

/** What a Pod that requires this one near it adds to the score of a domain, though nothing requires this one to come. */
const requiredByOthersWeight = 1;

export const interPodAffinity: FilterPlugin & ScorePlugin = {
  name,
  looksAround: true,
  prepare(pod, cluster) {
    const { namespaceLabels } = cluster;
    const affinity = requiredAffinity(pod, namespaceLabels);
    const antiAffinity = requiredAntiAffinity(pod, namespaceLabels);
    const closed = domainsClosedBy(pod, cluster);
    if (affinity.length === 0 && antiAffinity.length === 0 && closed.isEmpty()) return { kind: "skip" };

    const near = new Domains();
    const far = new Domains();
    if (affinity.length > 0 || antiAffinity.length > 0) {
      for (const info of cluster.nodes) countOnNode(info, affinity, antiAffinity, near, far);
    }
    // The first of a group that asks for its own kind must be able to start somewhere.
    const isFirst = near.isEmpty() && affinity.every((term) => term.matches(pod));
    return {
      kind: "filter",
      test({ node }): NodeRejection | undefined {
        const isNear = affinity.every(
          ({ topologyKey }) => hasLabel(node, topologyKey) && (isFirst || near.has(node, topologyKey)),
        );
        if (!isNear) return { plugin: name, reasons: [notNear], unresolvable: true };
        if (antiAffinity.some(({ topologyKey }) => far.has(node, topologyKey))) {
          return { plugin: name, reasons: [tooNear], unresolvable: false };
        }
        return closed.hasAny(node) ? { plugin: name, reasons: [avoided], unresolvable: false } : undefined;
      },
    };
  },
  wakesOn(event, pod) {
    // Which namespaces a selector finds is not known here: better to be woken too often than never.
    const unknown = (): undefined => undefined;
    const concerns = (other: Pod): boolean =>
      [...requiredAffinity(pod, unknown), ...requiredAntiAffinity(pod, unknown)].some((term) => term.mayMatch(other)) ||
      requiredAntiAffinity(other, unknown).some((term) => term.mayMatch(pod));
    switch (event.kind) {
      case "nodeAdded":
        return requiredAffinity(pod, unknown).every(({ topologyKey }) => hasLabel(event.node, topologyKey));
      case "nodeUpdated":
        return event.changes.has("labels");
      case "assignedPodAdded":
      case "assignedPodDeleted":
        return concerns(event.pod);
      case "assignedPodRelabeled":
        return concerns(event.pod) || concerns(event.previous);
      case "nodeDeleted":
      case "volumesChanged":
      case "assignedPodScaledDown":
        return false;
    }
  },
  wakesOnPodChange: (changes) => changes.has("labels"),
  prepareScore(pod, cluster) {
    const domains = preferences(pod, cluster);
    if (domains.isEmpty()) return undefined;
    return { score: ({ node }) => domains.sumFor(node), normalize: lowestToHighest };
  },
};

/** Counts Pods by domain: the value of a label of the nodes they are on. */
class Domains {
  readonly #counts = new Map<string, Map<string, number>>();

  isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  add(node: Node, topologyKey: string, weight = 1): void {
    const value = node.metadata.labels?.[topologyKey];
    if (value === undefined) return;
    let values = this.#counts.get(topologyKey);
    if (values === undefined) {
      values = new Map();
      this.#counts.set(topologyKey, values);
    }
    values.set(value, (values.get(value) ?? 0) + weight);
  }

  has(node: Node, topologyKey: string): boolean {
    const value = node.metadata.labels?.[topologyKey];
    return value !== undefined && (this.#counts.get(topologyKey)?.has(value) ?? false);
  }

  hasAny(node: Node): boolean {
    for (const topologyKey of this.#counts.keys()) if (this.has(node, topologyKey)) return true;
    return false;
  }

  sumFor(node: Node): number {
    let sum = 0;
    for (const [topologyKey, values] of this.#counts) {
      const value = node.metadata.labels?.[topologyKey];
      if (value !== undefined) sum += values.get(value) ?? 0;
    }
    return sum;
  }
}

function hasLabel({ metadata }: Node, key: string): boolean {
  return metadata.labels?.[key] !== undefined;
}

function countOnNode(
  info: NodeInfo,
  affinity: readonly AffinityTerm[],
  antiAffinity: readonly AffinityTerm[],
  near: Domains,
  far: Domains,
): void {
  for (const { pod: other } of info.pods()) {
    // One and the same Pod must match all that is asked for.
    if (affinity.length > 0 && affinity.every((term) => term.matches(other))) {
      for (const { topologyKey } of affinity) near.add(info.node, topologyKey);
    }
    for (const term of antiAffinity) if (term.matches(other)) far.add(info.node, term.topologyKey);
  }
}

/** The domains of Pods that do not want this one near. */
function domainsClosedBy(pod: Pod, { nodes, namespaceLabels }: ClusterView): Domains {
  const closed = new Domains();
  for (const info of nodes) {
    if (info.choosyPods().size === 0) continue;
    for (const { pod: other } of info.choosyPods().values()) {
      for (const term of requiredAntiAffinity(other, namespaceLabels)) {
        if (term.matches(pod)) closed.add(info.node, term.topologyKey);
      }
    }
  }
  return closed;
}

/** What speaks for and against each domain: this Pod's preferences, and those of the Pods that are there. */
function preferences(pod: Pod, { nodes, namespaceLabels }: ClusterView): Domains {
  const domains = new Domains();
  const own = preferredTerms(pod, namespaceLabels);
  for (const info of nodes) {
    if (own.length > 0) {
      for (const { pod: other } of info.pods()) {
        for (const { term, weight } of own) if (term.matches(other)) domains.add(info.node, term.topologyKey, weight);
      }
    }
    if (info.choosyPods().size === 0) continue;
    for (const { pod: other } of info.choosyPods().values()) {
      const theirs = [
        ...preferredTerms(other, namespaceLabels),
        ...requiredAffinity(other, namespaceLabels).map((term) => ({ term, weight: requiredByOthersWeight })),
      ];
      for (const { term, weight } of theirs) if (term.matches(pod)) domains.add(info.node, term.topologyKey, weight);
    }
  }
  return domains;
}

/** The lowest sum gets nothing, the highest all; sums may be negative. */
function lowestToHighest(scores: number[]): void {
  const lowest = Math.min(...scores);
  const range = Math.max(...scores) - lowest;
  for (const [index, score] of scores.entries()) {
    scores[index] = range === 0 ? 0 : Math.floor((maxNodeScore * (score - lowest)) / range);
  }
}
