// Which Pods a Pod wants near it, and which not: the terms of affinity between Pods, made ready to be asked.

import type { Pod, PodAffinityTerm } from "../../../api/index.ts";
import { labelSelectorMatches } from "../../../api/meta/label-selector.ts";
import type { ClusterView } from "../../plugin.ts";

export interface AffinityTerm {
  readonly topologyKey: string;
  /** Whether the term speaks of this Pod. */
  matches(other: Pod): boolean;
  /** The same, but taking a namespace selector for one that finds every namespace: for those who do not know the namespaces. */
  mayMatch(other: Pod): boolean;
}

export interface WeightedTerm {
  readonly term: AffinityTerm;
  /** Negative for what is to be avoided. */
  readonly weight: number;
}

type NamespaceLabels = ClusterView["namespaceLabels"];

export function requiredAffinity(pod: Pod, namespaceLabels: NamespaceLabels): readonly AffinityTerm[] {
  const terms = pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.map((term) => prepareTerm(term, pod, namespaceLabels));
}

export function requiredAntiAffinity(pod: Pod, namespaceLabels: NamespaceLabels): readonly AffinityTerm[] {
  const terms = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.map((term) => prepareTerm(term, pod, namespaceLabels));
}

export function preferredTerms(pod: Pod, namespaceLabels: NamespaceLabels): readonly WeightedTerm[] {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const wanted = podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const avoided = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const prepare = (term: PodAffinityTerm): AffinityTerm => prepareTerm(term, pod, namespaceLabels);
  return [
    ...wanted.map(({ podAffinityTerm, weight }) => ({ term: prepare(podAffinityTerm), weight })),
    ...avoided.map(({ podAffinityTerm, weight }) => ({ term: prepare(podAffinityTerm), weight: -weight })),
  ];
}

/** @param owner the Pod whose term it is: its namespace counts where the term names none, its labels where the term refers to them */
function prepareTerm(term: PodAffinityTerm, owner: Pod, namespaceLabels: NamespaceLabels): AffinityTerm {
  const { topologyKey, labelSelector, namespaceSelector, namespaces = [] } = term;
  const labels = owner.metadata.labels ?? {};
  const known = (keys: readonly string[] = []): readonly string[] => keys.filter((key) => labels[key] !== undefined);
  const sameKeys = known(term.matchLabelKeys);
  const otherKeys = known(term.mismatchLabelKeys);
  const ownNamespace = namespaces.length === 0 && namespaceSelector === undefined;
  const isNamespace = (namespace: string): boolean =>
    ownNamespace
      ? namespace === owner.metadata.namespace
      : namespaces.includes(namespace) || labelSelectorMatches(namespaceSelector, namespaceLabels(namespace));
  const hasLabels = ({ metadata }: Pod): boolean =>
    labelSelectorMatches(labelSelector, metadata.labels) &&
    sameKeys.every((key) => metadata.labels?.[key] === labels[key]) &&
    otherKeys.every((key) => metadata.labels?.[key] !== labels[key]);
  const isThere = ({ metadata }: Pod): boolean => isNamespace(metadata.namespace ?? "");
  return {
    topologyKey,
    matches: (other) => isThere(other) && hasLabels(other),
    mayMatch: (other) => (namespaceSelector !== undefined || isThere(other)) && hasLabels(other),
  };
}
