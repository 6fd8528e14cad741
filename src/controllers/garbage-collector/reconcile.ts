// Follows who owns what over all kinds, and carries out what the end of an owner means.

import { kindOf, kinds, parseApiVersion, type ResourceKind } from "../../api/kinds.ts";
import type { OwnerReference } from "../../api/index.ts";
import { isReason } from "../../api/wire/status-error.ts";
import { Controller, type ReconcileOutcome, done, keyOf, splitKey } from "../../client/controller.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { Informer, InformerChange } from "../../client/informer.ts";
import type { ResourceClient } from "../../client/resource-client.ts";
import { retryOnConflict } from "../../client/retry.ts";
import type { ControllerDeps, RunningController } from "../controller-deps.ts";
import { byOwner, type FollowedObject, informerOf } from "../shared-informers.ts";
import {
  blocks,
  concernsOwnership,
  deletionStep,
  foregroundFinalizer,
  orphanFinalizer,
  type OwnerState,
  planDependent,
  unblocking,
  withoutOwners,
} from "./plan.ts";

/** Objects that are worked on at once. */
const concurrency = 10;

/** Uids of owners that are known to be gone; the oldest are forgotten, and asked for again should anybody name them. */
const goneLimit = 500;

export function startGarbageCollector(deps: ControllerDeps): RunningController {
  const collector = new GarbageCollector(deps);
  const controller = new Controller({
    name: "garbage-collector",
    clock: deps.clock,
    concurrency,
    reconcile: (key) => collector.reconcile(key),
    onFailure: deps.onFailure,
  });
  collector.follow((key) => controller.queue.add(key));
  controller.start();
  return controller;
}

/** The kinds whose objects are collected. Nobody owns events, and they go by themselves. */
export function collectedKinds(among: readonly ResourceKind[] = kinds): readonly ResourceKind[] {
  return among.filter(
    ({ resource, storedAs, verbs }) =>
      resource !== "events" &&
      storedAs === undefined &&
      (["get", "list", "watch", "patch", "delete"] as const).every((verb) => verbs.includes(verb)),
  );
}

/** One kind as the collector sees it. */
interface Followed {
  readonly kind: ResourceKind;
  readonly informer: Informer<FollowedObject>;
  readonly client: ResourceClient<FollowedObject>;
}

/** An object and where it is from. */
interface Item {
  readonly followed: Followed;
  readonly object: FollowedObject;
}

class GarbageCollector {
  readonly #deps: ControllerDeps;
  readonly #recorder: EventRecorder;
  /** By `group/resource`. */
  readonly #followed: ReadonlyMap<string, Followed>;
  readonly #gone = new Set<string>();
  /** `<dependent>/<owner>` by uid, so that each misplaced owner is reported once. */
  readonly #reported = new Set<string>();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#recorder = deps.recorderFor("garbage-collector-controller");
    this.#followed = new Map(
      collectedKinds().map((kind) => {
        const informer = informerOf(deps.informers, kind);
        if (informer === undefined) throw new Error(`the controllers do not follow ${kind.resource}`);
        return [`${kind.group}/${kind.resource}`, { kind, informer, client: deps.client.resource(kind) }];
      }),
    );
  }

  /** Calls `wake` with the key of every object that has to be looked at. */
  follow(wake: (key: string) => void): void {
    for (const followed of this.#followed.values()) {
      followed.informer.onAny((change) => {
        for (const item of this.#concerned(followed, change)) wake(keyOfItem(item));
      });
    }
  }

  async reconcile(key: string): Promise<ReconcileOutcome> {
    const separator = key.indexOf(":");
    const followed = this.#followed.get(key.slice(0, separator));
    const { name, namespace } = splitKey(key.slice(separator + 1));
    if (followed === undefined) return done;
    await retryOnConflict(async () => {
      // Asked for anew: the copy may be behind, and what follows cannot be undone.
      const object = await followed.client.get(name, namespace).catch(unlessMissing);
      if (object !== undefined) await this.#settle({ followed, object });
    });
    return done;
  }

  #settle(item: Item): Promise<void> {
    switch (deletionStep(item.object.metadata)) {
      case "foreground":
        return this.#endForeground(item);
      case "orphan":
        return this.#orphan(item);
      case "none":
        return this.#settleDependent(item);
    }
  }

  /** Whom a change gives something to do. */
  #concerned(followed: Followed, change: InformerChange<FollowedObject>): readonly Item[] {
    const item: Item = { followed, object: change.object };
    switch (change.kind) {
      case "added":
        return concernsOwnership(change.object.metadata, undefined) ? [item] : [];
      case "updated": {
        if (!concernsOwnership(change.object.metadata, change.previous.metadata)) return [];
        const begins = deletionStep(change.object.metadata) !== deletionStep(change.previous.metadata);
        const dependents = begins ? this.#dependentsOf(item) : [];
        return [item, ...dependents, ...this.#waitingOwnersOf({ followed, object: change.previous })];
      }
      case "deleted": {
        const dependents = this.#dependentsOf(item);
        if (dependents.length > 0) this.#noteGone(change.object.metadata.uid);
        return [...dependents, ...this.#waitingOwnersOf(item)];
      }
    }
  }

  /** Owners that may have waited for just this dependent. */
  #waitingOwnersOf({ object }: Item): readonly Item[] {
    const { ownerReferences = [], namespace } = object.metadata;
    return ownerReferences.flatMap((reference) => {
      const owner = this.#followedOwner(reference);
      const found = owner?.informer.lister.get(ownerKey(reference, owner.kind, namespace));
      if (owner === undefined || found?.metadata.uid !== reference.uid) return [];
      return deletionStep(found.metadata) === "none" ? [] : [{ followed: owner, object: found }];
    });
  }

  #followedOwner({ apiVersion, kind }: OwnerReference): Followed | undefined {
    const row = kindOf({ ...parseApiVersion(apiVersion), kind });
    return row === undefined ? undefined : this.#followed.get(`${row.group}/${row.resource}`);
  }

  /** Who names it as an owner, and may. */
  #dependentsOf({ object }: Item): readonly Item[] {
    const { uid, namespace } = object.metadata;
    return [...this.#followed.values()].flatMap((followed) =>
      followed.informer.lister
        .byIndex(byOwner, uid)
        .filter((dependent) => namespace === undefined || dependent.metadata.namespace === namespace)
        .map((dependent) => ({ followed, object: dependent })),
    );
  }

  async #settleDependent({ followed, object }: Item): Promise<void> {
    const { metadata } = object;
    const states = new Map<string, OwnerState>();
    for (const reference of metadata.ownerReferences ?? []) {
      states.set(reference.uid, await this.#ownerState(object, reference));
    }
    const dependents = this.#dependentsOf({ followed, object });
    const plan = planDependent(
      metadata,
      states,
      dependents.map((dependent) => dependent.object.metadata),
    );
    switch (plan.kind) {
      case "leave":
        return;
      case "dropOwners":
        await setOwners(followed, object, withoutOwners(metadata, plan.uids));
        return;
      case "delete": {
        const current = plan.unblocksOwners ? await setOwners(followed, object, unblocking(metadata)) : object;
        const { name, namespace, uid, resourceVersion } = current.metadata;
        await followed.client
          .delete(name, namespace, { propagationPolicy: plan.policy, preconditions: { uid, resourceVersion } })
          .catch(unlessMissing);
        return;
      }
    }
  }

  async #ownerState(dependent: FollowedObject, reference: OwnerReference): Promise<OwnerState> {
    const row = kindOf({ ...parseApiVersion(reference.apiVersion), kind: reference.kind });
    if (row === undefined || !row.verbs.includes("get")) return "unknown";
    const { namespace } = dependent.metadata;
    if (row.namespaced && namespace === undefined) {
      // What lives in no namespace cannot be owned by what does; upstream leaves it alone.
      this.#reportMisplaced(dependent, reference);
      return "unknown";
    }
    if (this.#gone.has(reference.uid)) return "absent";
    const known = this.#followedOwner(reference)?.informer.lister.get(ownerKey(reference, row, namespace));
    // Should the copy be behind, the news of the owner's end will bring us back. Everything else is asked of the API server.
    if (known?.metadata.uid === reference.uid && deletionStep(known.metadata) === "none") return "present";
    const owner = await this.#deps.client
      .resource<FollowedObject>(row)
      .get(reference.name, row.namespaced ? namespace : undefined)
      .catch(unlessMissing);
    if (owner?.metadata.uid === reference.uid) {
      return deletionStep(owner.metadata) === "foreground" ? "waiting" : "present";
    }
    if (this.#livesElsewhere(reference)) this.#reportMisplaced(dependent, reference);
    return "absent";
  }

  #livesElsewhere(reference: OwnerReference): boolean {
    const objects = this.#followedOwner(reference)?.informer.lister.list() ?? [];
    return objects.some(({ metadata }) => metadata.uid === reference.uid);
  }

  #reportMisplaced(dependent: FollowedObject, { apiVersion, kind, name, uid }: OwnerReference): void {
    const { namespace = "" } = dependent.metadata;
    const key = `${dependent.metadata.uid}/${uid}`;
    if (this.#reported.has(key)) return;
    remember(this.#reported, key);
    this.#recorder.record(dependent, {
      type: "Warning",
      reason: "OwnerRefInvalidNamespace",
      message: `ownerRef [${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}] does not exist in namespace ${JSON.stringify(namespace)}`,
    });
  }

  /** Lets an owner go when nobody blocks its end any more. Its dependents were woken when the end began, and wake it when they are gone. */
  async #endForeground(owner: Item): Promise<void> {
    const { uid } = owner.object.metadata;
    const isBlocking = ({ object }: Item): boolean => blocks(object.metadata, uid);
    if (this.#dependentsOf(owner).some(isBlocking)) return;
    // The copies of other kinds may be behind the owner's, so nobody goes before the API server was asked.
    if ((await this.#listDependents(owner)).some(isBlocking)) return;
    await removeFinalizer(owner, foregroundFinalizer);
  }

  /** Takes the references to the owner away, then lets it go. */
  async #orphan(owner: Item): Promise<void> {
    const uids = new Set([owner.object.metadata.uid]);
    for (const { followed, object } of await this.#listDependents(owner)) {
      await setOwners(followed, object, withoutOwners(object.metadata, uids)).catch(unlessMissing);
    }
    await removeFinalizer(owner, orphanFinalizer);
  }

  async #listDependents({ object }: Item): Promise<readonly Item[]> {
    const { uid, namespace } = object.metadata;
    const found: Item[] = [];
    for (const followed of this.#followed.values()) {
      if (namespace !== undefined && !followed.kind.namespaced) continue;
      const { items } = await followed.client.list(namespace === undefined ? {} : { namespace });
      for (const dependent of items) {
        const isOwned = (dependent.metadata.ownerReferences ?? []).some((reference) => reference.uid === uid);
        if (isOwned) found.push({ followed, object: dependent });
      }
    }
    return found;
  }

  #noteGone(uid: string): void {
    remember(this.#gone, uid);
  }
}

/** Writes the references, provided that the object is as it was seen. @throws StatusError Conflict */
function setOwners({ client }: Followed, { metadata }: FollowedObject, owners: readonly OwnerReference[]) {
  const { name, namespace, resourceVersion } = metadata;
  const ownerReferences = owners.length === 0 ? null : owners;
  return client.patch(name, namespace, "merge", { metadata: { resourceVersion, ownerReferences } });
}

/** @throws StatusError Conflict when the object is no longer as it was seen */
async function removeFinalizer({ followed, object }: Item, finalizer: string): Promise<void> {
  const { name, namespace, resourceVersion } = object.metadata;
  const finalizers = (object.metadata.finalizers ?? []).filter((candidate) => candidate !== finalizer);
  const metadata = { resourceVersion, finalizers: finalizers.length === 0 ? null : finalizers };
  await followed.client.patch(name, namespace, "merge", { metadata }).catch(unlessMissing);
}

/** `group/resource:namespace/name` */
function keyOfItem({ followed, object }: Item): string {
  return `${followed.kind.group}/${followed.kind.resource}:${keyOf(object)}`;
}

/** The lister's key of an owner: in the namespace of its dependent, or in none. */
function ownerKey({ name }: OwnerReference, { namespaced }: ResourceKind, namespace: string | undefined): string {
  return namespaced && namespace !== undefined ? `${namespace}/${name}` : name;
}

/** Keeps the newest `goneLimit`. */
function remember(set: Set<string>, text: string): void {
  set.add(text);
  if (set.size <= goneLimit) return;
  const [oldest] = set;
  if (oldest !== undefined) set.delete(oldest);
}

/** Whoever is gone needs nothing more. */
function unlessMissing(error: unknown): undefined {
  if (!isReason(error, "NotFound")) throw error;
  return undefined;
}
