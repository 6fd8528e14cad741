// Gives claims the size that they have come to ask for (pod-lifecycle 14).

import { classOfClaim } from "../../api/core/v1/persistent-volume-claim.ts";
import { compareQuantities, parseQuantity } from "../../api/meta/quantity.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { formatTime, millis } from "../../base/time.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { planExpansion, resized, resizing } from "./plan.ts";

const conflictDelay = millis(20);

export function startVolumeExpansionController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const recorder = recorderFor("volume_expand");
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    try {
      return await reconcileClaim(key, deps, recorder);
    } catch (error) {
      if (isReason(error, "Conflict")) return { kind: "after", wait: conflictDelay };
      if (isReason(error, "NotFound")) return done;
      throw error;
    }
  };
  const controller = new Controller({ name: "volume-expansion", clock, reconcile, onFailure });
  informers.persistentVolumeClaims.onAny(({ kind, object }) => {
    if (kind !== "deleted" && object.status.phase === "Bound") controller.queue.add(keyOf(object));
  });
  controller.start();
  return controller;
}

async function reconcileClaim(
  key: string,
  { client, clock, informers }: ControllerDeps,
  recorder: EventRecorder,
): Promise<ReconcileOutcome> {
  const claim = informers.persistentVolumeClaims.lister.get(key);
  if (claim === undefined) return done;
  const volume = informers.persistentVolumes.lister.get(claim.spec.volumeName ?? "");
  const plan = planExpansion(claim, volume, informers.storageClasses.lister.get(classOfClaim(claim) ?? ""));
  switch (plan.kind) {
    case "nothing":
      return done;
    case "wait":
      recorder.record(claim, plan.note);
      return done;
    case "expand": {
      const { size } = plan;
      const { capacity = {} } = plan.volume.spec;
      const status = resizing(claim.status, formatTime(clock.now()));
      const marked = await client.persistentVolumeClaims.updateStatus({ ...claim, status });
      const { name } = plan.volume.metadata;
      recorder.record(claim, {
        type: "Normal",
        reason: "Resizing",
        message: `External resizer is resizing volume ${name}`,
      });
      if (compareQuantities(parseQuantity(capacity["storage"] ?? "0"), parseQuantity(size)) < 0) {
        const spec = { ...plan.volume.spec, capacity: { ...capacity, storage: size } };
        await client.persistentVolumes.update({ ...plan.volume, spec });
      }
      await client.persistentVolumeClaims.updateStatus({ ...marked, status: resized(marked.status, size) });
      recorder.record(claim, { type: "Normal", reason: "VolumeResizeSuccessful", message: "Resize volume succeeded" });
      return done;
    }
  }
}
