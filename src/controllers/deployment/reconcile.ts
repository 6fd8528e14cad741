// Carries a Deployment's template and size over to its ReplicaSets, step by step.

import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { matchesRequirements, requirementsOf } from "../../api/meta/label-selector.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { InformerChange } from "../../client/informer.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { carryOutClaims, controllerOf, planClaims } from "../ownership.ts";
import { isNamespaceTerminating, messageOf } from "../pod-control.ts";
import { byOwner, orphans } from "../shared-informers.ts";
import { type DeploymentStep, planStep } from "./plan.ts";
import {
  annotatedNumber,
  revisionAnnotation,
  type Revisions,
  revisionsOf,
  sameTemplate,
  sizeAnnotations,
} from "./revisions.ts";
import type { Resize } from "./rolling-update.ts";
import { computeCounts, computeStatus, progressOf, untilDeadline, withPause, withReplicaSet } from "./status.ts";

/** How many Deployments are worked on at once. */
const concurrency = 5;

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

interface Parts {
  readonly deps: ControllerDeps;
  readonly recorder: EventRecorder;
}

export function startDeploymentController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const parts: Parts = { deps, recorder: recorderFor("deployment-controller") };
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      return await reconcileDeployment(key, parts);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      throw error;
    }
  };
  const controller = new Controller({ name: "deployment", clock, concurrency, reconcile, onFailure });
  informers.deployments.onAny(({ object }) => controller.queue.add(keyOf(object)));
  informers.replicaSets.onAny((change) => {
    for (const key of concerned(change, deps)) controller.queue.add(key);
  });
  // A Recreate waits until the last old Pod has ended.
  informers.pods.onAny((change) => {
    const key = change.kind === "added" ? undefined : deploymentOf(change.object, deps);
    if (key !== undefined) controller.queue.add(key);
  });
  controller.start();
  return controller;
}

/** Whose business a change of a ReplicaSet is: its Deployment's, and of an orphan everybody's who could adopt it. */
function concerned(change: InformerChange<ReplicaSet>, { informers }: ControllerDeps): ReadonlySet<string> {
  const { object } = change;
  const keys = new Set<string>();
  for (const replicaSet of change.kind === "updated" ? [object, change.previous] : [object]) {
    const key = ownerKey(replicaSet, informers.deployments.lister);
    if (key !== undefined) keys.add(key);
  }
  if (controllerOf(object) === undefined && change.kind !== "deleted") {
    for (const candidate of informers.deployments.lister.inNamespace(object.metadata.namespace ?? "")) {
      const requirements = requirementsOf(candidate.spec.selector) ?? [];
      if (matchesRequirements(requirements, object.metadata.labels)) keys.add(keyOf(candidate));
    }
  }
  return keys;
}

/** The Deployment that recreates its Pods and owns the owner of this one. */
function deploymentOf(pod: Pod, { informers }: ControllerDeps): string | undefined {
  const reference = controllerOf(pod);
  if (reference?.kind !== "ReplicaSet") return undefined;
  const replicaSet = informers.replicaSets.lister.get(`${pod.metadata.namespace ?? ""}/${reference.name}`);
  if (replicaSet === undefined) return undefined;
  const key = ownerKey(replicaSet, informers.deployments.lister);
  if (key === undefined) return undefined;
  return informers.deployments.lister.get(key)?.spec.strategy.type === "Recreate" ? key : undefined;
}

function ownerKey(
  replicaSet: ReplicaSet,
  deployments: { get(key: string): Deployment | undefined },
): string | undefined {
  const reference = controllerOf(replicaSet);
  if (reference?.kind !== "Deployment") return undefined;
  const key = `${replicaSet.metadata.namespace ?? ""}/${reference.name}`;
  return deployments.get(key)?.metadata.uid === reference.uid ? key : undefined;
}

async function reconcileDeployment(key: string, parts: Parts): Promise<ReconcileOutcome> {
  const { clock, informers } = parts.deps;
  const seen = informers.deployments.lister.get(key);
  if (seen === undefined) return done;
  const revisions = revisionsOf(seen, await claimReplicaSets(seen, parts));
  const deployment = withConditions(seen, withPause(seen, clock.now()));
  const podsOf = ({ metadata }: ReplicaSet): readonly Pod[] => informers.pods.lister.byIndex(byOwner, metadata.uid);
  const step = planStep({ deployment, revisions, podsOf });
  const after = await carryOut(step, { deployment, revisions }, parts);
  const now = clock.now();
  const verdict = step.kind === "leave" || step.kind === "scale" ? computeCounts : computeStatus;
  const status = verdict(after.deployment, after.revisions, now);
  await report(seen, { ...after.deployment, status }, parts);
  const wait = untilDeadline(after.deployment, status, now);
  return wait === undefined ? done : { kind: "after", wait };
}

async function claimReplicaSets(deployment: Deployment, { deps }: Parts): Promise<readonly ReplicaSet[]> {
  const { lister } = deps.informers.replicaSets;
  const { apiVersion, kind, metadata, spec } = deployment;
  const owner = { apiVersion, kind, metadata, requirements: requirementsOf(spec.selector) };
  const candidates = [...lister.byIndex(byOwner, metadata.uid), ...lister.byIndex(orphans, metadata.namespace ?? "")];
  const clients = { owners: deps.client.deployments, objects: deps.client.replicaSets };
  return carryOutClaims(planClaims(owner, candidates), owner, clients);
}

/** A Deployment and its ReplicaSets as a step has left them. */
interface Rollout {
  readonly deployment: Deployment;
  readonly revisions: Revisions;
}

/** @throws StatusError when a write was refused: the turn is over and comes again */
async function carryOut(step: DeploymentStep, rollout: Rollout, parts: Parts): Promise<Rollout> {
  switch (step.kind) {
    case "leave":
      return rollout;
    case "create":
      return createReplicaSet(step.replicaSet, rollout, parts);
    case "sync": {
      const written = await parts.deps.client.replicaSets.update(step.replicaSet);
      return withNewest(withReplaced(rollout, written), parts);
    }
    case "scale":
    case "resize": {
      let next = withNewest(rollout, parts);
      for (const resize of step.resizes) next = await resizeReplicaSet(resize, next, parts);
      if (step.kind === "scale") await removeReplicaSets(step.remove, parts);
      return next;
    }
    case "settle":
      await removeReplicaSets(step.remove, parts);
      return withNewest(rollout, parts);
  }
}

/** What the Deployment says of its newest ReplicaSet: its revision, and that there is one. */
function withNewest(rollout: Rollout, { deps }: Parts): Rollout {
  const { newest } = rollout.revisions;
  if (newest === undefined) return rollout;
  const { deployment } = rollout;
  const revision = newest.metadata.annotations?.[revisionAnnotation];
  const annotations = deployment.metadata.annotations ?? {};
  const annotated =
    revision === undefined || annotations[revisionAnnotation] === revision
      ? deployment
      : {
          ...deployment,
          metadata: { ...deployment.metadata, annotations: { ...annotations, [revisionAnnotation]: revision } },
        };
  if (progressOf(deployment.status.conditions ?? []) !== undefined) return { ...rollout, deployment: annotated };
  const found = {
    status: "True",
    reason: "FoundNewReplicaSet",
    message: `Found new replica set "${newest.metadata.name}"`,
  } as const;
  return { ...rollout, deployment: withConditions(annotated, withReplicaSet(annotated, found, deps.clock.now())) };
}

async function createReplicaSet(replicaSet: ReplicaSet, rollout: Rollout, parts: Parts): Promise<Rollout> {
  const { client, clock } = parts.deps;
  const { deployment, revisions } = rollout;
  const { name, namespace } = replicaSet.metadata;
  const announce = (change: Parameters<typeof withReplicaSet>[1]): Deployment =>
    withConditions(deployment, withReplicaSet(deployment, change, clock.now()));
  try {
    const newest = await client.replicaSets.create(replicaSet as unknown as JsonObject, namespace);
    recordScaling(deployment, name, 0, newest.spec.replicas, parts);
    const change = {
      status: "True",
      reason: "NewReplicaSetCreated",
      message: `Created new replica set "${name}"`,
    } as const;
    return withNewest({ deployment: announce(change), revisions: { ...revisions, newest } }, parts);
  } catch (error) {
    if (isReason(error, "AlreadyExists")) return withNamesake(name, rollout, parts);
    if (isNamespaceTerminating(error)) throw error;
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`;
    parts.recorder.record(deployment, { type: "Warning", reason: "ReplicaSetCreateError", message });
    const failed = announce({ status: "False", reason: "ReplicaSetCreateError", message });
    await report(deployment, failed, parts);
    throw error;
  }
}

/** The name is taken: by this Deployment itself, when the copy is behind; or two templates have one hash, and the next try gets another. */
async function withNamesake(name: string, rollout: Rollout, parts: Parts): Promise<Rollout> {
  const { deployment, revisions } = rollout;
  const { metadata, spec, status } = deployment;
  const found = await parts.deps.client.replicaSets.get(name, metadata.namespace);
  if (controllerOf(found)?.uid === metadata.uid && sameTemplate(found.spec.template, spec.template)) {
    return withNewest({ deployment, revisions: { ...revisions, newest: found } }, parts);
  }
  return {
    ...rollout,
    deployment: { ...deployment, status: { ...status, collisionCount: (status.collisionCount ?? 0) + 1 } },
  };
}

async function resizeReplicaSet({ replicaSet, replicas }: Resize, rollout: Rollout, parts: Parts): Promise<Rollout> {
  const { deployment } = rollout;
  const sizes = sizeAnnotations(deployment);
  const isAnnotated = Object.keys(sizes).every((name) => annotatedNumber(replicaSet, name) === Number(sizes[name]));
  const before = replicaSet.spec.replicas;
  if (isAnnotated && before === replicas) return rollout;
  const { metadata, spec } = replicaSet;
  const written = await parts.deps.client.replicaSets.update({
    ...replicaSet,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...sizes } },
    spec: { ...spec, replicas },
  });
  recordScaling(deployment, metadata.name, before, replicas, parts);
  return withReplaced(rollout, written);
}

async function removeReplicaSets(replicaSets: readonly ReplicaSet[], { deps }: Parts): Promise<void> {
  for (const { metadata } of replicaSets) {
    const { name, namespace, uid } = metadata;
    try {
      await deps.client.replicaSets.delete(name, namespace, { preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
    }
  }
}

function recordScaling(deployment: Deployment, name: string, from: number, to: number, { recorder }: Parts): void {
  if (from === to) return;
  const message = `Scaled ${to > from ? "up" : "down"} replica set ${name} from ${from} to ${to}`;
  recorder.record(deployment, { type: "Normal", reason: "ScalingReplicaSet", message });
}

/** Writes what has changed of status and revision. The revision goes with the status: it is no wish of anybody's. */
async function report(seen: Deployment, next: Deployment, { deps }: Parts): Promise<void> {
  const isSame =
    sameJson(next.status, seen.status) && sameJson(next.metadata.annotations ?? {}, seen.metadata.annotations ?? {});
  if (isSame) return;
  try {
    await deps.client.deployments.updateStatus(next);
  } catch (error) {
    if (!isReason(error, "NotFound")) throw error;
  }
}

function withConditions(deployment: Deployment, conditions: NonNullable<DeploymentStatus["conditions"]>): Deployment {
  if (conditions === deployment.status.conditions) return deployment;
  return { ...deployment, status: { ...deployment.status, conditions } };
}

/** The rollout with a ReplicaSet as it was written. */
function withReplaced(rollout: Rollout, written: ReplicaSet): Rollout {
  const { newest, old } = rollout.revisions;
  const { uid } = written.metadata;
  const replaced = (replicaSet: ReplicaSet): ReplicaSet => (replicaSet.metadata.uid === uid ? written : replicaSet);
  const revisions = { newest: newest === undefined ? undefined : replaced(newest), old: old.map(replaced) };
  return { ...rollout, revisions };
}
