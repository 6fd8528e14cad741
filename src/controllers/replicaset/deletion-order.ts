// Which Pods go first when there are too many (pod-lifecycle 13.2.2).

import { deletionCostAnnotation } from "../../api/core/v1/validate-pod-annotations.ts";
import type { ContainerStatus, Pod } from "../../api/index.ts";
import { type Instant, parseTime } from "../../base/time.ts";
import { isActive, isReady, readySince } from "../pod-state.ts";

/**
 * The first `count` Pods in the order in which they may go.
 * @param related Pods that count for how full a node is
 */
export function podsToDelete(
  active: readonly Pod[],
  related: readonly Pod[],
  count: number,
  now: Instant,
): readonly Pod[] {
  if (count >= active.length) return active;
  const crowd = new Map<string, number>();
  for (const pod of related) {
    const node = nodeOf(pod);
    if (isActive(pod)) crowd.set(node, (crowd.get(node) ?? 0) + 1);
  }
  const company = (pod: Pod): number => crowd.get(nodeOf(pod)) ?? 0;
  return [...active].sort((a, b) => compare(a, b, company, now)).slice(0, count);
}

/** Negative if `a` goes before `b`. The first criterion in which they differ decides. */
function compare(a: Pod, b: Pod, company: (pod: Pod) => number, now: Instant): number {
  return (
    firstIf(nodeOf(a) === "", nodeOf(b) === "") ||
    phaseRank(a) - phaseRank(b) ||
    firstIf(!isReady(a), !isReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    company(b) - company(a) ||
    youngerFirst(a, b, readySince(a), readySince(b), now) ||
    restarts(b, isRegular) - restarts(a, isRegular) ||
    restarts(b, isSidecar) - restarts(a, isSidecar) ||
    youngerFirst(a, b, createdAt(a), createdAt(b), now)
  );
}

const firstIf = (a: boolean, b: boolean): number => Number(b) - Number(a);
const nodeOf = ({ spec }: Pod): string => spec.nodeName ?? "";
const createdAt = ({ metadata }: Pod): Instant | undefined => parseTime(metadata.creationTimestamp);

function phaseRank({ status }: Pod): number {
  const order: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
  return order[status.phase] ?? 0;
}

function deletionCost({ metadata }: Pod): number {
  const cost = Number(metadata.annotations?.[deletionCostAnnotation] ?? "0");
  return Number.isInteger(cost) ? cost : 0;
}

/**
 * Ages are compared by their order of magnitude (in powers of two), and within one by uid, which is as good as chance: so that not always
 * the youngest go, who tend to be on one node.
 */
function youngerFirst(
  a: Pod,
  b: Pod,
  since: Instant | undefined,
  otherSince: Instant | undefined,
  now: Instant,
): number {
  if (since === otherSince) return 0;
  if (since === undefined || otherSince === undefined) return firstIf(since === undefined, otherSince === undefined);
  return magnitude(since, now) - magnitude(otherSince, now) || (a.metadata.uid < b.metadata.uid ? -1 : 1);
}

/** Of the age in nanoseconds; what begins only now is younger than everything else. */
function magnitude(since: Instant, now: Instant): number {
  const nanos = (now - since) * 1e6;
  return nanos > 0 ? Math.trunc(Math.log2(nanos)) : -1;
}

type Selects = (pod: Pod, status: ContainerStatus) => boolean;

const isRegular: Selects = ({ status }, container) => (status.containerStatuses ?? []).includes(container);
const isSidecar: Selects = ({ spec }, { name }) =>
  (spec.initContainers ?? []).some((container) => container.name === name && container.restartPolicy === "Always");

/** The most restarts of one container of a sort. */
function restarts(pod: Pod, selects: Selects): number {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status;
  const counts = [...containerStatuses, ...initContainerStatuses]
    .filter((container) => selects(pod, container))
    .map(({ restartCount }) => restartCount);
  return Math.max(0, ...counts);
}
