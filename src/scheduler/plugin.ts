// What a scheduling rule looks like: may this Pod run on that node (filter), how well would it be placed there (score), and what would have to
// happen for a "no" to become a "yes" (wakes).

import type { Pod } from "../api/index.ts";
import type { ClusterEvent, PodAspect } from "./cluster-event.ts";
import type { NodeInfo } from "./node-info.ts";
import type { VolumeLookup } from "./plugins/volume-binding/pod-volumes.ts";

/** Why one node will not do. */
export interface NodeRejection {
  readonly plugin: string;
  /** As users read them: `Insufficient cpu`. */
  readonly reasons: readonly string[];
  /** Nothing that is evicted from the node can change it. */
  readonly unresolvable: boolean;
}

/** What rules may look at that concern more than one node. */
export interface ClusterView {
  readonly nodes: readonly NodeInfo[];
  /** `undefined` for a namespace that is not known. */
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined;
  /** Absent where nothing is known of volumes: then they keep no Pod from any node. */
  readonly volumes?: VolumeLookup;
}

/** A filter made ready for one Pod. */
export type PreparedFilter =
  /** The rule has nothing to say about this Pod. */
  | { readonly kind: "skip" }
  /** No node can do. */
  | { readonly kind: "rejected"; readonly message: string; readonly unresolvable: boolean }
  | {
      readonly kind: "filter";
      /** Only these nodes can do; all if absent. */
      readonly nodeNames?: ReadonlySet<string>;
      test(node: NodeInfo): NodeRejection | undefined;
    };

export interface FilterPlugin {
  readonly name: string;
  /** What is on other nodes counts, too: it has to be made ready anew when Pods are thought away. */
  readonly looksAround?: true;
  prepare(pod: Pod, cluster: ClusterView): PreparedFilter;
  /** Whether `event` may have made room for a Pod that this plugin rejected (pod-lifecycle 11.1, queueing hints). */
  wakesOn(event: ClusterEvent, pod: Pod): boolean;
  /** Whether a change of the rejected Pod itself may let it pass. */
  wakesOnPodChange(changes: ReadonlySet<PodAspect>, pod: Pod): boolean;
}

/** A score made ready for one Pod. */
export interface PreparedScore {
  score(node: NodeInfo): number;
  /** Brings the raw scores into 0 to 100; absent if they are already. */
  normalize?(scores: number[]): void;
}

export interface ScorePlugin {
  readonly name: string;
  /** `undefined` if all nodes are the same to this Pod. */
  prepareScore(pod: Pod, cluster: ClusterView, feasible: readonly NodeInfo[]): PreparedScore | undefined;
}

export interface WeightedScore {
  readonly plugin: ScorePlugin;
  readonly weight: number;
}

/** The rules of a scheduler: filters in the order in which they are asked, scores with their weights. */
export interface SchedulingProfile {
  readonly schedulerName: string;
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly WeightedScore[];
}

/** The best score a node can get from one plugin. */
export const maxNodeScore = 100;

/** Stretches scores so that the best raw score is 100; `reverse` makes the lowest raw score the best. */
export function normalizeScores(scores: number[], { reverse }: { readonly reverse: boolean }): void {
  const highest = Math.max(0, ...scores);
  for (const [index, score] of scores.entries()) {
    const stretched = highest === 0 ? 0 : Math.floor((maxNodeScore * score) / highest);
    scores[index] = reverse ? maxNodeScore - stretched : stretched;
  }
}
