// How newer Pods of a DaemonSet take the place of older ones: either some nodes go without for a while, or they have two (pod-lifecycle 13.7.4).

import type { DaemonSet, Pod } from "../../api/index.ts";
import { scaledAmount } from "../../api/meta/percent.ts";
import { untilAvailable } from "../pod-state.ts";
import { isUpdated } from "./daemon-pod.ts";
import type { DaemonSetPlan, NodeView, ObservedDaemonSet } from "./plan.ts";

type Changes = Pick<DaemonSetPlan, "create" | "remove">;

/** How many nodes may be without an available Pod, and how many may have two; both round up. */
export function amounts(
  { spec }: Pick<DaemonSet, "spec">,
  desired: number,
): { readonly surge: number; readonly unavailable: number } {
  const { type, rollingUpdate } = spec.updateStrategy;
  if (type !== "RollingUpdate") return { surge: 0, unavailable: 0 };
  const { maxSurge = 0, maxUnavailable = 1 } = rollingUpdate ?? {};
  const surge = scaledAmount(maxSurge, desired, "up");
  const unavailable = scaledAmount(maxUnavailable, desired, "up");
  return { surge, unavailable: desired > 0 && surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function planRollout(observed: ObservedDaemonSet, view: readonly NodeView[]): Changes {
  const desired = view.filter(({ eligibility }) => eligibility?.shouldRun === true).length;
  const { surge, unavailable } = amounts(observed.daemonSet, desired);
  const nodes = view.filter(({ pods }) => pods.length > 0).map((node) => revisionsOn(observed, node));
  return surge === 0 ? replace(nodes, unavailable) : surgeThenReplace(nodes, surge, desired);
}

/** What a node has of the newer revision and of older ones. */
interface NodeRevisions {
  readonly name: string;
  readonly shouldRun: boolean;
  /** More than one of either: the node is to be tidied first. */
  readonly isUntidy: boolean;
  readonly newer: Pod | undefined;
  readonly older: Pod | undefined;
  readonly isAvailable: (pod: Pod) => boolean;
}

function revisionsOn(
  { daemonSet, hash, now }: ObservedDaemonSet,
  { name, pods, eligibility }: NodeView,
): NodeRevisions {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const newer = staying.filter((pod) => isUpdated(pod, daemonSet, hash));
  const older = staying.filter((pod) => !isUpdated(pod, daemonSet, hash));
  return {
    name,
    shouldRun: eligibility?.shouldRun === true,
    isUntidy: newer.length > 1 || older.length > 1,
    newer: newer[0],
    older: older[0],
    isAvailable: (pod) => untilAvailable(pod, daemonSet.spec.minReadySeconds ?? 0, now) === 0,
  };
}

/** Older Pods that are not available go at once; available ones as long as few enough nodes are without. */
function replace(nodes: readonly NodeRevisions[], maxUnavailable: number): Changes {
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  let missing = 0;
  for (const { isUntidy, newer, older, isAvailable } of nodes) {
    if (isUntidy || (newer === undefined) === (older === undefined)) missing++;
    else if (newer !== undefined) missing += isAvailable(newer) ? 0 : 1;
    else if (older !== undefined && isAvailable(older)) candidates.push(older);
    else if (older !== undefined) {
      broken.push(older);
      missing++;
    }
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - missing))] };
}

/** A newer Pod joins the older one, which goes when the newer is available. Where the older is of no use anyway the newer comes at once. */
function surgeThenReplace(nodes: readonly NodeRevisions[], maxSurge: number, desired: number): Changes {
  const remove: Pod[] = [];
  const atOnce: string[] = [];
  const candidates: string[] = [];
  const elsewhere: Pod[] = [];
  let surging = 0;
  let available = 0;
  for (const { name, shouldRun, isUntidy, newer, older, isAvailable } of nodes) {
    if (isUntidy) {
      surging++;
      continue;
    }
    const first = older ?? newer;
    if (first !== undefined && isAvailable(first)) available++;
    if (older === undefined) continue;
    if (newer !== undefined) {
      if (isAvailable(newer)) remove.push(older);
      else surging++;
    } else if (!isAvailable(older)) {
      if (shouldRun) atOnce.push(name);
      else remove.push(older);
    } else if (shouldRun) candidates.push(name);
    else elsewhere.push(older);
  }
  // Where no Pod should be any more, the old one goes only when enough others are available.
  remove.push(...elsewhere.slice(0, Math.max(0, available - desired)));
  return { create: [...atOnce, ...candidates.slice(0, Math.max(0, maxSurge - surging))], remove };
}
