// Which nodes a Pod may and would like to be on: `nodeSelector` and node affinity (pod-lifecycle 11.4).

import type {
  Node,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
} from "../../generated/core-v1.ts";
import { integerOf } from "../../meta/label-selector.ts";

/** Of a node, what selection looks at. */
export type SelectableNode = { readonly metadata: Pick<Node["metadata"], "name" | "labels"> };

/** Of a Pod, what asks for nodes. */
export type SelectingPod = { readonly spec: Pick<PodSpec, "nodeSelector" | "affinity"> };

/** Whether a node satisfies `nodeSelector` and the required node affinity, both of which must hold. */
export function matchesRequiredNodeAffinity(pod: SelectingPod, node: SelectableNode): boolean {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return selected && (required === undefined || matchesNodeSelector(required, node));
}

/**
 * The only nodes that can satisfy the required affinity, when each of its terms names nodes (a DaemonSet's Pods): looking at others is in
 * vain. `undefined` if any node may do; an empty set if the terms contradict themselves.
 */
export function requiredNodeNames(pod: SelectingPod): ReadonlySet<string> | undefined {
  const terms =
    pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const term of terms) {
    const named = (term.matchFields ?? []).filter(({ key, operator }) => key === "metadata.name" && operator === "In");
    if (named.length === 0) return undefined;
    const [first, ...others] = named.map(({ values = [] }) => values);
    for (const name of first ?? []) if (others.every((values) => values.includes(name))) names.add(name);
  }
  return names;
}

/** Whether any of the terms matches. A selector without terms matches nothing. */
export function matchesNodeSelector(selector: NodeSelector, node: SelectableNode): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node));
}

/** Whether all expressions and all fields of a term match. A term with neither matches nothing. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: SelectableNode): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  const labelOf = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  const fieldOf = (key: string): string | undefined => (key === "metadata.name" ? node.metadata.name : undefined);
  return (
    expressions.every((requirement) => matchesRequirement(requirement, labelOf(requirement.key))) &&
    fields.every((requirement) => matchesRequirement(requirement, fieldOf(requirement.key)))
  );
}

/** The sum of the weights of the preferred terms that match; empty terms count nothing. */
export function preferredNodeAffinityWeight(affinity: NodeAffinity | undefined, node: SelectableNode): number {
  const terms = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms
    .filter(({ preference }) => matchesNodeSelectorTerm(preference, node))
    .reduce((sum, { weight }) => sum + weight, 0);
}

function matchesRequirement({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      const have = integerOf(value);
      const bound = integerOf(values[0]);
      if (have === undefined || bound === undefined) return false;
      return operator === "Gt" ? have > bound : have < bound;
    }
  }
}
