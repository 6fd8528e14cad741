// Which Pods of a StatefulSet come and go next (pod-lifecycle 13.4). Each ordinal has one Pod or none: who is on the way out is never replaced before
// the object is gone.

import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import type { Instant } from "../../base/time.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { isFinished, untilAvailable } from "../pod-state.ts";
import { claimName, isStale, newClaims, ownedClaim } from "./claims.ts";
import { firstOrdinal, isWanted, missingLabels, newPod, ordinalOf, podName, revisionNameOf } from "./identity.ts";

/** A template and the name of its revision. */
export interface SetRevision {
  readonly name: string;
  readonly template: PodTemplateSpec;
}

export interface ObservedStatefulSet {
  readonly set: StatefulSet;
  /** What Pods below the partition are made from. */
  readonly current: SetRevision;
  /** What all others are made from. */
  readonly update: SetRevision;
  readonly pods: readonly Pod[];
  /** The claims that there are, by name. */
  readonly claims: ReadonlyMap<string, PersistentVolumeClaim>;
  readonly now: Instant;
}

/** A claim that a Pod needs: as it would be made, and as it is. */
export interface NeededClaim {
  readonly draft: JsonObject;
  readonly present: PersistentVolumeClaim | undefined;
}

export type StatefulSetAction =
  | {
      readonly kind: "create";
      readonly name: string;
      readonly pod: JsonObject;
      readonly claims: readonly NeededClaim[];
    }
  /** A Pod that waits for claims gets those that are missing. */
  | { readonly kind: "claim"; readonly pod: Pod; readonly claims: readonly NeededClaim[] }
  | { readonly kind: "label"; readonly pod: Pod; readonly labels: Readonly<Record<string, string>> }
  /** A claim gets the owners that it should have. */
  | { readonly kind: "own"; readonly claim: PersistentVolumeClaim }
  | { readonly kind: "delete"; readonly pod: Pod; readonly why: "finished" | "condemned" | "outdated" };

export interface StatefulSetPlan {
  /** One after the other; a failure in one leaves the rest for the next turn. */
  readonly phases: readonly (readonly StatefulSetAction[])[];
}

/** What to do about one ordinal, and whether those after it have to wait. */
interface Step {
  readonly actions: readonly StatefulSetAction[];
  readonly blocks: boolean;
}

/** First every ordinal gets its Pod, then those beyond the size go, then outdated ones. In order, each waits until all before it are available. */
export function planStatefulSet(observed: ObservedStatefulSet): StatefulSetPlan {
  const { set } = observed;
  if (set.metadata.deletionTimestamp !== undefined) return { phases: [] };
  const { replicas, condemned } = byOrdinal(observed);
  const isOrdered = set.spec.podManagementPolicy === "OrderedReady";
  const living: StatefulSetAction[] = [];
  for (const [ordinal, pod] of replicas) {
    const step = planReplica(observed, ordinal, pod);
    living.push(...step.actions);
    if (isOrdered && step.blocks) return { phases: [living] };
  }
  const owning = condemned.flatMap(({ pod, ordinal }) => owningActions(observed, pod, ordinal));
  const ending = isOrdered ? endInOrder(observed, condemned) : endAll(condemned);
  if (isOrdered && condemned.length > 0) return { phases: [living, owning, ending] };
  return { phases: [living, owning, ending, planUpdate(observed, replicas, living)] };
}

export interface CondemnedPod {
  readonly pod: Pod;
  readonly ordinal: number;
}

/** The wanted ordinals in order, each with its Pod; and the Pods of others, the highest first. */
function byOrdinal({ set, pods }: ObservedStatefulSet) {
  const found = new Map<number, Pod>();
  const condemned: CondemnedPod[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) continue;
    if (isWanted(set, ordinal)) found.set(ordinal, pod);
    else condemned.push({ pod, ordinal });
  }
  const first = firstOrdinal(set);
  const replicas = Array.from({ length: set.spec.replicas }, (_, index) => {
    const ordinal = first + index;
    return [ordinal, found.get(ordinal)] as const;
  });
  return { replicas, condemned: condemned.sort((a, b) => b.ordinal - a.ordinal) };
}

function planReplica(observed: ObservedStatefulSet, ordinal: number, pod: Pod | undefined): Step {
  const { set } = observed;
  if (pod === undefined) return planMissing(observed, ordinal);
  if (isFinished(pod.status.phase)) {
    const actions = isTerminating(pod) ? [] : [{ kind: "delete", pod, why: "finished" } as const];
    return { actions, blocks: true };
  }
  const actions: StatefulSetAction[] = [];
  if (pod.status.phase === "Pending") {
    const claims = neededClaims(observed, ordinal).filter(({ present }) => present === undefined);
    if (claims.length > 0) actions.push({ kind: "claim", pod, claims });
  }
  const isUp = isAvailable(pod, observed);
  if (!isUp && set.spec.podManagementPolicy === "OrderedReady") return { actions, blocks: true };
  const labels = missingLabels(pod, ordinal);
  if (Object.keys(labels).length > 0) actions.push({ kind: "label", pod, labels });
  actions.push(...owningActions(observed, pod, ordinal));
  return { actions, blocks: !isUp };
}

function planMissing(observed: ObservedStatefulSet, ordinal: number): Step {
  const { set } = observed;
  const name = podName(set, ordinal);
  const claims = neededClaims(observed, ordinal);
  if (claims.some(({ present }) => present !== undefined && isStale(present, name))) {
    return { actions: [], blocks: true };
  }
  const { name: revision, template } = revisionFor(observed, ordinal);
  const pod = newPod(set, template, revision, ordinal);
  return { actions: [{ kind: "create", name, pod, claims }], blocks: true };
}

/** Below the partition a Pod comes back as it was; without a rolling update every new Pod is of the newest revision. */
function revisionFor({ set, current, update }: ObservedStatefulSet, ordinal: number): SetRevision {
  return set.spec.updateStrategy.type === "RollingUpdate" && ordinal < firstOrdinal(set) + partitionOf(set)
    ? current
    : update;
}

const partitionOf = ({ spec }: StatefulSet): number => spec.updateStrategy.rollingUpdate?.partition ?? 0;

/** The highest ordinal goes, and no other before it is gone; one that is not available only if it is the lowest such. */
function endInOrder(observed: ObservedStatefulSet, condemned: readonly CondemnedPod[]): readonly StatefulSetAction[] {
  const highest = condemned[0]?.pod;
  if (highest === undefined || isTerminating(highest)) return [];
  const lowestUnavailable = condemned.findLast(({ pod }) => !isAvailable(pod, observed))?.pod;
  if (!isAvailable(highest, observed) && highest !== lowestUnavailable) return [];
  return [{ kind: "delete", pod: highest, why: "condemned" }];
}

function endAll(condemned: readonly CondemnedPod[]): readonly StatefulSetAction[] {
  return condemned
    .filter(({ pod }) => !isTerminating(pod))
    .map(({ pod }) => ({ kind: "delete", pod, why: "condemned" }) as const);
}

/** The highest ordinal that is outdated goes, unless one above it is not available yet. */
function planUpdate(
  observed: ObservedStatefulSet,
  replicas: readonly (readonly [number, Pod | undefined])[],
  planned: readonly StatefulSetAction[],
): readonly StatefulSetAction[] {
  const { set, update } = observed;
  if (set.spec.updateStrategy.type === "OnDelete") return [];
  const isGoing = (pod: Pod): boolean =>
    isTerminating(pod) || planned.some((action) => action.kind === "delete" && action.pod === pod);
  for (const [, pod] of replicas.slice(partitionOf(set)).toReversed()) {
    if (pod === undefined) return [];
    if (revisionNameOf(pod) !== update.name && !isGoing(pod)) return [{ kind: "delete", pod, why: "outdated" }];
    if (!isAvailable(pod, observed)) return [];
  }
  return [];
}

/** Running, ready for long enough, and not on its way out. */
function isAvailable(pod: Pod, observed: Pick<ObservedStatefulSet, "set" | "now">): boolean {
  return !isTerminating(pod) && isRunningAndAvailable(pod, observed);
}

/** The same of a Pod that may be on its way out. */
export function isRunningAndAvailable(pod: Pod, { set, now }: Pick<ObservedStatefulSet, "set" | "now">): boolean {
  return pod.status.phase === "Running" && untilAvailable(pod, set.spec.minReadySeconds ?? 0, now) === 0;
}

const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;

function neededClaims({ set, claims }: ObservedStatefulSet, ordinal: number): readonly NeededClaim[] {
  return newClaims(set, ordinal).map((draft) => {
    const { name } = draft["metadata"] as { readonly name: string };
    return { draft, present: claims.get(name) };
  });
}

function owningActions(observed: ObservedStatefulSet, pod: Pod, ordinal: number): readonly StatefulSetAction[] {
  const { set, claims } = observed;
  return (set.spec.volumeClaimTemplates ?? []).flatMap((template) => {
    const claim = claims.get(claimName(set, template, ordinal));
    if (claim === undefined) return [];
    const owned = ownedClaim(claim, set, pod, !isWanted(set, ordinal));
    return sameJson(owned, claim) ? [] : [{ kind: "own", claim: owned } as const];
  });
}
