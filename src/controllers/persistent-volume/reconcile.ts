// Binds claims to volumes, and keeps the phases of both (pod-lifecycle 14).

import { reservedVolume } from "../../api/core/v1/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { defaultClassOf } from "../../api/storage/v1/storage-class.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { formatTime, millis, seconds } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventNote, EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { podsByClaim } from "../shared-informers.ts";
import { WrittenObjects } from "../written-objects.ts";
import { boundClaim, boundStatus, planClaim, planVolume, type VolumeView } from "./plan.ts";

/** How often a claim that waits says so again. */
const reminderInterval = seconds(15);

/** When somebody else has written first, the news of it is on its way. */
const conflictDelay = millis(20);

const claimPrefix = "claim:";
const volumePrefix = "volume:";

interface Parts {
  readonly deps: ControllerDeps;
  readonly recorder: EventRecorder;
  readonly claims: WrittenObjects<PersistentVolumeClaim>;
  readonly volumes: WrittenObjects<PersistentVolume>;
  readonly wake: (key: string) => void;
}

export function startPersistentVolumeController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const parts: Parts = {
    deps,
    recorder: recorderFor("persistentvolume-controller"),
    claims: new WrittenObjects(informers.persistentVolumeClaims.lister),
    volumes: new WrittenObjects(informers.persistentVolumes.lister),
    wake: (key) => controller.queue.add(key),
  };
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      return key.startsWith(claimPrefix)
        ? await reconcileClaim(key.slice(claimPrefix.length), parts)
        : await reconcileVolume(key.slice(volumePrefix.length), parts);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      if (isReason(error, "NotFound")) return done; // gone; the news of it is on its way
      throw error;
    }
  };
  // One after the other: two claims must not choose the same volume.
  const controller = new Controller({ name: "persistentvolume-binder", clock, reconcile, onFailure });
  const wakeUnbound = (): void => {
    for (const claim of parts.claims.list()) {
      if (claim.status.phase === "Pending") parts.wake(`${claimPrefix}${keyOf(claim)}`);
    }
  };
  informers.persistentVolumeClaims.onAny(({ object }) => {
    parts.wake(`${claimPrefix}${keyOf(object)}`);
    if ((object.spec.volumeName ?? "") !== "") parts.wake(`${volumePrefix}${object.spec.volumeName}`);
    for (const { metadata, spec } of parts.volumes.list()) {
      const { claimRef } = spec;
      if (claimRef?.name === object.metadata.name && claimRef.namespace === object.metadata.namespace) {
        parts.wake(`${volumePrefix}${metadata.name}`);
      }
    }
  });
  informers.persistentVolumes.onAny(({ kind, object }) => {
    parts.wake(`${volumePrefix}${object.metadata.name}`);
    const { claimRef } = object.spec;
    if (claimRef !== undefined) parts.wake(`${claimPrefix}${claimRef.namespace}/${claimRef.name}`);
    else if (kind !== "deleted") wakeUnbound();
  });
  informers.storageClasses.onAny(wakeUnbound);
  controller.start();
  return controller;
}

async function reconcileClaim(key: string, parts: Parts): Promise<ReconcileOutcome> {
  const claim = parts.claims.get(key);
  if (claim === undefined) return done;
  const plan = planClaim(claim, viewOf(parts));
  switch (plan.kind) {
    case "nothing":
      return done;
    case "assignClass":
      await writeClaim({ ...claim, spec: { ...claim.spec, storageClassName: plan.storageClassName } }, parts);
      parts.wake(`${claimPrefix}${key}`);
      return done;
    case "bind":
      await bind(claim, plan.volume, parts);
      return done;
    case "provision": {
      const annotations = { ...claim.metadata.annotations, ...plan.annotations };
      if (!sameJson(annotations, claim.metadata.annotations ?? {})) {
        await writeClaim({ ...claim, metadata: { ...claim.metadata, annotations } }, parts);
      }
      parts.recorder.record(claim, plan.note);
      return { kind: "after", wait: reminderInterval };
    }
    case "wait":
      await writeClaimStatus(claim, { ...claim.status, phase: "Pending" }, parts);
      if (plan.note === undefined) return done;
      parts.recorder.record(claim, plan.note);
      return { kind: "after", wait: reminderInterval };
    case "lose":
      await writeClaimStatus(claim, { ...claim.status, phase: "Lost" }, parts);
      parts.recorder.record(claim, plan.note);
      return done;
  }
}

/** Four writes, each of which may have happened in an earlier life: the volume's reservation and phase, the claim's volume and phase. */
async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume, parts: Parts): Promise<void> {
  const { client } = parts.deps;
  const reserved = reservedVolume(volume, claim);
  const written = reserved === volume ? volume : await client.persistentVolumes.update(reserved);
  parts.volumes.wrote(written);
  await writePhase(written, "Bound", parts);
  const bound = boundClaim(claim, volume);
  const writtenClaim = bound === claim ? claim : await writeClaim(bound, parts);
  await writeClaimStatus(writtenClaim, boundStatus(writtenClaim, volume), parts);
}

async function reconcileVolume(name: string, parts: Parts): Promise<ReconcileOutcome> {
  const volume = parts.volumes.get(name);
  if (volume === undefined) return done;
  const plan = planVolume(volume, viewOf(parts));
  switch (plan.kind) {
    case "nothing":
      return done;
    case "phase":
      await writePhase(volume, plan.phase, parts);
      if (plan.phase === "Released") parts.wake(`${volumePrefix}${name}`);
      return done;
    case "unbind":
      parts.volumes.wrote(await parts.deps.client.persistentVolumes.update(plan.volume));
      parts.wake(`${volumePrefix}${name}`);
      return done;
    case "wakeClaim":
      parts.wake(`${claimPrefix}${plan.namespace}/${plan.name}`);
      return done;
    case "fail":
      await writePhase(volume, "Failed", parts, plan.note);
      parts.recorder.record(volume, plan.note);
      return done;
  }
}

async function writePhase(
  volume: PersistentVolume,
  phase: PersistentVolume["status"]["phase"],
  { deps, volumes }: Parts,
  why?: EventNote,
): Promise<void> {
  if (volume.status.phase === phase) return;
  const { message: _message, reason: _reason, ...kept } = volume.status;
  const status = {
    ...kept,
    phase,
    lastPhaseTransitionTime: formatTime(deps.clock.now()),
    ...(why && { message: why.message }),
  };
  volumes.wrote(await deps.client.persistentVolumes.updateStatus({ ...volume, status }));
}

async function writeClaim(claim: PersistentVolumeClaim, { deps, claims }: Parts): Promise<PersistentVolumeClaim> {
  const written = await deps.client.persistentVolumeClaims.update(claim);
  claims.wrote(written);
  return written;
}

async function writeClaimStatus(
  claim: PersistentVolumeClaim,
  status: PersistentVolumeClaim["status"],
  { deps, claims }: Parts,
): Promise<void> {
  if (sameJson(status, claim.status)) return;
  claims.wrote(await deps.client.persistentVolumeClaims.updateStatus({ ...claim, status }));
}

function viewOf({ deps, claims, volumes }: Parts): VolumeView {
  const { pods, storageClasses } = deps.informers;
  return {
    volumes: volumes.list(),
    volume: (name) => volumes.get(name),
    claim: (namespace, name) => claims.get(`${namespace}/${name}`),
    storageClass: (name) => storageClasses.lister.get(name),
    defaultClass: defaultClassOf(storageClasses.lister.list()),
    waitingPods: (claim) =>
      pods.lister
        .byIndex(podsByClaim, keyOf(claim))
        .filter(({ spec, metadata }) => (spec.nodeName ?? "") === "" && metadata.deletionTimestamp === undefined),
  };
}
