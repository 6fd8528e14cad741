// Spreads the Pods of a group over domains: zones, racks, nodes (pod-lifecycle 11.4). A hard constraint keeps a Pod off nodes of crowded
// domains, a soft one prefers the emptier ones.

import type { Node, Pod } from "../../../api/index.ts";
import { matchesRequiredNodeAffinity } from "../../../api/core/v1/node-affinity.ts";
import { type FilterPlugin, type ScorePlugin, maxNodeScore } from "../../plugin.ts";
import { countPerDomain, domainOf, groupOf, hasAllDomains, spreadConstraints } from "./domains.ts";

const name = "PodTopologySpread";
const crowded = "node(s) didn't match pod topology spread constraints";
const noDomain = `${crowded} (missing required label)`;

export const podTopologySpread: FilterPlugin & ScorePlugin = {
  name,
  looksAround: true,
  prepare(pod, { nodes }) {
    const constraints = spreadConstraints(pod, "DoNotSchedule");
    if (constraints.length === 0) return { kind: "skip" };
    const checks = constraints.map((constraint) => {
      const counts = countPerDomain(pod, constraint, constraints, nodes);
      const fewest = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
      const itself = groupOf(pod, constraint)(pod) ? 1 : 0;
      // The most Pods of the group that a domain may hold before this one comes.
      return { constraint, counts, most: constraint.maxSkew + (counts.size === 0 ? 0 : fewest) - itself };
    });
    return {
      kind: "filter",
      test({ node }) {
        for (const { constraint, counts, most } of checks) {
          const domain = domainOf(node, constraint);
          if (domain === undefined) return { plugin: name, reasons: [noDomain], unresolvable: true };
          if ((counts.get(domain) ?? 0) > most) return { plugin: name, reasons: [crowded], unresolvable: false };
        }
        return undefined;
      },
    };
  },
  wakesOn(event, pod) {
    const constraints = spreadConstraints(pod, "DoNotSchedule");
    const counts = (other: Pod): boolean => constraints.some((constraint) => groupOf(pod, constraint)(other));
    const isUseful = (node: Node): boolean =>
      hasAllDomains(node, constraints) && matchesRequiredNodeAffinity(pod, node);
    switch (event.kind) {
      case "nodeAdded":
      case "nodeDeleted": // the emptiest domain may have gone with it
        return isUseful(event.node);
      case "nodeUpdated":
        return (
          (event.changes.has("labels") || event.changes.has("taints")) &&
          (isUseful(event.node) || isUseful(event.previous))
        );
      case "assignedPodAdded": // it may have filled the emptiest domain
      case "assignedPodDeleted":
        return counts(event.pod);
      case "assignedPodRelabeled":
        return counts(event.pod) !== counts(event.previous);
      case "volumesChanged":
      case "assignedPodScaledDown":
        return false;
    }
  },
  wakesOnPodChange: (changes) => changes.has("labels"),
  prepareScore(pod, { nodes }, feasible) {
    const constraints = spreadConstraints(pod, "ScheduleAnyway");
    if (constraints.length === 0) return undefined;
    const parts = constraints.map((constraint) => ({
      constraint,
      counts: countPerDomain(pod, constraint, constraints, nodes),
      // A constraint over many domains would else weigh less than one over few.
      weight: Math.log(new Set(feasible.map(({ node }) => domainOf(node, constraint))).size + 2),
    }));
    return {
      score({ node }) {
        if (!hasAllDomains(node, constraints)) return outside;
        return Math.round(
          parts.reduce((sum, { constraint, counts, weight }) => {
            const count = counts.get(domainOf(node, constraint) ?? "") ?? 0;
            return sum + count * weight + constraint.maxSkew - 1;
          }, 0),
        );
      },
      normalize: fewestFirst,
    };
  },
};

/** The score of a node that lies in no domain. */
const outside = -1;

/** The node in the emptiest domains gets the best score; nodes in no domain get none. */
function fewestFirst(scores: number[]): void {
  const inside = scores.filter((score) => score !== outside);
  const fewest = Math.min(...inside);
  const most = Math.max(...inside);
  for (const [index, score] of scores.entries()) {
    if (score === outside) scores[index] = 0;
    else scores[index] = most === 0 ? maxNodeScore : Math.floor((maxNodeScore * (most + fewest - score)) / most);
  }
}
