// Which Pods nobody else will ever remove (pod-lifecycle 12.4).

import type { Node, Pod } from "../../api/index.ts";
import { type Instant, type Millis, elapsed, seconds } from "../../base/time.ts";

/** How often the cluster is searched. */
export const collectionPeriod: Millis = seconds(20);

/** How long a node must have been missing before its Pods are taken for orphans. */
export const missingNodeGrace: Millis = seconds(40);

/** Finished Pods beyond this number are removed. */
export const terminatedPodLimit = 12_500;

export type Collection = {
  readonly pod: Pod;
  readonly because: "terminated" | "orphaned" | "unscheduledTerminating" | "outOfService";
};

export interface Cluster {
  readonly pods: readonly Pod[];
  readonly node: (name: string) => Node | undefined;
  /** When a node was first found missing; remembered from one search to the next. */
  readonly missingSince: (nodeName: string) => Instant | undefined;
  readonly now: Instant;
}

/** The Pods to remove, each with one reason. */
export function planCollection(cluster: Cluster, limit = terminatedPodLimit): readonly Collection[] {
  const planned = new Map<string, Collection>();
  const collect = (because: Collection["because"], pods: readonly Pod[]): void => {
    for (const pod of pods) if (!planned.has(pod.metadata.uid)) planned.set(pod.metadata.uid, { pod, because });
  };
  collect("terminated", excessTerminated(cluster.pods, limit));
  collect(
    "outOfService",
    cluster.pods.filter((pod) => isOutOfService(pod, cluster)),
  );
  collect(
    "orphaned",
    cluster.pods.filter((pod) => isOrphaned(pod, cluster)),
  );
  collect("unscheduledTerminating", cluster.pods.filter(isUnscheduledTerminating));
  return [...planned.values()];
}

/** The nodes that Pods name and that do not exist. */
export function missingNodes({ pods, node }: Pick<Cluster, "pods" | "node">): ReadonlySet<string> {
  const named = new Set(pods.map(({ spec }) => spec.nodeName ?? ""));
  return new Set([...named].filter((name) => name !== "" && node(name) === undefined));
}

/** Evicted ones first, then the oldest, then by name. */
function excessTerminated(pods: readonly Pod[], limit: number): readonly Pod[] {
  if (limit <= 0) return [];
  const terminated = pods.filter(isTerminal);
  if (terminated.length <= limit) return [];
  const rank = (pod: Pod): string =>
    [pod.status.reason === "Evicted" ? "0" : "1", pod.metadata.creationTimestamp, pod.metadata.name].join("\0");
  const ranked = terminated.map((pod) => ({ pod, rank: rank(pod) })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, terminated.length - limit).map(({ pod }) => pod);
}

function isOrphaned({ spec }: Pod, { node, missingSince, now }: Cluster): boolean {
  const { nodeName = "" } = spec;
  if (nodeName === "" || node(nodeName) !== undefined) return false;
  const since = missingSince(nodeName);
  return since !== undefined && elapsed(since, now) >= missingNodeGrace;
}

function isUnscheduledTerminating({ metadata, spec }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined && (spec.nodeName ?? "") === "";
}

function isOutOfService({ metadata, spec }: Pod, { node }: Cluster): boolean {
  if (metadata.deletionTimestamp === undefined || spec.nodeName === undefined) return false;
  const host = node(spec.nodeName);
  if (host === undefined) return false;
  const isReady = (host.status.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
  return !isReady && (host.spec.taints ?? []).some(({ key }) => key === "node.kubernetes.io/out-of-service");
}

export function isTerminal({ status }: Pod): boolean {
  return status.phase === "Succeeded" || status.phase === "Failed";
}
