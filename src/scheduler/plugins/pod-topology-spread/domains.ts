// Domains of nodes, and how many Pods of a group are in each.

import type { Node, Pod, TopologySpreadConstraint } from "../../../api/index.ts";
import { matchesRequiredNodeAffinity } from "../../../api/core/v1/node-affinity.ts";
import { untoleratedTaint } from "../../../api/core/v1/taints.ts";
import { labelSelectorMatches } from "../../../api/meta/label-selector.ts";
import type { NodeInfo } from "../../node-info.ts";

export function spreadConstraints(
  { spec }: Pod,
  whenUnsatisfiable: TopologySpreadConstraint["whenUnsatisfiable"],
): readonly TopologySpreadConstraint[] {
  return (spec.topologySpreadConstraints ?? []).filter(
    (constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable,
  );
}

/** The domain that the node lies in. */
export function domainOf({ metadata }: Node, { topologyKey }: TopologySpreadConstraint): string | undefined {
  return metadata.labels?.[topologyKey];
}

export function hasAllDomains(node: Node, constraints: readonly TopologySpreadConstraint[]): boolean {
  return constraints.every((constraint) => domainOf(node, constraint) !== undefined);
}

/** Tells the Pods that the constraint counts: those of the Pod's namespace that its selector finds and that are not on their way out. */
export function groupOf(pod: Pod, { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint) {
  const labels = pod.metadata.labels ?? {};
  const keys = matchLabelKeys.filter((key) => labels[key] !== undefined);
  return ({ metadata }: Pod): boolean =>
    metadata.namespace === pod.metadata.namespace &&
    metadata.deletionTimestamp === undefined &&
    labelSelectorMatches(labelSelector, metadata.labels) &&
    keys.every((key) => metadata.labels?.[key] === labels[key]);
}

/** How many Pods of the group are in each domain, also where there is none. Nodes that the Pod cannot use do not count, as the constraint says. */
export function countPerDomain(
  pod: Pod,
  constraint: TopologySpreadConstraint,
  together: readonly TopologySpreadConstraint[],
  nodes: readonly NodeInfo[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const isOfGroup = groupOf(pod, constraint);
  for (const info of nodes) {
    const domain = domainOf(info.node, constraint);
    if (domain === undefined || !hasAllDomains(info.node, together) || !isIncluded(pod, constraint, info.node))
      continue;
    let count = counts.get(domain) ?? 0;
    for (const { pod: other } of info.pods()) if (isOfGroup(other)) count++;
    counts.set(domain, count);
  }
  return counts;
}

function isIncluded(
  pod: Pod,
  { nodeAffinityPolicy = "Honor", nodeTaintsPolicy = "Ignore" }: TopologySpreadConstraint,
  node: Node,
): boolean {
  if (nodeAffinityPolicy === "Honor" && !matchesRequiredNodeAffinity(pod, node)) return false;
  if (nodeTaintsPolicy === "Ignore") return true;
  return untoleratedTaint(pod, node.spec.taints ?? [], ["NoSchedule", "NoExecute"]) === undefined;
}
