// Lets deleted claims and volumes go when nobody uses them any more (pod-lifecycle 14.5).

import { claimsOfPod } from "../../api/core/v1/pod-claims.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome, splitKey } from "../../client/controller.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { podsByClaim } from "../shared-informers.ts";
import { claimFinalizer, isClaimHeld, mayVolumeGo, usesItsClaims, volumeFinalizer, withoutFinalizer } from "./plan.ts";

const conflictDelay = millis(20);

const claimPrefix = "claim:";
const volumePrefix = "volume:";

export function startVolumeProtectionController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      if (key.startsWith(claimPrefix)) await reconcileClaim(key.slice(claimPrefix.length), deps);
      else await reconcileVolume(key.slice(volumePrefix.length), deps);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      if (!isReason(error, "NotFound")) throw error;
    }
    return done;
  };
  const controller = new Controller({ name: "volume-protection", clock, reconcile, onFailure });
  informers.persistentVolumeClaims.onAny(({ object }) => {
    if (isClaimHeld(object)) controller.queue.add(`${claimPrefix}${keyOf(object)}`);
  });
  informers.persistentVolumes.onAny(({ object }) => {
    if (mayVolumeGo(object)) controller.queue.add(`${volumePrefix}${keyOf(object)}`);
  });
  informers.pods.onAny(({ kind, object }) => {
    if (kind !== "deleted" || object.spec.volumes === undefined) return;
    const { namespace } = object.metadata;
    for (const { claimName } of claimsOfPod(object)) controller.queue.add(`${claimPrefix}${namespace}/${claimName}`);
  });
  controller.start();
  return controller;
}

async function reconcileClaim(key: string, { client, informers }: ControllerDeps): Promise<void> {
  const claim = informers.persistentVolumeClaims.lister.get(key);
  if (claim === undefined || !isClaimHeld(claim)) return;
  if (informers.pods.lister.byIndex(podsByClaim, key).some(usesItsClaims)) return;
  // The copy may be behind: a Pod may have got its node just now.
  const { namespace, name } = splitKey(key);
  const { items } = await client.pods.list({ ...(namespace !== undefined && { namespace }) });
  const isUsed = items.some(
    (pod) => usesItsClaims(pod) && claimsOfPod(pod).some(({ claimName }) => claimName === name),
  );
  if (isUsed) return;
  await client.persistentVolumeClaims.update(withoutFinalizer(claim, claimFinalizer));
}

async function reconcileVolume(name: string, { client, informers }: ControllerDeps): Promise<void> {
  const volume = informers.persistentVolumes.lister.get(name);
  if (volume === undefined || !mayVolumeGo(volume)) return;
  await client.persistentVolumes.update(withoutFinalizer(volume, volumeFinalizer));
}
