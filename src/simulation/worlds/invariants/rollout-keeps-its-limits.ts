import type { Deployment, Pod, ReplicaSet } from "../../../api/index.ts";
import { elapsed, type Instant } from "../../../base/time.ts";
import type { Finding, Invariant } from "../inhabitant.ts";
import { changeOf, nameOf, type ObjectChange, type WorldView } from "../world-view.ts";
import { longestBlindness, RecentValues } from "./recent-values.ts";

interface Limits {
  /** The most replicas that all its ReplicaSets may want together. */
  readonly most: number;
  /** The fewest available Pods that the controllers may leave. */
  readonly fewest: number;
}

/**
 * A Deployment never asks for more Pods than replicas and surge, and never takes an available Pod away when that leaves fewer than it promises
 * (pod-lifecycle 13). Availability that somebody else took (a crash, a node, a person) may not be known to it for a while.
 */
export function rolloutKeepsItsLimits(): Invariant {
  const limits = new Map<string, RecentValues<string>>();
  /** What ReplicaSets wanted of late, by uid: the controller may not have the news of its own last writes when it writes to another. */
  const wishes = new Map<string, RecentValues<number>>();
  const fewestWanted = ({ metadata, spec }: ReplicaSet, now: Instant): number =>
    Math.min(spec.replicas, ...(wishes.get(metadata.uid)?.recent(now) ?? []));
  /** When Pods were last seen available, by uid. */
  const lastAvailable = new Map<string, Instant>();
  const recent = (uid: string, now: Instant): readonly Limits[] =>
    (limits.get(uid)?.recent(now) ?? []).map((text) => JSON.parse(text) as Limits);
  return {
    name: "a rollout keeps its limits",
    *onChange(change: ObjectChange, view: WorldView): Iterable<Finding> {
      const deployment = changeOf<Deployment>(change, "apps/deployments")?.after;
      if (deployment !== undefined) {
        const values = limits.get(deployment.metadata.uid) ?? new RecentValues<string>();
        limits.set(deployment.metadata.uid, values);
        values.set(JSON.stringify(limitsOf(deployment)), change.at);
      }
      const set = changeOf<ReplicaSet>(change, "apps/replicasets");
      if (set?.after !== undefined) {
        const values = wishes.get(set.after.metadata.uid) ?? new RecentValues<number>();
        wishes.set(set.after.metadata.uid, values);
        values.set(set.after.spec.replicas, change.at);
        const others = (each: ReplicaSet): number => fewestWanted(each, change.at);
        yield* tooMany({ ...set, after: set.after, others }, view, (uid) => recent(uid, change.at));
      }
      const pod = changeOf<Pod>(change, "core/pods");
      if (pod === undefined) return;
      const { before, after } = pod;
      if (before !== undefined && isAvailable(before)) lastAvailable.set(before.metadata.uid, change.at);
      if (before === undefined || !isTakenAway(before, after, view)) return;
      const set0 = view.object<ReplicaSet>(ownerOf(before) ?? "");
      const owner = view.object<Deployment>(set0 === undefined ? "" : (ownerOf(set0) ?? ""));
      if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return;
      const left = view
        .ownedBy<ReplicaSet>(owner.metadata.uid, "apps/replicasets")
        .flatMap((each) => view.ownedBy<Pod>(each.metadata.uid, "core/pods"));
      const known = left.filter(
        (each) => each.metadata.uid !== before.metadata.uid && wasAvailable(each, view, lastAvailable, change.at),
      );
      // Pods that somebody else took away of late may still count for the controller.
      const takenByOthers = [...lastAvailable].filter(
        ([uid, at]) => view.deletedByHand.has(uid) && elapsed(at, change.at) <= longestBlindness,
      ).length;
      const fewest = Math.min(...recent(owner.metadata.uid, change.at).map((each) => each.fewest));
      if (known.length + takenByOthers < fewest) {
        yield {
          subject: nameOf(owner),
          text: `lost available ${before.metadata.name}: ${known.length} are left of ${fewest} promised`,
        };
      }
    },
  };
}

function* tooMany(
  { before, after, others }: { before?: ReplicaSet; after: ReplicaSet; others: (set: ReplicaSet) => number },
  view: WorldView,
  recent: (uid: string) => readonly Limits[],
): Iterable<Finding> {
  const uid = ownerOf(after);
  const owner = uid === undefined ? undefined : view.object<Deployment>(uid);
  if (owner?.kind !== "Deployment" || after.spec.replicas <= (before?.spec.replicas ?? 0)) return;
  const sum = view
    .ownedBy<ReplicaSet>(owner.metadata.uid, "apps/replicasets")
    .filter(({ metadata }) => metadata.uid !== after.metadata.uid)
    .reduce((total, each) => total + others(each), after.spec.replicas);
  const most = Math.max(...recent(owner.metadata.uid).map((each) => each.most));
  if (sum > most)
    yield { subject: nameOf(owner), text: `its ReplicaSets want ${sum} Pods together, at most ${most} are allowed` };
}

/** Whether an available Pod is from now on on its way out, and neither a person nor a node's trouble is to blame. */
function isTakenAway(before: Pod, after: Pod | undefined, view: WorldView): boolean {
  if (before.metadata.deletionTimestamp !== undefined || !isAvailable(before)) return false;
  if (after !== undefined && after.metadata.deletionTimestamp === undefined) return false;
  return !isTakenByOthers(after ?? before, view);
}

const isTakenByOthers = ({ metadata, status }: Pod, view: WorldView): boolean =>
  view.deletedByHand.has(metadata.uid) || (status.conditions ?? []).some(({ type }) => type === "DisruptionTarget");

function wasAvailable(pod: Pod, view: WorldView, lastAvailable: ReadonlyMap<string, Instant>, now: Instant): boolean {
  const isEnding = pod.metadata.deletionTimestamp !== undefined;
  if (!isEnding && isAvailable(pod)) return true;
  // What it took away itself, it knows.
  if (isEnding && !isTakenByOthers(pod, view)) return false;
  const last = lastAvailable.get(pod.metadata.uid);
  return last !== undefined && elapsed(last, now) <= longestBlindness;
}

const isAvailable = ({ status }: Pod): boolean =>
  (status.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

function ownerOf({ metadata }: Pick<Pod | ReplicaSet, "metadata">): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}

function limitsOf({ spec }: Deployment): Limits {
  const { replicas, strategy } = spec;
  if (strategy.type === "Recreate") return { most: replicas, fewest: 0 };
  const part = (value: number | string | undefined, round: (n: number) => number): number =>
    typeof value === "string" ? round((Number.parseInt(value, 10) * replicas) / 100) : (value ?? 0);
  const surge = part(strategy.rollingUpdate?.maxSurge, Math.ceil);
  const unavailable = part(strategy.rollingUpdate?.maxUnavailable, Math.floor);
  const atMostMissing = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { most: replicas + surge, fewest: Math.max(0, replicas - atMostMissing) };
}
