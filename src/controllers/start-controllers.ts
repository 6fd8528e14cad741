// All controllers of a cluster, over one shared copy of it.

import type { Random } from "../base/random.ts";
import type { Clock } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import type { ControllerFailure } from "../client/controller.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "./controller-deps.ts";
import { startCronJobController } from "./cronjob/reconcile.ts";
import { startDaemonSetController } from "./daemonset/reconcile.ts";
import { startDeploymentController } from "./deployment/reconcile.ts";
import { startDisruptionController } from "./disruption/reconcile.ts";
import { startEndpointSliceController } from "./endpoint-slice/reconcile.ts";
import { startEndpointSliceMirroringController } from "./endpoint-slice-mirroring/reconcile.ts";
import { startEndpointsController } from "./endpoints/reconcile.ts";
import { startGarbageCollector } from "./garbage-collector/reconcile.ts";
import { startHorizontalPodAutoscalerController } from "./horizontal-pod-autoscaler/reconcile.ts";
import { startJobController } from "./job/reconcile.ts";
import { startNamespaceController } from "./namespace/reconcile.ts";
import { startNodeLifecycleController } from "./node-lifecycle/reconcile.ts";
import { startEphemeralVolumeController } from "./ephemeral-volume/reconcile.ts";
import { startLocalFolderProvisioner } from "./local-folder-provisioner/reconcile.ts";
import type { VolumeFolders } from "./local-folder-provisioner/volume-folders.ts";
import { startPersistentVolumeController } from "./persistent-volume/reconcile.ts";
import { startPodGarbageCollector } from "./pod-gc/reconcile.ts";
import { startReplicaSetController, startReplicationController } from "./replicaset/reconcile.ts";
import { startRootCaPublisher } from "./root-ca-publisher/reconcile.ts";
import { startServiceAccountController } from "./service-account/reconcile.ts";
import { startServiceLoadBalancerController } from "./service-load-balancer/reconcile.ts";
import { allOf, sharedInformers } from "./shared-informers.ts";
import { startStatefulSetController } from "./statefulset/reconcile.ts";
import { startTaintEvictionController } from "./taint-eviction/reconcile.ts";
import { startTtlAfterFinishedController } from "./ttl-after-finished/reconcile.ts";
import { startVolumeExpansionController } from "./volume-expansion/reconcile.ts";
import { startVolumeProtectionController } from "./volume-protection/reconcile.ts";

export interface ControllersOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** Events as this component reports them: `node-controller`, `taint-eviction-controller`. */
  readonly recorderFor: (component: string) => EventRecorder;
  /** PEM of the authority that Pods should trust, for `kube-root-ca.crt`. Without it no such ConfigMap is made. */
  readonly authorityCertificate?: string;
  /** Where volumes are made and removed; without it nobody makes any. */
  readonly volumeFolders?: VolumeFolders;
  /** Told of each turn, list or watch that failed; it is tried again by itself. */
  readonly log?: (message: string) => void;
}

export interface RunningControllers {
  /** Resolves when all controllers know the cluster and are at work. */
  whenSynced(): Promise<void>;
  /** From now on no Pod is replaced: for whoever ends them all. Resolves after the turns in progress. */
  stopWorkloads(): Promise<void>;
  /** Resolves after the turns in progress. */
  stop(): Promise<void>;
}

export function startControllers(options: ControllersOptions): RunningControllers {
  const { client, clock, random, recorderFor, authorityCertificate, volumeFolders, log = () => undefined } = options;
  const onInformerFailure = (error: unknown): void => log(`controllers: list or watch failed: ${String(error)}`);
  const informers = sharedInformers({ client, clock, random, onFailure: onInformerFailure });
  const onFailure = ({ controller, key, error, retryAfter }: ControllerFailure): void =>
    log(`${controller}: ${key}: ${String(error)}; again in ${retryAfter} ms`);
  const deps: ControllerDeps = { client, clock, random, informers, recorderFor, onFailure };
  const running: RunningController[] = [];
  const workloads: RunningController[] = [];
  let stopped = false;
  let withWorkloads = true;
  for (const informer of allOf(informers)) informer.start();
  const synced = Promise.all(allOf(informers).map((informer) => informer.whenSynced())).then(() => {
    if (stopped) return;
    running.push(
      startNamespaceController(deps),
      startServiceAccountController(deps),
      startNodeLifecycleController(deps),
      startTaintEvictionController(deps),
      startPodGarbageCollector(deps),
      startGarbageCollector(deps),
      startEndpointSliceController(deps),
      startEndpointsController(deps),
      startEndpointSliceMirroringController(deps),
      startServiceLoadBalancerController(deps),
      startTtlAfterFinishedController(deps),
      // It goes on counting Pods that end: what is not counted cannot go.
      startJobController(deps, () => withWorkloads),
      startDisruptionController(deps),
      startHorizontalPodAutoscalerController(deps),
      startPersistentVolumeController(deps),
      startVolumeExpansionController(deps),
      startVolumeProtectionController(deps),
      startEphemeralVolumeController(deps),
    );
    if (volumeFolders !== undefined) running.push(startLocalFolderProvisioner(deps, volumeFolders));
    if (authorityCertificate !== undefined) running.push(startRootCaPublisher(deps, authorityCertificate));
    if (!withWorkloads) return;
    workloads.push(
      startReplicationController(deps),
      startReplicaSetController(deps),
      startDeploymentController(deps),
      startStatefulSetController(deps),
      startDaemonSetController(deps),
      startCronJobController(deps),
    );
  });
  const stopWorkloads = async (): Promise<void> => {
    withWorkloads = false;
    await Promise.all(workloads.splice(0).map((controller) => controller.stop()));
  };
  return {
    whenSynced: () => synced,
    stopWorkloads,
    async stop() {
      stopped = true;
      for (const informer of allOf(informers)) informer.stop();
      await stopWorkloads();
      await Promise.all(running.map((controller) => controller.stop()));
    },
  };
}
