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

/** Whether a node satisfies `nodeSelector` and the required node affinity, both of which must hold. */
export function matchesNodeConstraints(
  spec: Pick<PodSpec, "nodeSelector" | "affinity">,
  node: SelectableNode,
): boolean {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(spec.nodeSelector ?? {}).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return selected && (required === undefined || matchesNodeSelector(required, node));
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
