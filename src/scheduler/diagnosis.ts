// Why a Pod could not be scheduled, node by node, and the sentence that users read (pod-lifecycle 11.3).

import type { NodeRejection } from "./plugin.ts";

export interface Diagnosis {
  /** How many nodes there are, asked or not. */
  readonly nodeCount: number;
  /** What each asked node lacks, by node name. */
  readonly nodes: ReadonlyMap<string, NodeRejection>;
  /** Why the nodes were not asked that are missing in `nodes`; absent if all were. */
  readonly others?: NodeRejection;
  /** Set if a rule ruled out all nodes at once. */
  readonly preFilterMessage?: string;
  /** The plugins that rejected: what wakes the Pod is theirs to say. */
  readonly rejectedBy: ReadonlySet<string>;
  /** What became of the attempt to make room: empty if somebody will leave for it. */
  readonly preemption: string;
}

/** What a cluster without nodes answers. */
export const noNodesMessage = "no nodes available to schedule pods";

export function diagnosisMessage(diagnosis: Diagnosis): string {
  const { preFilterMessage, preemption } = diagnosis;
  const filter = preFilterMessage ?? histogram(diagnosis);
  const preemptionPart = preemption === "" ? "" : ` preemption: ${preemption}`;
  return `0/${diagnosis.nodeCount} nodes are available:${filter === "" ? "" : ` ${filter}.`}${preemptionPart}`;
}

/** `<count> <reason>` for each reason, sorted as text: `10 …` comes before `2 …`, as upstream has it. */
export function countedReasons(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .join(", ");
}

function histogram({ nodes, nodeCount, others }: Diagnosis): string {
  const counts = new Map<string, number>();
  const count = (reasons: readonly string[], times: number): void => {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + times);
  };
  for (const { reasons } of nodes.values()) count(reasons, 1);
  if (others !== undefined && nodes.size < nodeCount) count(others.reasons, nodeCount - nodes.size);
  return countedReasons(counts);
}
