// What users are told about making room (pod-lifecycle 11.3): for each node, whether Pods of lower priority would have to leave, and whether that
// would help. Says only; nobody is evicted here.

import type { Pod } from "../api/index.ts";
import { countedReasons } from "./diagnosis.ts";
import type { NodeInfo } from "./node-info.ts";
import type { NodeRejection } from "./plugin.ts";

const notHelpful = "Preemption is not helpful for scheduling";
const noVictims = "No preemption victims found for incoming pod";

/** Empty if the Pod would fit on some node without its Pods of lower priority. */
export function preemptionNote(
  pod: Pod,
  nodes: readonly NodeInfo[],
  rejectionOf: (node: NodeInfo) => NodeRejection | undefined,
  tests: readonly ((node: NodeInfo) => NodeRejection | undefined)[],
): string {
  if (pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const priority = pod.spec.priority ?? 0;
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const reasons = whyRoomCannotBeMade(node, priority, rejectionOf(node), tests);
    if (reasons.length === 0) return "";
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return `0/${nodes.length} nodes are available: ${countedReasons(counts)}.`;
}

function whyRoomCannotBeMade(
  node: NodeInfo,
  priority: number,
  rejection: NodeRejection | undefined,
  tests: readonly ((node: NodeInfo) => NodeRejection | undefined)[],
): readonly string[] {
  if (rejection === undefined || rejection.unresolvable) return [notHelpful];
  const isLower = ({ pod }: { readonly pod: Pod }): boolean => (pod.spec.priority ?? 0) < priority;
  let victims = false;
  for (const info of node.pods()) if (isLower(info)) victims = true;
  if (!victims) return [noVictims];
  const emptied = node.without(isLower);
  for (const test of tests) {
    const still = test(emptied);
    if (still !== undefined) return still.reasons;
  }
  return [];
}
