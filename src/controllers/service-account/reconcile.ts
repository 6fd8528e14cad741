// Gives every namespace its `default` ServiceAccount, and gives it back when it is deleted.

import { Controller, type ReconcileOutcome, done } from "../../client/controller.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { createUnlessGone } from "../create-unless-gone.ts";
import { missingServiceAccounts } from "./plan.ts";

export function startServiceAccountController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const controller = new Controller({
    name: "serviceaccount",
    clock,
    reconcile: (key) => reconcileNamespace(key, deps),
    onFailure,
  });
  informers.namespaces.onAny(({ object }) => controller.queue.add(object.metadata.name));
  informers.serviceAccounts.onAny(({ kind, object }) => {
    if (kind === "deleted" && object.metadata.namespace !== undefined) controller.queue.add(object.metadata.namespace);
  });
  controller.start();
  return controller;
}

async function reconcileNamespace(namespace: string, { client, informers }: ControllerDeps): Promise<ReconcileOutcome> {
  const exists = (name: string): boolean => informers.serviceAccounts.lister.get(`${namespace}/${name}`) !== undefined;
  for (const name of missingServiceAccounts(informers.namespaces.lister.get(namespace), exists)) {
    await createUnlessGone(client.serviceAccounts, { metadata: { name, namespace } }, namespace);
  }
  return done;
}
