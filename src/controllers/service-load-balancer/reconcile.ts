// Tells in the status of a Service of type LoadBalancer where it can be reached from outside.

import { sameJson } from "../../api/meta/json-object.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { Controller, done, keyOf, type ReconcileOutcome } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { ingressOf } from "./plan.ts";

export function startServiceLoadBalancerController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const recorder = deps.recorderFor("service-controller");
  const controller = new Controller({
    name: "service-load-balancer",
    clock,
    reconcile: (key) => reconcileService(key, deps, recorder),
    onFailure,
  });
  informers.services.onAny(({ object }) => {
    if (object.spec.type === "LoadBalancer") controller.queue.add(keyOf(object));
  });
  informers.nodes.onAny((change) => {
    // Most changes of a node are heartbeats.
    if (change.kind === "updated" && sameJson(trafficView(change.object), trafficView(change.previous))) return;
    for (const service of informers.services.lister.list()) {
      if (service.spec.type === "LoadBalancer") controller.queue.add(keyOf(service));
    }
  });
  controller.start();
  return controller;
}

function trafficView({ metadata, spec, status }: Parameters<typeof ingressOf>[1][number]): object {
  const ready = (status.conditions ?? []).find(({ type }) => type === "Ready")?.status;
  return { labels: metadata.labels, taints: spec.taints, addresses: status.addresses, ready };
}

async function reconcileService(
  key: string,
  { client, informers }: ControllerDeps,
  recorder: EventRecorder,
): Promise<ReconcileOutcome> {
  const service = informers.services.lister.get(key);
  if (service === undefined || service.metadata.deletionTimestamp !== undefined) return done;
  const ingress = ingressOf(service, informers.nodes.lister.list());
  const present = service.status.loadBalancer?.ingress ?? [];
  if (ingress === undefined || sameJson(ingress, present)) return done;
  const isFirst = present.length === 0;
  if (isFirst) {
    recorder.record(service, { type: "Normal", reason: "EnsuringLoadBalancer", message: "Ensuring load balancer" });
  }
  const { name, namespace } = service.metadata;
  try {
    await client.services.patch(name, namespace, "merge", { status: { loadBalancer: { ingress } } }, "status");
  } catch (error) {
    if (isReason(error, "NotFound")) return done;
    throw error;
  }
  const note = isFirst
    ? { reason: "EnsuredLoadBalancer", message: "Ensured load balancer" }
    : { reason: "UpdatedLoadBalancer", message: "Updated load balancer with new hosts" };
  recorder.record(service, { type: "Normal", ...note });
  return done;
}
