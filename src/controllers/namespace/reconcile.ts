// Empties a namespace that is being deleted, Pods first, and lets it go when nothing is left.

import type { Namespace } from "../../api/index.ts";
import { type ResourceKind, kinds } from "../../api/kinds.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { StatusError, isReason } from "../../api/wire/status-error.ts";
import { Controller, type ReconcileOutcome, done } from "../../client/controller.ts";
import type { StoredObject } from "../../client/resource-client.ts";
import { retryOnConflict } from "../../client/retry.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import {
  type Findings,
  type Remainder,
  type RemainingObject,
  awaitsEmptying,
  namespaceFinalizer,
  planConditions,
  remainingWait,
} from "./plan.ts";

/** Namespaces that are emptied at once. */
const concurrency = 10;

export function startNamespaceController(deps: ControllerDeps): RunningController {
  const { clock, informers, onFailure } = deps;
  const controller = new Controller({
    name: "namespace",
    clock,
    concurrency,
    reconcile: (key) => reconcileNamespace(key, deps),
    onFailure,
  });
  informers.namespaces.onAny(({ kind, object }) => {
    if (kind !== "deleted" && awaitsEmptying(object)) controller.queue.add(object.metadata.name);
  });
  // The Pods are what a namespace mostly waits for.
  informers.pods.onAny(({ kind, object }) => {
    const { namespace } = object.metadata;
    if (kind !== "deleted" || namespace === undefined) return;
    const owner = informers.namespaces.lister.get(namespace);
    if (owner !== undefined && awaitsEmptying(owner)) controller.queue.add(namespace);
  });
  controller.start();
  return controller;
}

async function reconcileNamespace(name: string, deps: ControllerDeps): Promise<ReconcileOutcome> {
  const { client, clock } = deps;
  // Read anew: what the lister knows may be older than what was just finalized.
  const namespace = await client.namespaces.get(name).catch(unlessMissing);
  if (namespace === undefined || !awaitsEmptying(namespace)) return done;

  const findings = await empty(name, deps);
  await reportConditions(namespace, findings, deps);
  if (findings.failures.length > 0) return { kind: "failed", error: new Error(findings.failures.join("; ")) };
  const wait = remainingWait(findings, clock.now());
  if (wait > 0) return { kind: "after", wait };
  await finalize(namespace, deps);
  return done;
}

/** Asks for the deletion of everything, Pods first: what they use stays until they are gone. */
async function empty(namespace: string, deps: ControllerDeps): Promise<Findings> {
  const failures: string[] = [];
  const remainders: Remainder[] = [];
  for (const kind of emptyingOrder()) {
    try {
      const objects = await deleteAll(kind, namespace, deps);
      if (objects.length > 0) remainders.push({ resource: `${kind.resource}.${kind.group}`, objects });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      failures.push(error.message);
    }
    if (kind.resource === "pods" && (remainders.length > 0 || failures.length > 0)) break;
  }
  return { failures, remainders };
}

/** Everything that lives in namespaces and is stored by itself, Pods before all else. */
export function emptyingOrder(among: readonly ResourceKind[] = kinds): readonly ResourceKind[] {
  const own = among.filter(
    ({ namespaced, verbs, storedAs }) =>
      namespaced && storedAs === undefined && verbs.includes("list") && verbs.includes("delete"),
  );
  const isPods = ({ group, resource }: ResourceKind): boolean => group === "" && resource === "pods";
  return [...own.filter(isPods), ...own.filter((kind) => !isPods(kind))];
}

/** Deletes all objects of one kind; answers with those that are still there. */
async function deleteAll(
  kind: ResourceKind,
  namespace: string,
  { client }: ControllerDeps,
): Promise<readonly RemainingObject[]> {
  const resource = client.resource<StoredObject & RemainingObject>(kind);
  const { items } = await resource.list({ namespace });
  if (items.length === 0) return [];
  for (const { metadata } of items) {
    if (metadata.deletionTimestamp !== undefined) continue;
    const preconditions = { uid: metadata.uid };
    await resource
      .delete(metadata.name, namespace, { preconditions, propagationPolicy: "Background" })
      .catch(unlessMissing);
  }
  return (await resource.list({ namespace })).items;
}

async function reportConditions(namespace: Namespace, findings: Findings, { client, clock }: ControllerDeps) {
  const planned = planConditions(namespace.status.conditions ?? [], findings, clock.now());
  if (planned === undefined) return;
  const { name } = namespace.metadata;
  await client.namespaces.patch(name, undefined, "merge", { status: { conditions: planned } }, "status");
}

function finalize({ metadata }: Namespace, { client }: ControllerDeps): Promise<void> {
  return retryOnConflict(async () => {
    const namespace = await client.namespaces.get(metadata.name).catch(unlessMissing);
    if (namespace === undefined || namespace.metadata.uid !== metadata.uid) return;
    const finalizers = (namespace.spec.finalizers ?? []).filter((finalizer) => finalizer !== namespaceFinalizer);
    const body: JsonObject = { ...namespace, spec: { ...namespace.spec, finalizers } };
    await client.namespaces.updateSubresource(metadata.name, undefined, "finalize", body).catch(unlessMissing);
  });
}

/** Whoever is gone needs no deletion. */
function unlessMissing(error: unknown): undefined {
  if (!isReason(error, "NotFound")) throw error;
  return undefined;
}
