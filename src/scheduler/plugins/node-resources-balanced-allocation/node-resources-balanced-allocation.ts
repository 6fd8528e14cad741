// Prefers nodes where CPU and memory would be used to a similar degree, so that neither is left over without the other.

import { type ScorePlugin, maxNodeScore } from "../../plugin.ts";
import { asksForNothing, requestsOf } from "../../resources.ts";

export const nodeResourcesBalancedAllocation: ScorePlugin = {
  name: "NodeResourcesBalancedAllocation",
  prepareScore(pod) {
    const wanted = requestsOf(pod);
    if (asksForNothing(wanted)) return undefined; // it does not change the balance anywhere
    return {
      score({ allocatable, requested }) {
        const cpu = usedShare(requested.cpuMillis + wanted.cpuMillis, allocatable.cpuMillis);
        const memory = usedShare(requested.memoryBytes + wanted.memoryBytes, allocatable.memoryBytes);
        // With one resource there is nothing to balance.
        const deviation = cpu === undefined || memory === undefined ? 0 : Math.abs(cpu - memory) / 2;
        return Math.floor((1 - deviation) * maxNodeScore);
      },
    };
  },
};

function usedShare(used: number, offered: number): number | undefined {
  return offered === 0 ? undefined : Math.min(1, used / offered);
}
