// Keeps `kube-root-ca.crt` in every namespace, with the bundle and nothing else in it.

import { Controller, type ReconcileOutcome, done } from "../../client/controller.ts";
import { isReason } from "../../api/wire/status-error.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { createUnlessGone } from "../create-unless-gone.ts";
import { planRootCertificate, rootCertificateName } from "./plan.ts";

/** @param certificate the CA bundle that the API server's certificate is signed by, PEM */
export function startRootCaPublisher(deps: ControllerDeps, certificate: string): RunningController {
  const { clock, informers, onFailure } = deps;
  const controller = new Controller({
    name: "root-ca-cert-publisher",
    clock,
    reconcile: (key) => reconcileNamespace(key, deps, certificate),
    onFailure,
  });
  informers.namespaces.onAny(({ object }) => controller.queue.add(object.metadata.name));
  informers.configMaps.onAny(({ object }) => {
    const { name, namespace } = object.metadata;
    if (name === rootCertificateName && namespace !== undefined) controller.queue.add(namespace);
  });
  controller.start();
  return controller;
}

async function reconcileNamespace(
  namespace: string,
  { client, informers }: ControllerDeps,
  certificate: string,
): Promise<ReconcileOutcome> {
  const present = informers.configMaps.lister.get(`${namespace}/${rootCertificateName}`);
  const plan = planRootCertificate(informers.namespaces.lister.get(namespace), present, certificate);
  switch (plan.kind) {
    case "nothing":
      return done;
    case "create":
      await createUnlessGone(client.configMaps, plan.draft, namespace);
      return done;
    case "update":
      try {
        await client.configMaps.update(plan.configMap);
      } catch (error) {
        // Deleted meanwhile: the news of it wakes this key again.
        if (!isReason(error, "NotFound")) throw error;
      }
      return done;
  }
}
