// Keeps a Pod of each DaemonSet on every node that should have one.

import type { DaemonSet, Node, Pod } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { requirementsOf } from "../../api/meta/label-selector.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { InformerChange } from "../../client/informer.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import {
  claimRevisions,
  expiredRevisions,
  presentRevision,
  removeRevisions,
  type RevisionOwner,
} from "../controller-revisions.ts";
import { Expectations } from "../expectations.ts";
import { changePods, concernedOwners, observeExpected, ownerKey, type PodOwners } from "../owned-pods.ts";
import { carryOutClaims, planClaims } from "../ownership.ts";
import type { PodControl } from "../pod-control.ts";
import { nextAvailability } from "../pod-state.ts";
import { byOwner, orphans } from "../shared-informers.ts";
import { daemonPodTemplate, revisionLabel } from "./daemon-pod.ts";
import { FailedPods } from "./failed-pods.ts";
import { type DaemonSetPlan, type EndedPod, planDaemonSet, viewNodes } from "./plan.ts";
import { computeStatus } from "./status.ts";

/** How many DaemonSets are worked on at once. */
const concurrency = 2;

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

interface Parts {
  readonly deps: ControllerDeps;
  readonly expectations: Expectations;
  readonly failedPods: FailedPods;
  readonly control: PodControl;
}

export function startDaemonSetController(deps: ControllerDeps): RunningController {
  const { client, clock, informers, onFailure, recorderFor } = deps;
  const expectations = new Expectations(clock);
  const failedPods = new FailedPods(clock);
  const control: PodControl = { client, recorder: recorderFor("daemonset-controller") };
  const parts: Parts = { deps, expectations, failedPods, control };
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      return await reconcileDaemonSet(key, parts);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      throw error;
    }
  };
  const controller = new Controller({ name: "daemonset", clock, concurrency, reconcile, onFailure });
  const owners: PodOwners<DaemonSet> = {
    kind: "DaemonSet",
    lister: informers.daemonSets.lister,
    requirements: ({ spec }) => requirementsOf(spec.selector),
  };
  informers.daemonSets.onAny(({ kind, object }) => {
    if (kind === "deleted") {
      expectations.forget(keyOf(object));
      failedPods.forget(object.metadata.uid);
    }
    controller.queue.add(keyOf(object));
  });
  informers.pods.onAny((change) => {
    observeExpected(change, owners, expectations);
    for (const key of concernedOwners(change, owners)) controller.queue.add(key);
  });
  informers.nodes.onAny((change) => {
    if (!changesEligibility(change)) return;
    for (const daemonSet of informers.daemonSets.lister.list()) controller.queue.add(keyOf(daemonSet));
  });
  informers.controllerRevisions.onAny(({ kind, object }) => {
    const key = kind === "deleted" ? ownerKey(object, owners) : undefined;
    if (key !== undefined) controller.queue.add(key);
  });
  controller.start();
  return controller;
}

function changesEligibility(change: InformerChange<Node>): boolean {
  if (change.kind !== "updated") return true;
  const { object, previous } = change;
  return !sameJson(
    [object.metadata.labels, object.spec.taints ?? []],
    [previous.metadata.labels, previous.spec.taints ?? []],
  );
}

async function reconcileDaemonSet(key: string, parts: Parts): Promise<ReconcileOutcome> {
  const { deps, expectations, failedPods } = parts;
  const { clock, client, informers } = deps;
  const daemonSet = informers.daemonSets.lister.get(key);
  if (daemonSet === undefined) {
    expectations.forget(key);
    return done;
  }
  const { apiVersion, kind, metadata, spec, status: reported } = daemonSet;
  if (metadata.deletionTimestamp !== undefined) return done;
  const { template } = spec;
  const requirements = requirementsOf(spec.selector);
  const { collisionCount: collisions = 0 } = reported;
  const owner: RevisionOwner = {
    apiVersion,
    kind,
    metadata,
    requirements,
    template,
    collisionCount: collisions,
    hashLabel: revisionLabel,
  };
  const revisions = await claimRevisions(owner, {
    client,
    informer: informers.controllerRevisions,
    owners: client.daemonSets,
  });
  const { revision, collisionCount } = await presentRevision(owner, revisions, client);
  const hash = revision.metadata.labels?.[revisionLabel] ?? "";
  const pods = await claimPods(owner, parts);
  const nodes = informers.nodes.lister.list();
  const hasActed = expectations.wait(key) === 0;
  const failedPodWait = (node: string): Millis => failedPods.wait(metadata.uid, node);
  const observed = { daemonSet, hash, nodes, pods, failedPodWait, now: clock.now() };
  const plan = hasActed ? planDaemonSet(observed) : undefined;
  const failure = plan === undefined ? undefined : await carryOut(key, owner, { daemonSet, hash, plan }, parts);
  const now = clock.now();
  const view = viewNodes(observed);
  const status = computeStatus({ daemonSet, hash, collisionCount, view, hasActed, now });
  try {
    if (!sameJson(status, reported)) await client.daemonSets.updateStatus({ ...daemonSet, status });
  } catch (error) {
    if (isReason(error, "NotFound")) return done;
    if (!isReason(error, "Conflict") || failure === undefined) throw error;
  }
  if (failure !== undefined) return { kind: "failed", error: failure };
  const live = new Set(pods.map((pod) => pod.metadata.labels?.[revisionLabel]));
  const history = revisions.filter((each) => each.metadata.uid !== revision.metadata.uid);
  const isLive = (each: (typeof history)[number]): boolean => live.has(each.metadata.labels?.[revisionLabel]);
  await removeRevisions(expiredRevisions(history, isLive, spec.revisionHistoryLimit), client);
  const waits = [
    expectations.wait(key),
    plan?.wait ?? 0,
    nextAvailability(pods, spec.minReadySeconds ?? 0, now) ?? 0,
  ].filter((wait) => wait > 0);
  return waits.length === 0 ? done : { kind: "after", wait: Math.min(...waits) as Millis };
}

/** The Pods that are the DaemonSet's, after adopting and releasing. */
function claimPods(owner: RevisionOwner, { deps }: Parts): Promise<readonly Pod[]> {
  const { lister } = deps.informers.pods;
  const { uid, namespace = "" } = owner.metadata;
  const candidates = [...lister.byIndex(byOwner, uid), ...lister.byIndex(orphans, namespace)];
  const clients = { owners: deps.client.daemonSets, objects: deps.client.pods };
  return carryOutClaims(planClaims(owner, candidates), owner, clients);
}

interface PlannedTurn {
  readonly daemonSet: DaemonSet;
  readonly hash: string;
  readonly plan: DaemonSetPlan;
}

/** @returns what failed first; undefined if nothing did */
async function carryOut(
  key: string,
  owner: RevisionOwner,
  { daemonSet, hash, plan }: PlannedTurn,
  { control, expectations, failedPods }: Parts,
): Promise<unknown> {
  for (const { pod, node } of plan.ended) {
    if (pod.status.phase === "Failed") failedPods.removed(daemonSet.metadata.uid, node);
    control.recorder.record(daemonSet, endedNote(pod, node));
  }
  const create = plan.create.map((node) => daemonPodTemplate(daemonSet, hash, node));
  try {
    await changePods(key, owner, { create, remove: plan.remove }, { control, expectations });
    return undefined;
  } catch (error) {
    return error;
  }
}

function endedNote({ metadata, status }: Pod, node: EndedPod["node"]) {
  const pod = `${metadata.namespace ?? ""}/${metadata.name} on node ${node}`;
  return status.phase === "Failed"
    ? ({
        type: "Warning",
        reason: "FailedDaemonPod",
        message: `Found failed daemon pod ${pod}, will try to kill it`,
      } as const)
    : ({
        type: "Normal",
        reason: "SucceededDaemonPod",
        message: `Found succeeded daemon pod ${pod}, will try to delete it`,
      } as const);
}
