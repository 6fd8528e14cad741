// All controllers of a cluster, over one shared copy of it.

import type { Random } from "../base/random.ts";
import type { Clock } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import type { ControllerFailure } from "../client/controller.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "./controller-deps.ts";
import { startNamespaceController } from "./namespace/reconcile.ts";
import { startNodeLifecycleController } from "./node-lifecycle/reconcile.ts";
import { startPodGarbageCollector } from "./pod-gc/reconcile.ts";
import { startRootCaPublisher } from "./root-ca-publisher/reconcile.ts";
import { startServiceAccountController } from "./service-account/reconcile.ts";
import { allOf, sharedInformers } from "./shared-informers.ts";
import { startTaintEvictionController } from "./taint-eviction/reconcile.ts";

export interface ControllersOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** Events as this component reports them: `node-controller`, `taint-eviction-controller`. */
  readonly recorderFor: (component: string) => EventRecorder;
  /** The CA bundle for `kube-root-ca.crt`, PEM. Without it no such ConfigMap is made. */
  readonly rootCertificate?: string;
  /** Told about each turn that failed; the controller tries again by itself. */
  readonly onFailure?: (failure: ControllerFailure) => void;
  /** Told about each list or watch that failed; it is tried again by itself. */
  readonly onInformerFailure?: (error: unknown) => void;
}

export interface RunningControllers {
  /** Resolves when all controllers know the cluster and are at work. */
  whenSynced(): Promise<void>;
  /** Resolves after the turns in progress. */
  stop(): Promise<void>;
}

export function startControllers(options: ControllersOptions): RunningControllers {
  const { client, clock, random, recorderFor, rootCertificate, onFailure, onInformerFailure } = options;
  const informers = sharedInformers({
    client,
    clock,
    random,
    ...(onInformerFailure === undefined ? {} : { onFailure: onInformerFailure }),
  });
  const deps: ControllerDeps = {
    client,
    clock,
    random,
    informers,
    recorderFor,
    ...(onFailure === undefined ? {} : { onFailure }),
  };
  const running: RunningController[] = [];
  let stopped = false;
  for (const informer of allOf(informers)) informer.start();
  const synced = Promise.all(allOf(informers).map((informer) => informer.whenSynced())).then(() => {
    if (stopped) return;
    running.push(
      startNamespaceController(deps),
      startServiceAccountController(deps),
      startNodeLifecycleController(deps),
      startTaintEvictionController(deps),
      startPodGarbageCollector(deps),
    );
    if (rootCertificate !== undefined) running.push(startRootCaPublisher(deps, rootCertificate));
  });
  return {
    whenSynced: () => synced,
    async stop() {
      stopped = true;
      for (const informer of allOf(informers)) informer.stop();
      await Promise.all(running.map((controller) => controller.stop()));
    },
  };
}
