// Makes the claims of generic ephemeral volumes (pod-lifecycle 14.6).

import { claimsOfPod } from "../../api/core/v1/pod-claims.ts";
import type { Pod } from "../../api/index.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { isNamespaceTerminating, messageOf } from "../pod-control.ts";
import { podsByClaim } from "../shared-informers.ts";
import { planEphemeralClaims } from "./plan.ts";

export function startEphemeralVolumeController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure, recorderFor } = deps;
  const recorder = recorderFor("ephemeral_volume");
  const reconcile = (key: string): Promise<ReconcileOutcome> => reconcilePod(key, deps, recorder);
  const controller = new Controller({ name: "ephemeral-volume", clock, reconcile, onFailure });
  const wake = (pod: Pod): void => {
    if (claimsOfPod(pod).some(({ isEphemeral }) => isEphemeral)) controller.queue.add(keyOf(pod));
  };
  informers.pods.onAny(({ kind, object }) => {
    if (kind === "added") wake(object);
  });
  informers.persistentVolumeClaims.onAny(({ kind, object }) => {
    if (kind === "deleted") informers.pods.lister.byIndex(podsByClaim, keyOf(object)).forEach(wake);
  });
  controller.start();
  return controller;
}

async function reconcilePod(
  key: string,
  { client, informers }: ControllerDeps,
  recorder: EventRecorder,
): Promise<ReconcileOutcome> {
  const pod = informers.pods.lister.get(key);
  if (pod === undefined) return done;
  const { namespace } = pod.metadata;
  const claims = informers.persistentVolumeClaims.lister;
  let failure: Error | undefined;
  for (const plan of planEphemeralClaims(pod, (name) => claims.get(`${namespace}/${name}`))) {
    try {
      if (plan.kind === "fail") throw new Error(plan.message);
      await client.persistentVolumeClaims.create(plan.draft, namespace);
    } catch (error) {
      if (isReason(error, "AlreadyExists") || isNamespaceTerminating(error)) continue;
      failure ??= error instanceof Error ? error : new Error(String(error));
      recorder.record(pod, { type: "Warning", reason: "FailedBinding", message: messageOf(error) });
    }
  }
  return failure === undefined ? done : { kind: "failed", error: failure };
}
