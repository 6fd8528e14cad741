// Who belongs to whom: a controller owns what names it as its controller, takes in what its selector matches and nobody owns, and lets go of
// what it owns and no longer matches (pod-lifecycle 13.1.3).

import type { ObjectMeta, OwnerReference } from "../api/index.ts";
import { type LabelRequirement, matchesRequirements } from "../api/meta/label-selector.ts";
import { isReason } from "../api/wire/status-error.ts";
import type { ResourceClient } from "../client/resource-client.ts";

export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  /** What it selects; undefined: nothing. */
  readonly requirements: readonly LabelRequirement[] | undefined;
}

interface Owned {
  readonly metadata: ObjectMeta;
}

export interface ClaimPlan<T> {
  /** Are owned and stay so. */
  readonly owned: readonly T[];
  readonly adopt: readonly T[];
  readonly release: readonly T[];
}

/**
 * What to do about each object. An owner that is being deleted changes nobody's ownership.
 * @param couldBelong what an object must be beside selected to be the owner's
 */
export function planClaims<T extends Owned>(
  owner: Owner,
  candidates: readonly T[],
  couldBelong: (candidate: T) => boolean = () => true,
): ClaimPlan<T> {
  const plan = { owned: [] as T[], adopt: [] as T[], release: [] as T[] };
  const isLeaving = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const { metadata } = candidate;
    const isSelected = owner.requirements !== undefined && matchesRequirements(owner.requirements, metadata.labels);
    const matches = isSelected && couldBelong(candidate);
    const controller = controllerOf(candidate);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches) plan.owned.push(candidate);
      else if (!isLeaving) plan.release.push(candidate);
    } else if (matches && !isLeaving && metadata.deletionTimestamp === undefined) plan.adopt.push(candidate);
  }
  return plan;
}

/**
 * Carries out a plan.
 * @param finalizer by which the owner holds what it owns, if it does
 * @returns what the owner owns now. @throws StatusError, Error when the owner itself has gone meanwhile
 */
export async function carryOutClaims<T extends Owned, O extends Owned>(
  { owned, adopt, release }: ClaimPlan<T>,
  owner: Owner,
  clients: { readonly owners: ResourceClient<O>; readonly objects: ResourceClient<T> },
  finalizer?: string,
): Promise<readonly T[]> {
  const held = finalizer === undefined ? {} : { finalizers: [finalizer] };
  const letGo = finalizer === undefined ? {} : { "$deleteFromPrimitiveList/finalizers": [finalizer] };
  if (adopt.length === 0 && release.length === 0) return owned;
  const adopted: T[] = [];
  if (adopt.length > 0) {
    await checkOwnerStays(owner, clients.owners);
    for (const object of adopt) {
      if (await patchOwner(object, controllerReference(owner), held, clients.objects)) adopted.push(object);
    }
  }
  for (const object of release) {
    await patchOwner(object, { $patch: "delete", uid: owner.metadata.uid }, letGo, clients.objects);
  }
  return [...owned, ...adopted];
}

/** The reference that makes an object an owner's. */
export function controllerReference({ apiVersion, kind, metadata }: Omit<Owner, "requirements">): OwnerReference {
  const { name, uid } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

export function controllerOf({ metadata }: Owned): OwnerReference | undefined {
  return (metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
}

/** The copy may be behind: whoever adopts for an owner that is gone or going makes orphans. */
async function checkOwnerStays<O extends Owned>({ metadata, kind }: Owner, owners: ResourceClient<O>): Promise<void> {
  const { name, namespace = "", uid } = metadata;
  const fresh = await owners.get(name, namespace);
  if (fresh.metadata.uid !== uid) {
    throw new Error(`original ${kind} ${namespace}/${name} is gone: got uid ${fresh.metadata.uid}, wanted ${uid}`);
  }
  const { deletionTimestamp } = fresh.metadata;
  if (deletionTimestamp !== undefined) {
    throw new Error(`${namespace}/${name} has just been deleted at ${deletionTimestamp}`);
  }
}

/** @returns false if the object is gone, or has become another's */
async function patchOwner<T extends Owned>(
  { metadata }: T,
  reference: object,
  finalizers: object,
  objects: ResourceClient<T>,
): Promise<boolean> {
  const { name, namespace, uid } = metadata;
  try {
    await objects.patch(name, namespace, "strategic", {
      metadata: { uid, ownerReferences: [reference], ...finalizers },
    });
    return true;
  } catch (error) {
    if (isReason(error, "NotFound") || isReason(error, "Invalid") || isReason(error, "Conflict")) return false;
    throw error;
  }
}
