// Where Pods of a DaemonSet are missing and which of them have to go, whatever their revision (pod-lifecycle 13.7).

import type { DaemonSet, Node, Pod } from "../../api/index.ts";
import type { Instant, Millis } from "../../base/time.ts";
import { isFinished, isReady, untilAvailable } from "../pod-state.ts";
import { revisionLabel, targetNode } from "./daemon-pod.ts";
import { type Eligibility, eligibilityOf } from "./eligibility.ts";
import { amounts, planRollout } from "./rolling-update.ts";

/** The most Pods that one turn creates, and that it deletes. */
export const burst = 250;

export interface ObservedDaemonSet {
  readonly daemonSet: DaemonSet;
  /** Of the present template. */
  readonly hash: string;
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  /** How long a Pod that failed on a node has to stay there; zero if it may go at once. */
  readonly failedPodWait: (node: string) => Millis;
  readonly now: Instant;
}

/** A Pod that has ended and makes room for another. */
export interface EndedPod {
  readonly pod: Pod;
  readonly node: string;
}

export interface DaemonSetPlan {
  /** The nodes that get a Pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Those among them that have ended by themselves: people are told. */
  readonly ended: readonly EndedPod[];
  /** When a failed Pod may go; undefined if none waits. */
  readonly wait: Millis | undefined;
}

/** First every node gets what it should have; then, when nothing is missing, newer Pods take the place of older ones. */
export function planDaemonSet(observed: ObservedDaemonSet): DaemonSetPlan {
  const view = viewNodes(observed);
  const plan = planNodes(observed, view);
  if (plan.create.length > 0 || plan.remove.length > 0) return within(plan);
  if (observed.daemonSet.spec.updateStrategy.type === "OnDelete") return plan;
  return within({ ...plan, ...planRollout(observed, view) });
}

/** A node, whether it should have a Pod, and what it has. Who has ended and is on the way out does not count. */
export interface NodeView {
  readonly name: string;
  /** Undefined: there is no such node. */
  readonly eligibility: Eligibility | undefined;
  /** Oldest first; those that are bound before those that are not. */
  readonly pods: readonly Pod[];
}

export function viewNodes({
  daemonSet,
  nodes,
  pods,
}: Pick<ObservedDaemonSet, "daemonSet" | "nodes" | "pods">): readonly NodeView[] {
  const byNode = new Map<string, Pod[]>(nodes.map(({ metadata }) => [metadata.name, []]));
  for (const pod of pods) {
    const node = targetNode(pod);
    if (node === undefined || (isFinished(pod.status.phase) && isTerminating(pod))) continue;
    const there = byNode.get(node);
    if (there === undefined) byNode.set(node, [pod]);
    else there.push(pod);
  }
  const eligibilities = new Map(nodes.map((node) => [node.metadata.name, eligibilityOf(daemonSet, node)]));
  return [...byNode]
    .map(([name, there]) => ({ name, eligibility: eligibilities.get(name), pods: there.sort(boundThenOldest) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function planNodes(observed: ObservedDaemonSet, view: readonly NodeView[]): DaemonSetPlan {
  const create: string[] = [];
  const remove: Pod[] = [];
  const ended: EndedPod[] = [];
  const waits: Millis[] = [];
  for (const { name, eligibility, pods } of view) {
    if (eligibility === undefined) {
      // Nobody will ever bind these. Those that are bound are collected with the node.
      remove.push(...pods.filter((pod) => pod.spec.nodeName === undefined && !isTerminating(pod)));
    } else if (eligibility.shouldRun && pods.length === 0) create.push(name);
    else if (eligibility.mayStay) {
      const staying = pods.filter((pod) => !isTerminating(pod));
      for (const pod of staying.filter(({ status }) => isFinished(status.phase))) {
        const wait = pod.status.phase === "Failed" ? observed.failedPodWait(name) : (0 as Millis);
        if (wait > 0) waits.push(wait);
        else {
          remove.push(pod);
          ended.push({ pod, node: name });
        }
      }
      const running = staying.filter(({ status }) => !isFinished(status.phase));
      remove.push(...excessPods(observed, running));
    } else remove.push(...pods.filter((pod) => !isTerminating(pod)));
  }
  return { create, remove, ended, wait: waits.length === 0 ? undefined : (Math.min(...waits) as Millis) };
}

/** With surge an older Pod and a newer one are together until the newer is available; of all others the oldest stays. */
function excessPods({ daemonSet, hash, now }: ObservedDaemonSet, running: readonly Pod[]): readonly Pod[] {
  if (running.length <= 1) return [];
  if (amounts(daemonSet, 1).surge === 0) return running.slice(1);
  const isNew = ({ metadata }: Pod): boolean => metadata.labels?.[revisionLabel] === hash;
  const newest = running.find(isNew);
  const oldest = running.find((pod) => !isNew(pod));
  const excess = running.filter((pod) => pod !== newest && pod !== oldest);
  if (newest === undefined || oldest === undefined) return excess;
  const isDone = untilAvailable(newest, daemonSet.spec.minReadySeconds ?? 0, now) === 0;
  return !isReady(oldest) || isDone ? [...excess, oldest] : excess;
}

function boundThenOldest(a: Pod, b: Pod): number {
  const isBound = ({ spec }: Pod): boolean => (spec.nodeName ?? "") !== "";
  const age = ({ metadata }: Pod): string => `${metadata.creationTimestamp}/${metadata.name}`;
  return Number(isBound(b)) - Number(isBound(a)) || (age(a) < age(b) ? -1 : 1);
}

/** The part of a plan that one turn carries out. */
function within(plan: DaemonSetPlan): DaemonSetPlan {
  const remove = plan.remove.slice(0, burst);
  return {
    ...plan,
    create: plan.create.slice(0, burst),
    remove,
    ended: plan.ended.filter(({ pod }) => remove.includes(pod)),
  };
}

const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
