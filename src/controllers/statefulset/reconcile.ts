// Keeps the Pods of StatefulSets: each ordinal has its own, and they come and go in their order.

import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { requirementsOf } from "../../api/meta/label-selector.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Millis, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import {
  byNumber,
  claimRevisions,
  expiredRevisions,
  presentRevision,
  removeRevisions,
  type RevisionOwner,
  templateOf,
} from "../controller-revisions.ts";
import { Expectations } from "../expectations.ts";
import { concernedOwners, observeExpected, ownerKey, type PodOwners } from "../owned-pods.ts";
import { carryOutClaims, planClaims } from "../ownership.ts";
import { isNamespaceTerminating, messageOf } from "../pod-control.ts";
import { isActive, nextAvailability } from "../pod-state.ts";
import { byOwner, orphans } from "../shared-informers.ts";
import { slowStart } from "../slow-start.ts";
import { claimName } from "./claims.ts";
import { firstOrdinal, ordinalOf, revisionNameOf } from "./identity.ts";
import { type NeededClaim, planStatefulSet, type StatefulSetAction, type StatefulSetPlan } from "./plan.ts";
import { computeStatus } from "./status.ts";

/** How many StatefulSets are worked on at once. */
const concurrency = 5;

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay: Millis = millis(20);

const hashLabel = "controller.kubernetes.io/hash";

interface Parts {
  readonly deps: ControllerDeps;
  readonly expectations: Expectations;
  readonly recorder: EventRecorder;
}

export function startStatefulSetController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const expectations = new Expectations(clock);
  const parts: Parts = { deps, expectations, recorder: recorderFor("statefulset-controller") };
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      return await reconcileStatefulSet(key, parts);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      throw error;
    }
  };
  const controller = new Controller({ name: "statefulset", clock, concurrency, reconcile, onFailure });
  const owners: PodOwners<StatefulSet> = {
    kind: "StatefulSet",
    lister: informers.statefulSets.lister,
    requirements: ({ spec }) => requirementsOf(spec.selector),
  };
  informers.statefulSets.onAny(({ kind, object }) => {
    if (kind === "deleted") expectations.forget(keyOf(object));
    controller.queue.add(keyOf(object));
  });
  informers.pods.onAny((change) => {
    observeExpected(change, owners, expectations);
    for (const key of concernedOwners(change, owners)) controller.queue.add(key);
  });
  informers.controllerRevisions.onAny(({ kind, object }) => {
    const key = kind === "deleted" ? ownerKey(object, owners) : undefined;
    if (key !== undefined) controller.queue.add(key);
  });
  informers.persistentVolumeClaims.onAny(({ object }) => {
    for (const set of informers.statefulSets.lister.inNamespace(object.metadata.namespace ?? "")) {
      if (mayBeClaimOf(set, object.metadata.name)) controller.queue.add(keyOf(set));
    }
  });
  controller.start();
  return controller;
}

function mayBeClaimOf({ metadata, spec }: StatefulSet, name: string): boolean {
  return (spec.volumeClaimTemplates ?? []).some((template) =>
    name.startsWith(`${template.metadata.name}-${metadata.name}-`),
  );
}

async function reconcileStatefulSet(key: string, parts: Parts): Promise<ReconcileOutcome> {
  const { deps, expectations } = parts;
  const { clock, client, informers } = deps;
  const set = informers.statefulSets.lister.get(key);
  if (set === undefined) {
    expectations.forget(key);
    return done;
  }
  if (set.metadata.deletionTimestamp !== undefined) return reportLeaving(set, parts);
  const mayAct = expectations.wait(key) === 0;
  const { apiVersion, kind, metadata, spec, status: reported } = set;
  const { template } = spec;
  const { collisionCount: collisions = 0, currentRevision } = reported;
  const requirements = requirementsOf(spec.selector);
  const owner: RevisionOwner = {
    apiVersion,
    kind,
    metadata,
    requirements,
    template,
    collisionCount: collisions,
    hashLabel,
  };
  const revisions = await claimRevisions(owner, {
    client,
    informer: informers.controllerRevisions,
    owners: client.statefulSets,
  });
  const pods = await claimPods(set, owner, parts);
  const present = await presentRevision(owner, revisions, client);
  const update = present.revision;
  const current = revisions.find((revision) => revision.metadata.name === currentRevision) ?? update;
  const observed = {
    set,
    pods,
    current: { name: current.metadata.name, template: templateOf(current) ?? template },
    update: { name: update.metadata.name, template },
    claims: await claimsOf(set, pods, parts),
    now: clock.now(),
  };
  const plan = mayAct ? planStatefulSet(observed) : { phases: [] };
  const { carriedOut, failure } = await carryOut(key, set, plan, parts);
  const names = {
    current: current.metadata.name,
    update: update.metadata.name,
    collisionCount: present.collisionCount,
  };
  const now = clock.now();
  const status = computeStatus(set, names, pods, carriedOut, now);
  try {
    if (!sameJson(status, reported)) await client.statefulSets.updateStatus({ ...set, status });
  } catch (error) {
    if (isReason(error, "NotFound")) return done;
    if (!isReason(error, "Conflict") || failure === undefined) throw error;
  }
  if (failure !== undefined) return { kind: "failed", error: failure };
  const live = new Set([names.current, names.update, status.currentRevision, ...pods.map(revisionNameOf)]);
  const history = revisions.filter(({ metadata: { uid } }) => uid !== update.metadata.uid).sort(byNumber);
  await removeRevisions(
    expiredRevisions(history, (revision) => live.has(revision.metadata.name), spec.revisionHistoryLimit),
    client,
  );
  const waits = [expectations.wait(key), nextAvailability(pods, spec.minReadySeconds ?? 0, now) ?? 0].filter(
    (wait) => wait > 0,
  );
  return waits.length === 0 ? done : { kind: "after", wait: Math.min(...waits) as Millis };
}

/** Of a set that goes only the counts are reported: what belongs to it goes before it or with it, and none of it comes back. */
async function reportLeaving(set: StatefulSet, { deps }: Parts): Promise<ReconcileOutcome> {
  const { currentRevision: current = "", updateRevision: update = "", collisionCount = 0 } = set.status;
  const pods = deps.informers.pods.lister.byIndex(byOwner, set.metadata.uid);
  const status = computeStatus(set, { current, update, collisionCount }, pods, { phases: [] }, deps.clock.now());
  try {
    if (!sameJson(status, set.status)) await deps.client.statefulSets.updateStatus({ ...set, status });
  } catch (error) {
    if (!isReason(error, "NotFound")) throw error;
  }
  return done;
}

/** The Pods that are the set's, after adopting and releasing. Who does not have one of its names cannot be. */
function claimPods(set: StatefulSet, owner: RevisionOwner, { deps }: Parts): Promise<readonly Pod[]> {
  const { lister } = deps.informers.pods;
  const { uid, namespace = "" } = set.metadata;
  const candidates = [...lister.byIndex(byOwner, uid), ...lister.byIndex(orphans, namespace).filter(isActive)];
  const plan = planClaims(owner, candidates, (pod) => ordinalOf(set, pod) !== undefined);
  return carryOutClaims(plan, owner, { owners: deps.client.statefulSets, objects: deps.client.pods });
}

/** The claims of all ordinals that are wanted or have a Pod, by name. */
async function claimsOf(
  set: StatefulSet,
  pods: readonly Pod[],
  { deps }: Parts,
): Promise<ReadonlyMap<string, PersistentVolumeClaim>> {
  const { volumeClaimTemplates = [], replicas } = set.spec;
  const found = new Map<string, PersistentVolumeClaim>();
  if (volumeClaimTemplates.length === 0) return found;
  const ordinals = new Set<number>();
  for (let index = 0; index < replicas; index++) ordinals.add(firstOrdinal(set) + index);
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal !== undefined) ordinals.add(ordinal);
  }
  for (const ordinal of ordinals) {
    for (const template of volumeClaimTemplates) {
      const name = claimName(set, template, ordinal);
      try {
        found.set(name, await deps.client.persistentVolumeClaims.get(name, set.metadata.namespace));
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
    }
  }
  return found;
}

/** Phase by phase. @returns the phases that have been carried out, and what kept the others from it */
async function carryOut(
  key: string,
  set: StatefulSet,
  { phases }: StatefulSetPlan,
  parts: Parts,
): Promise<{ readonly carriedOut: StatefulSetPlan; readonly failure?: unknown }> {
  const { expectations } = parts;
  const actions = phases.flat();
  const deletions = actions.flatMap((action) => (action.kind === "delete" ? [action.pod.metadata.uid] : []));
  const creations = actions.filter(({ kind }) => kind === "create").length;
  if (creations > 0 || deletions.length > 0) expectations.expect(key, { creations, deletions });
  const missed = new Set(actions);
  for (const [index, phase] of phases.entries()) {
    const { failure } = await slowStart(phase, async (action) => {
      await act(action, set, parts);
      missed.delete(action);
    });
    if (failure === undefined) continue;
    for (const action of missed) {
      if (action.kind === "create") expectations.creationObserved(key);
      if (action.kind === "delete") expectations.deletionObserved(key, action.pod.metadata.uid);
    }
    const carriedOut = { phases: phases.slice(0, index) };
    return isNamespaceTerminating(failure) ? { carriedOut } : { carriedOut, failure };
  }
  return { carriedOut: { phases } };
}

/** @throws StatusError, Error when it could not be done */
async function act(action: StatefulSetAction, set: StatefulSet, parts: Parts): Promise<void> {
  const { client } = parts.deps;
  switch (action.kind) {
    case "create":
      return told("create", action.name, set, parts, async () => {
        await createClaims(action.name, action.claims, set, parts);
        await client.pods.create(action.pod, set.metadata.namespace);
      });
    case "claim":
      return createClaims(action.pod.metadata.name, action.claims, set, parts);
    case "label": {
      const { name, namespace, uid } = action.pod.metadata;
      const patch = { metadata: { uid, labels: action.labels } };
      return told("update", name, set, parts, async () => {
        await client.pods.patch(name, namespace, "merge", patch);
      });
    }
    case "own":
      await client.persistentVolumeClaims.update(action.claim);
      return;
    case "delete": {
      const { name, namespace, uid } = action.pod.metadata;
      return told("delete", name, set, parts, () => client.pods.delete(name, namespace, { preconditions: { uid } }));
    }
  }
}

/** Does it and tells of it. That a Pod of the name is there already, or no longer, is news on its way and none for people. */
async function told(
  verb: "create" | "delete" | "update",
  pod: string,
  set: StatefulSet,
  { recorder }: Parts,
  act_: () => Promise<void>,
): Promise<void> {
  const what = `${verb} Pod ${pod} in StatefulSet ${set.metadata.name}`;
  const title = `${verb.slice(0, 1).toUpperCase()}${verb.slice(1)}`;
  try {
    await act_();
    recorder.record(set, { type: "Normal", reason: `Successful${title}`, message: `${what} successful` });
  } catch (error) {
    const isNews =
      !isReason(error, "AlreadyExists") &&
      !isReason(error, "NotFound") &&
      !isReason(error, "Conflict") &&
      !isNamespaceTerminating(error);
    if (isNews) {
      const message = `${what} failed error: ${messageOf(error)}`;
      recorder.record(set, { type: "Warning", reason: `Failed${title}`, message });
    }
    throw error;
  }
}

/** Creates the claims that are missing. @throws Error if one is on its way out: the Pod has to wait for a new one */
async function createClaims(
  pod: string,
  claims: readonly NeededClaim[],
  set: StatefulSet,
  { deps, recorder }: Parts,
): Promise<void> {
  for (const { draft, present } of claims) {
    const { name } = draft["metadata"] as JsonObject & { readonly name: string };
    if (present?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
    if (present !== undefined) continue;
    const at = `Pod ${pod} in StatefulSet ${set.metadata.name}`;
    try {
      await deps.client.persistentVolumeClaims.create(draft, set.metadata.namespace);
      const message = `create Claim ${name} ${at} success`;
      recorder.record(set, { type: "Normal", reason: "SuccessfulCreate", message });
    } catch (error) {
      if (isReason(error, "AlreadyExists")) continue;
      const message = `create Claim ${name} for ${at} failed error: ${messageOf(error)}`;
      recorder.record(set, { type: "Warning", reason: "FailedCreate", message });
      throw error;
    }
  }
}
