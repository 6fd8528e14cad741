// Keeps the number of a ReplicaSet's Pods, and of a ReplicationController's.

import type { Pod, ReplicaSet, ReplicationController } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { matchesRequirements, requirementsOf } from "../../api/meta/label-selector.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { Informer, InformerChange } from "../../client/informer.ts";
import type { ResourceClient } from "../../client/resource-client.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { Expectations } from "../expectations.ts";
import { carryOutClaims, controllerOf, planClaims } from "../ownership.ts";
import { createPod, deletePod, isNamespaceTerminating, type PodControl, PodGone } from "../pod-control.ts";
import { isActive } from "../pod-state.ts";
import { byOwner, orphans } from "../shared-informers.ts";
import { batchSizes, computeStatus, nextAvailability, planReplicas, type ReplicaOwner } from "./plan.ts";

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
  informers.pods.onAny((change) => {
    observe(change, parts);
    for (const key of concerned(change, kind)) controller.queue.add(key);
  });
  controller.start();
  return controller;
}

/** Ticks off what was expected. A Pod that is first seen when it is going counts for its creation and for its deletion. */
function observe<T extends OwnerObject>(change: InformerChange<Pod>, { kind, expectations }: Parts<T>): void {
  const { object } = change;
  const key = ownerKey(object, kind);
  if (key === undefined) return;
  if (change.kind === "added") expectations.creationObserved(key);
  if (change.kind === "deleted" || object.metadata.deletionTimestamp !== undefined) {
    expectations.deletionObserved(key, object.metadata.uid);
  }
}

/** Whose business a change of a Pod is: its owner's, and of an orphan everybody's who could adopt it. */
function concerned<T extends OwnerObject>(change: InformerChange<Pod>, kind: ReplicaKind<T>): ReadonlySet<string> {
  const keys = new Set<string>();
  const add = (key: string | undefined): void => {
    if (key !== undefined) keys.add(key);
  };
  const { object } = change;
  add(ownerKey(object, kind));
  if (change.kind === "updated") add(ownerKey(change.previous, kind));
  if (controllerOf(object) === undefined && change.kind !== "deleted" && couldBeAdopted(change)) {
    for (const candidate of kind.informer.lister.inNamespace(object.metadata.namespace ?? "")) {
      const { requirements } = kind.owner(candidate);
      if (requirements !== undefined && matchesRequirements(requirements, object.metadata.labels))
        add(keyOf(candidate));
    }
  }
  return keys;
}

/** An orphan whose labels stay the same has been looked at before. */
function couldBeAdopted(change: InformerChange<Pod>): boolean {
  if (change.kind !== "updated") return true;
  const { previous, object } = change;
  return controllerOf(previous) !== undefined || !sameJson(previous.metadata.labels, object.metadata.labels);
}

/** The key of the owner of this kind that a Pod names, as long as it is there and is the one that is meant. */
function ownerKey<T extends OwnerObject>(pod: Pod, kind: ReplicaKind<T>): string | undefined {
  const reference = controllerOf(pod);
  if (reference?.kind !== kind.kind) return undefined;
  const key = `${pod.metadata.namespace ?? ""}/${reference.name}`;
  return kind.informer.lister.get(key)?.metadata.uid === reference.uid ? key : undefined;
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
      return createPods(key, owner, plan.count, parts);
    case "delete":
      return deletePods(key, owner, plan.pods, parts);
  }
}

/** In batches that double, so that what fails for a common reason fails once and not five hundred times. */
async function createPods<T extends OwnerObject>(
  key: string,
  owner: ReplicaOwner,
  count: number,
  { control, expectations }: Parts<T>,
): Promise<void> {
  expectations.expectCreations(key, count);
  let created = 0;
  let failures: readonly unknown[] = [];
  for (const size of batchSizes(count)) {
    const batch = Array.from({ length: size }, () => createPod(control, owner, owner.template));
    const outcomes = await Promise.allSettled(batch);
    failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    created += size - failures.length;
    if (failures.length > 0) break;
  }
  for (let missing = created; missing < count; missing++) expectations.creationObserved(key);
  const [failure] = failures;
  if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
}

async function deletePods<T extends OwnerObject>(
  key: string,
  owner: ReplicaOwner,
  pods: readonly Pod[],
  { control, expectations }: Parts<T>,
): Promise<void> {
  const failures: unknown[] = [];
  expectations.expectDeletions(
    key,
    pods.map(({ metadata }) => metadata.uid),
  );
  await Promise.all(
    pods.map(async (pod) => {
      try {
        await deletePod(control, owner, pod);
      } catch (error) {
        expectations.deletionObserved(key, pod.metadata.uid);
        if (!(error instanceof PodGone)) failures.push(error);
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
}

/** The Pods of all owners that have the same owner: a Deployment's other ReplicaSets. */
function relatedPods<T extends OwnerObject>(owner: ReplicaOwner, { deps, kind }: Parts<T>): readonly Pod[] {
  const { pods } = deps.informers;
  const controller = controllerOf(owner);
  const siblings = controller === undefined ? [] : kind.informer.lister.byIndex(byOwner, controller.uid);
  const uids = new Set([owner.metadata.uid, ...siblings.map(({ metadata }) => metadata.uid)]);
  return [...uids].flatMap((uid) => pods.lister.byIndex(byOwner, uid));
}
