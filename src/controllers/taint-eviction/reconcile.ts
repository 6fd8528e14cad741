// Deletes Pods from nodes with NoExecute taints, when their tolerations have run out.

import type { Pod } from "../../api/index.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Instant, type Millis, after, elapsed, formatTime } from "../../base/time.ts";
import { Controller, type ReconcileOutcome, done, keyOf } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { podsByNode } from "../shared-informers.ts";
import { planStay } from "./plan.ts";

/** Pods that are worked on at once. */
const concurrency = 8;

export function startTaintEvictionController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const eviction = new TaintEviction(deps);
  const controller = new Controller({
    name: "taint-eviction",
    clock,
    concurrency,
    reconcile: (key) => eviction.reconcile(key),
    onFailure,
  });
  informers.pods.onAny(({ object }) => controller.queue.add(keyOf(object)));
  informers.nodes.onAny((change) => {
    if (change.kind === "updated" && change.previous.spec.taints === change.object.spec.taints) return;
    for (const pod of informers.pods.lister.byIndex(podsByNode, change.object.metadata.name)) {
      controller.queue.add(keyOf(pod));
    }
  });
  controller.start();
  return controller;
}

class TaintEviction {
  readonly #deps: ControllerDeps;
  readonly #recorder: EventRecorder;
  /** Pods whose time is running, by uid. */
  readonly #ends = new Map<string, Instant>();
  readonly #uids = new Map<string, string>();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#recorder = deps.recorderFor("taint-eviction-controller");
  }

  async reconcile(key: string): Promise<ReconcileOutcome> {
    const { clock, informers } = this.#deps;
    const pod = informers.pods.lister.get(key);
    const { nodeName } = pod?.spec ?? {};
    this.#forgetPredecessor(key, pod);
    if (pod === undefined || nodeName === undefined || pod.metadata.deletionTimestamp !== undefined) return done;
    const plan = planStay(pod, informers.nodes.lister.get(nodeName)?.spec.taints ?? []);
    switch (plan.kind) {
      case "unlimited":
        if (this.#ends.delete(pod.metadata.uid)) this.#record(pod, `Cancelling deletion of Pod ${key}`);
        return done;
      case "limited": {
        const wait = this.#remaining(pod, plan.stay);
        if (wait > 0) return { kind: "after", wait };
        await this.#evict(pod, clock.now());
        return done;
      }
    }
  }

  /** What is left of the Pod's time. A time that is already running is kept: new taints do not lengthen it. */
  #remaining({ metadata }: Pod, stay: Millis): Millis {
    const now = this.#deps.clock.now();
    if (stay === 0) return stay;
    const end = this.#ends.get(metadata.uid) ?? after(now, stay);
    this.#ends.set(metadata.uid, end);
    this.#uids.set(keyOf({ metadata }), metadata.uid);
    return elapsed(now, end);
  }

  async #evict(pod: Pod, now: Instant): Promise<void> {
    const { client } = this.#deps;
    const { name, namespace, uid } = pod.metadata;
    this.#record(pod, `Marking for deletion Pod ${keyOf(pod)}`);
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
      lastTransitionTime: formatTime(now),
    };
    try {
      await client.pods.patch(name, namespace, "strategic", { status: { conditions: [condition] } }, "status");
      await client.pods.delete(name, namespace, { preconditions: { uid } });
    } catch (error) {
      // Gone, or another Pod of the same name has taken its place.
      if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
    }
    this.#ends.delete(uid);
  }

  /** A Pod that is gone, or was replaced under its name, takes its time with it. */
  #forgetPredecessor(key: string, pod: Pod | undefined): void {
    const known = this.#uids.get(key);
    if (known === undefined || known === pod?.metadata.uid) return;
    this.#ends.delete(known);
    this.#uids.delete(key);
  }

  #record(pod: Pod, message: string): void {
    this.#recorder.record(pod, { type: "Normal", reason: "TaintManagerEviction", message });
  }
}
