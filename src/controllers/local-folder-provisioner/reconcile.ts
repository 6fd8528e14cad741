// Makes the folders of volumes on the nodes, and removes them when their claims are gone (pod-lifecycle 14.3, 14.4).

import { classOfClaim } from "../../api/core/v1/persistent-volume-claim.ts";
import { selectedNodeAnnotation } from "../../api/core/v1/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/index.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { millis, seconds } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { folderProvisioner } from "../folder-provisioner.ts";
import { messageOf } from "../pod-control.ts";
import {
  newVolume,
  planProvision,
  planReclaim,
  type ProvisionPlan,
  provisionerFinalizer,
  standardClass,
  volumeNameOf,
} from "./plan.ts";
import type { VolumeFolders } from "./volume-folders.ts";

/** How many folders are worked on at once. */
const concurrency = 10;

const firstRetryDelay = seconds(1);
const longestRetryDelay = seconds(60);
const conflictDelay = millis(20);

const claimPrefix = "claim:";
const volumePrefix = "volume:";
const classKey = "class";

interface Parts {
  readonly deps: ControllerDeps;
  readonly folders: VolumeFolders;
  readonly recorder: EventRecorder;
}

/** Also gives a cluster without any StorageClass its default one. */
export function startLocalFolderProvisioner(deps: ControllerDeps, folders: VolumeFolders): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const parts: Parts = { deps, folders, recorder: recorderFor(folderProvisioner) };
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      if (key === classKey) return await createStandardClass(parts);
      return key.startsWith(claimPrefix)
        ? await reconcileClaim(key.slice(claimPrefix.length), parts)
        : await reconcileVolume(key.slice(volumePrefix.length), parts);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      if (isReason(error, "NotFound")) return done;
      throw error;
    }
  };
  const options = { name: "local-folder-provisioner", clock, reconcile, onFailure, concurrency };
  const controller = new Controller({ ...options, firstRetryDelay, longestRetryDelay });
  informers.persistentVolumeClaims.onAny(({ object }) => controller.queue.add(`${claimPrefix}${keyOf(object)}`));
  informers.persistentVolumes.onAny(({ object }) => controller.queue.add(`${volumePrefix}${keyOf(object)}`));
  controller.queue.add(classKey);
  controller.start();
  return controller;
}

async function createStandardClass({ deps }: Parts): Promise<ReconcileOutcome> {
  if (deps.informers.storageClasses.lister.size > 0) return done;
  try {
    await deps.client.storageClasses.create(standardClass);
  } catch (error) {
    if (!isReason(error, "AlreadyExists")) throw error;
  }
  return done;
}

async function reconcileClaim(key: string, parts: Parts): Promise<ReconcileOutcome> {
  const { informers, client } = parts.deps;
  const claim = informers.persistentVolumeClaims.lister.get(key);
  if (claim === undefined) return done;
  const storageClass = informers.storageClasses.lister.get(classOfClaim(claim) ?? "");
  const plan = planProvision(claim, storageClass, informers.nodes.lister.list());
  switch (plan.kind) {
    case "nothing":
      return done;
    case "provision":
      return await provision(claim, plan, parts);
    case "reschedule": {
      parts.recorder.record(claim, { type: "Warning", reason: "ProvisioningFailed", message: plan.why });
      const { [selectedNodeAnnotation]: _gone, ...annotations } = claim.metadata.annotations ?? {};
      await client.persistentVolumeClaims.update({ ...claim, metadata: { ...claim.metadata, annotations } });
      return done;
    }
    case "fail":
      parts.recorder.record(claim, { type: "Warning", reason: "ProvisioningFailed", message: plan.why });
      return { kind: "failed", error: new Error(plan.why) };
  }
}

async function provision(
  claim: PersistentVolumeClaim,
  plan: ProvisionPlan & { readonly kind: "provision" },
  { deps, folders, recorder }: Parts,
): Promise<ReconcileOutcome> {
  const name = volumeNameOf(claim);
  if (deps.informers.persistentVolumes.lister.get(name) !== undefined) return done;
  const message = `External provisioner is provisioning volume for claim "${keyOf(claim)}"`;
  recorder.record(claim, { type: "Normal", reason: "Provisioning", message });
  try {
    // The folder first: whoever sees the volume may mount it at once.
    const path = await folders.make(plan.node.metadata.name, name);
    await deps.client.persistentVolumes.create(newVolume(claim, plan, path));
  } catch (error) {
    if (isReason(error, "AlreadyExists")) return done;
    const why = `failed to provision volume with StorageClass "${plan.storageClass.metadata.name}": ${messageOf(error)}`;
    recorder.record(claim, { type: "Warning", reason: "ProvisioningFailed", message: why });
    return { kind: "failed", error };
  }
  recorder.record(claim, {
    type: "Normal",
    reason: "ProvisioningSucceeded",
    message: `Successfully provisioned volume ${name}`,
  });
  return done;
}

async function reconcileVolume(name: string, parts: Parts): Promise<ReconcileOutcome> {
  const volume = parts.deps.informers.persistentVolumes.lister.get(name);
  if (volume === undefined) return done;
  const plan = planReclaim(volume);
  switch (plan.kind) {
    case "nothing":
      return done;
    case "finalizers":
      await writeFinalizers(volume, plan.finalizers, parts);
      return done;
    case "delete":
      return await reclaim(volume, plan.nodeName, plan.path, parts);
  }
}

async function reclaim(
  volume: PersistentVolume,
  nodeName: string,
  path: string,
  parts: Parts,
): Promise<ReconcileOutcome> {
  const { client, informers } = parts.deps;
  const { name, uid, finalizers = [], deletionTimestamp } = volume.metadata;
  const { claimRef } = volume.spec;
  // The claim is asked for itself: a volume that is called Released by mistake must not lose its bytes.
  if (await isClaimed(volume, parts)) return done;
  // With the node its disk is gone.
  if (informers.nodes.lister.get(nodeName) !== undefined) {
    try {
      await parts.folders.remove(nodeName, name, path);
    } catch (error) {
      const message = messageOf(error);
      parts.recorder.record(volume, { type: "Warning", reason: "VolumeFailedDelete", message });
      return {
        kind: "failed",
        error: new Error(`volume of claim ${claimRef?.namespace}/${claimRef?.name}: ${message}`),
      };
    }
  }
  if (deletionTimestamp === undefined)
    await client.persistentVolumes.delete(name, undefined, { preconditions: { uid } });
  if (!finalizers.includes(provisionerFinalizer)) return done;
  await writeFinalizers(await client.persistentVolumes.get(name), undefined, parts);
  return done;
}

async function isClaimed({ spec }: PersistentVolume, { deps }: Parts): Promise<boolean> {
  const { namespace, name = "", uid } = spec.claimRef ?? {};
  try {
    return (await deps.client.persistentVolumeClaims.get(name, namespace)).metadata.uid === uid;
  } catch (error) {
    if (isReason(error, "NotFound")) return false;
    throw error;
  }
}

/** @param wanted without it: those that are there, but for the provisioner's own */
async function writeFinalizers(
  volume: PersistentVolume,
  wanted: readonly string[] | undefined,
  { deps }: Parts,
): Promise<void> {
  const { finalizers = [] } = volume.metadata;
  const others = wanted ?? finalizers.filter((name) => name !== provisionerFinalizer);
  await deps.client.persistentVolumes.update({ ...volume, metadata: { ...volume.metadata, finalizers: others } });
}
