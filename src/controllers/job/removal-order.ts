// Which Pods of a Job go first when there are too many (pod-lifecycle 13.5.2).

import type { CompleteJobSpec } from "../../api/batch/v1/job.ts";
import type { ContainerStatus, Pod } from "../../api/index.ts";
import { parseTime } from "../../base/time.ts";
import { isReady, readySince } from "../pod-state.ts";
import { completionIndexOf, hasUsableIndex, isTracked } from "./job-pods.ts";

/** The Pods in the order in which they may go: first those that cannot count, then those whose loss costs least. */
export function inOrderOfRemoval(active: readonly Pod[], spec: CompleteJobSpec): readonly Pod[] {
  const sorted = [...active].sort(compare);
  if (spec.completionMode !== "Indexed") return sorted;
  // Of several with one index the last in the order stays.
  const keeper = new Map<number | undefined, Pod>(sorted.map((pod) => [completionIndexOf(pod), pod]));
  const isSpare = (pod: Pod): boolean => !hasUsableIndex(pod, spec) || keeper.get(completionIndexOf(pod)) !== pod;
  return [...sorted.filter(isSpare), ...sorted.filter((pod) => !isSpare(pod))];
}

/** Negative if `a` goes before `b`. The first criterion in which they differ decides. */
function compare(a: Pod, b: Pod): number {
  return (
    // A Pod that nothing holds until it is counted could be lost: its removal was begun by a turn that was cut short.
    firstIf(!isTracked(a), !isTracked(b)) ||
    firstIf(isUnscheduled(a), isUnscheduled(b)) ||
    phaseRank(a) - phaseRank(b) ||
    firstIf(!isReady(a), !isReady(b)) ||
    (readySince(b) ?? 0) - (readySince(a) ?? 0) ||
    mostRestarts(b) - mostRestarts(a) ||
    createdAt(b) - createdAt(a) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  );
}

const firstIf = (a: boolean, b: boolean): number => Number(b) - Number(a);
const isUnscheduled = ({ spec }: Pod): boolean => (spec.nodeName ?? "") === "";
const createdAt = ({ metadata }: Pod): number => parseTime(metadata.creationTimestamp) ?? 0;

function phaseRank({ status }: Pod): number {
  const order: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
  return order[status.phase] ?? 0;
}

function mostRestarts({ status }: Pod): number {
  const restarts = (status.containerStatuses ?? []).map(({ restartCount }: ContainerStatus) => restartCount);
  return Math.max(0, ...restarts);
}
