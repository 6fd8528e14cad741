// Watches over the nodes' signs of life and keeps their conditions, their taints and their Pods' readiness in step.

import type { Node, Pod } from "../../api/index.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { type Instant, type Millis, after, elapsed, formatTime } from "../../base/time.ts";
import { Controller, type ReconcileOutcome, done } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { podsByNode } from "../shared-informers.ts";
import {
  type Heartbeat,
  monitorPeriod,
  nextLook,
  noteHeartbeat,
  planConditions,
  planTaints,
  readyCondition,
  wantsNoExecute,
} from "./plan.ts";
import { Zones } from "./zones.ts";

/** Where the nodes renew their leases. */
const leaseNamespace = "kube-node-lease";

/** Nodes that are worked on at once. */
const concurrency = 8;

export function startNodeLifecycleController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const lifecycle = new NodeLifecycle(deps);
  const controller = new Controller({
    name: "node-lifecycle",
    clock,
    concurrency,
    reconcile: (key) => lifecycle.reconcile(key),
    onFailure,
  });
  informers.nodes.onAny(({ object }) => {
    lifecycle.zones.forget();
    controller.queue.add(object.metadata.name);
  });
  // A sign of life is noted when it comes and wakes nobody: it only moves the moment at which the node would have been silent too long.
  informers.leases.onAny(({ object }) => {
    if (object.metadata.namespace === leaseNamespace) lifecycle.noteLease(object.metadata.name);
  });
  controller.start();
  return controller;
}

class NodeLifecycle {
  readonly zones = new Zones();
  readonly #deps: ControllerDeps;
  readonly #recorder: EventRecorder;
  readonly #heartbeats = new Map<string, Heartbeat>();
  /** When each node was to be looked at again at the latest. */
  readonly #dueAt = new Map<string, Instant>();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#recorder = deps.recorderFor("node-controller");
  }

  async reconcile(name: string): Promise<ReconcileOutcome> {
    const { clock, informers } = this.#deps;
    const node = informers.nodes.lister.get(name);
    if (node === undefined) {
      this.#heartbeats.delete(name);
      this.#dueAt.delete(name);
      return done;
    }
    if (!this.#heartbeats.has(name))
      this.#record(node, "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);
    this.#excuseIfLate(name);
    const heartbeat = this.#note(node);
    const observed = await this.#updateConditions(node, heartbeat);
    if (readyCondition(observed)?.status === "Unknown") await this.#markPodsNotReady(name);
    const later = await this.#updateTaints(observed);
    const wait = later ?? nextLook(observed, heartbeat, clock.now());
    this.#dueAt.set(name, after(clock.now(), wait));
    return { kind: "after", wait };
  }

  /** Whoever was stopped, or slept, or had its clock put forward, has heard nothing because it did not listen: the node's time begins anew. */
  #excuseIfLate(name: string): void {
    const now = this.#deps.clock.now();
    const dueAt = this.#dueAt.get(name);
    const heartbeat = this.#heartbeats.get(name);
    if (dueAt === undefined || heartbeat === undefined || elapsed(dueAt, now) <= monitorPeriod) return;
    this.#heartbeats.set(name, { ...heartbeat, seenAt: now });
  }

  /** The node's lease was renewed. A node that nobody has looked at yet is met when it is. */
  noteLease(name: string): void {
    const node = this.#deps.informers.nodes.lister.get(name);
    if (node !== undefined && this.#heartbeats.has(name)) this.#note(node);
  }

  #note(node: Node): Heartbeat {
    const { name } = node.metadata;
    const lease = this.#deps.informers.leases.lister.get(`${leaseNamespace}/${name}`);
    const heartbeat = noteHeartbeat(this.#heartbeats.get(name), node, lease, this.#deps.clock.now());
    this.#heartbeats.set(name, heartbeat);
    return heartbeat;
  }

  /** Gives a silent node its Unknown conditions; answers with the node as it is then. */
  async #updateConditions(node: Node, heartbeat: Heartbeat): Promise<Node> {
    const { client, clock } = this.#deps;
    const conditions = planConditions(node, heartbeat, clock.now());
    if (conditions === undefined) return node;
    // With its version: a node that speaks up at this moment is not silenced.
    const updated = await client.nodes.updateStatus({ ...node, status: { ...node.status, conditions } });
    if (readyCondition(node)?.status === "True") {
      this.#record(node, "NodeNotReady", `Node ${node.metadata.name} status is now: NodeNotReady`);
    }
    this.zones.forget();
    return updated;
  }

  /** Answers with the time until the node may be tainted further, if it has to wait. */
  async #updateTaints(node: Node): Promise<Millis | undefined> {
    const { client, clock, informers } = this.#deps;
    const now = clock.now();
    const turn = this.zones.turnOf(node, wantsNoExecute(node), () => informers.nodes.lister.list(), now);
    const taints = planTaints(node, turn.kind === "now" ? turn.policy : "keep", now);
    if (taints !== undefined) await client.nodes.update({ ...node, spec: { ...node.spec, taints } });
    return turn.kind === "later" && turn.wait < monitorPeriod ? turn.wait : undefined;
  }

  /** Nobody can say that these Pods still serve. Their containers are left alone: they may well be running. */
  async #markPodsNotReady(nodeName: string): Promise<void> {
    const { client, clock, informers } = this.#deps;
    for (const pod of informers.pods.lister.byIndex(podsByNode, nodeName)) {
      if (!isReady(pod)) continue;
      const condition = { type: "Ready", status: "False", lastTransitionTime: formatTime(clock.now()) };
      const { name, namespace } = pod.metadata;
      try {
        await client.pods.patch(name, namespace, "strategic", { status: { conditions: [condition] } }, "status");
      } catch (error) {
        if (isReason(error, "NotFound")) continue;
        throw error;
      }
      this.#recorder.record(pod, { type: "Warning", reason: "NodeNotReady", message: "Node is not ready" });
    }
  }

  #record(node: Node, reason: string, message: string): void {
    this.#recorder.record(node, { type: "Normal", reason, message });
  }
}

function isReady({ status }: Pod): boolean {
  return (status.conditions ?? []).some((condition) => condition.type === "Ready" && condition.status === "True");
}
