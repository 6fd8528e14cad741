// Keeps the number of a ReplicaSet's Pods, and of a ReplicationController's.

import type { Pod, PodTemplateSpec, ReplicaSet, ReplicationController } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { requirementsOf } from "../../api/meta/label-selector.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import type { ResourceClient } from "../../client/resource-client.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { Expectations } from "../expectations.ts";
import { carryOutClaims, controllerOf, planClaims } from "../ownership.ts";
import { changePods, concernedOwners, observeExpected, type PodOwners } from "../owned-pods.ts";
import type { PodControl } from "../pod-control.ts";
import { isActive, nextAvailability } from "../pod-state.ts";
import { byOwner, orphans } from "../shared-informers.ts";
import { computeStatus, planReplicas, type ReplicaOwner } from "./plan.ts";

/** How many owners are worked on at once. */
const concurrency = 5;

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

export function startReplicaSetController(deps: ControllerDeps): RunningController {
  return startFor(deps, {
    name: "replicaset",
    component: "replicaset-controller",
    kind: "ReplicaSet",
    informer: deps.informers.replicaSets,
    resource: deps.client.replicaSets,
    owner: (replicaSet) => {
      const { apiVersion, kind, metadata, spec, status } = replicaSet;
      const { replicas, minReadySeconds = 0, template, selector } = spec;
      return {
        apiVersion,
        kind,
        metadata,
        replicas,
        minReadySeconds,
        template,
        status,
        requirements: requirementsOf(selector),
      };
    },
  });
}

export function startReplicationController(deps: ControllerDeps): RunningController {
  return startFor(deps, {
    name: "replicationcontroller",
    component: "replication-controller",
    kind: "ReplicationController",
    informer: deps.informers.replicationControllers,
    resource: deps.client.replicationControllers,
    owner: (controller) => {
      const { apiVersion, kind, metadata, spec, status } = controller;
      const { replicas, minReadySeconds = 0, template, selector } = spec;
      const requirements = requirementsOf({ matchLabels: selector });
      return { apiVersion, kind, metadata, replicas, minReadySeconds, template, status, requirements };
    },
  });
}

/** What tells the two kinds apart. */
interface ReplicaKind<T> {
  readonly name: string;
  /** Reports events. */
  readonly component: string;
  readonly kind: string;
  readonly informer: Informer<T>;
  readonly resource: ResourceClient<T>;
  readonly owner: (object: T) => ReplicaOwner;
}

type OwnerObject = ReplicaSet | ReplicationController;

interface Parts<T> {
  readonly deps: ControllerDeps;
  readonly kind: ReplicaKind<T>;
  readonly expectations: Expectations;
  readonly control: PodControl;
}

function startFor<T extends OwnerObject>(deps: ControllerDeps, kind: ReplicaKind<T>): RunningController {
  const { client, clock, informers, onFailure, recorderFor } = deps;
  const expectations = new Expectations(clock);
  const control: PodControl = { client, recorder: recorderFor(kind.component) };
  const parts: Parts<T> = { deps, kind, expectations, control };
  const controller = new Controller({
    name: kind.name,
    clock,
    concurrency,
    reconcile: (key) => reconcileReplicas(key, parts),
    onFailure,
  });
  kind.informer.onAny(({ kind: change, object }) => {
    if (change === "deleted") expectations.forget(keyOf(object));
    controller.queue.add(keyOf(object));
  });
  const owners: PodOwners<T> = {
    kind: kind.kind,
    lister: kind.informer.lister,
    requirements: (object) => kind.owner(object).requirements,
  };
  informers.pods.onAny((change) => {
    observeExpected(change, owners, expectations);
    for (const key of concernedOwners(change, owners)) controller.queue.add(key);
  });
  controller.start();
  return controller;
}

async function reconcileReplicas<T extends OwnerObject>(key: string, parts: Parts<T>): Promise<ReconcileOutcome> {
  const { deps, kind, expectations } = parts;
  const object = kind.informer.lister.get(key);
  if (object === undefined) {
    expectations.forget(key);
    return done;
  }
  const owner = kind.owner(object);
  const mayAct = expectations.wait(key) === 0;
  const active = await claimPods(owner, parts);
  let failure: unknown;
  if (mayAct) {
    try {
      await manageReplicas(key, owner, active, parts);
    } catch (error) {
      failure = error;
    }
  }
  const now = deps.clock.now();
  const status = computeStatus(owner, active, failure, now);
  try {
    if (!sameJson(status, object.status)) await kind.resource.updateStatus({ ...object, status });
  } catch (error) {
    if (isReason(error, "NotFound")) return done;
    if (!isReason(error, "Conflict")) throw error;
    if (failure === undefined) return { kind: "after", wait: conflictDelay };
  }
  if (failure !== undefined) return { kind: "failed", error: failure };
  const waits = [expectations.wait(key), nextAvailability(active, owner.minReadySeconds, now) ?? 0].filter(
    (wait) => wait > 0,
  );
  return waits.length === 0 ? done : { kind: "after", wait: Math.min(...waits) as Millis };
}

/** The Pods that count and are the owner's, after adopting and releasing. */
function claimPods<T extends OwnerObject>(owner: ReplicaOwner, { deps, kind }: Parts<T>): Promise<readonly Pod[]> {
  const { lister } = deps.informers.pods;
  const { uid, namespace = "" } = owner.metadata;
  const candidates = [...lister.byIndex(byOwner, uid), ...lister.byIndex(orphans, namespace)].filter(isActive);
  const clients = { owners: kind.resource, objects: deps.client.pods };
  return carryOutClaims(planClaims(owner, candidates), owner, clients);
}

/** @throws the first failure, after everything else that was begun has ended */
async function manageReplicas<T extends OwnerObject>(
  key: string,
  owner: ReplicaOwner,
  active: readonly Pod[],
  parts: Parts<T>,
): Promise<void> {
  const plan = planReplicas(owner, active, relatedPods(owner, parts), parts.deps.clock.now());
  switch (plan.kind) {
    case "nothing":
      return;
    case "create":
      return changePods(
        key,
        owner,
        { create: Array<PodTemplateSpec>(plan.count).fill(owner.template), remove: [] },
        parts,
      );
    case "delete":
      return changePods(key, owner, { create: [], remove: plan.pods }, parts);
  }
}

/** The Pods of all owners that have the same owner: a Deployment's other ReplicaSets. */
function relatedPods<T extends OwnerObject>(owner: ReplicaOwner, { deps, kind }: Parts<T>): readonly Pod[] {
  const { pods } = deps.informers;
  const controller = controllerOf(owner);
  const siblings = controller === undefined ? [] : kind.informer.lister.byIndex(byOwner, controller.uid);
  const uids = new Set([owner.metadata.uid, ...siblings.map(({ metadata }) => metadata.uid)]);
  return [...uids].flatMap((uid) => pods.lister.byIndex(byOwner, uid));
}
