// The history of a workload's template, as ControllerRevisions: one for each template that it has had, numbered in the order of their use
// (pod-lifecycle 13.4, 13.7). What StatefulSets and DaemonSets share.

import type { ControllerRevision, PodTemplateSpec } from "../api/index.ts";
import { isJsonObject, sameJson, valueAt } from "../api/meta/json-object.ts";
import type { JsonObject } from "../api/wire/request.ts";
import { isReason } from "../api/wire/status-error.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";
import type { ResourceClient, StoredObject } from "../client/resource-client.ts";
import { carryOutClaims, controllerReference, type Owner, planClaims } from "./ownership.ts";
import { byOwner, type FollowedObject, orphans } from "./shared-informers.ts";
import { templateHash } from "./template-hash.ts";

/** The longest part of an owner's name that goes into the name of a revision. */
const prefixLimit = 223;

export interface RevisionOwner extends Owner {
  readonly template: PodTemplateSpec;
  readonly collisionCount: number;
  /** The label under which the revision carries its hash. */
  readonly hashLabel: string;
}

export type RevisionPlan =
  | { readonly kind: "keep"; readonly revision: ControllerRevision }
  /** A former template is the present one again: its revision becomes the newest. */
  | { readonly kind: "renumber"; readonly revision: ControllerRevision }
  | { readonly kind: "create"; readonly number: number };

/** What to do so that the newest revision is the one of the template. @param revisions by {@link byNumber} */
export function planRevision(revisions: readonly ControllerRevision[], template: PodTemplateSpec): RevisionPlan {
  const newest = revisions.at(-1);
  const next = (newest?.revision ?? 0) + 1;
  const same = revisions.findLast((revision) => sameJson(templateOf(revision), template));
  if (same === undefined) return { kind: "create", number: next };
  return same === newest
    ? { kind: "keep", revision: same }
    : { kind: "renumber", revision: { ...same, revision: next } };
}

/** A revision as it is created. */
export function newRevision(owner: RevisionOwner, number: number, collisionCount: number): ControllerRevision {
  const { metadata, template, hashLabel } = owner;
  const data = { spec: { template: { ...template, $patch: "replace" } } };
  const hash = templateHash(data, collisionCount === 0 ? undefined : collisionCount);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${metadata.name.slice(0, prefixLimit)}-${hash}`,
      namespace: metadata.namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ownerReferences: [controllerReference(owner)],
    },
    data,
    revision: number,
  } as unknown as ControllerRevision;
}

/** The template that a revision keeps; undefined if it keeps something else. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const kept = valueAt(data, "spec", "template");
  if (!isJsonObject(kept)) return undefined;
  const { $patch: _directive, ...template } = kept;
  return template as unknown as PodTemplateSpec;
}

/** The oldest number first; ties by age and name. */
export function byNumber(a: ControllerRevision, b: ControllerRevision): number {
  return a.revision - b.revision || (age(a) < age(b) ? -1 : 1);
}

const age = ({ metadata }: ControllerRevision): string => `${metadata.creationTimestamp}/${metadata.name}`;

/**
 * The revisions beyond the history that is kept, the oldest first.
 * @param isLive whether somebody still needs it; it does not count as history then
 * @param limit how many stay; all if negative
 */
export function expiredRevisions(
  revisions: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): readonly ControllerRevision[] {
  if (limit < 0) return [];
  const history = revisions.filter((revision) => !isLive(revision));
  return history.slice(0, Math.max(0, history.length - limit));
}

export interface RevisionParts<O extends StoredObject> {
  readonly client: Client;
  readonly informer: Informer<ControllerRevision>;
  readonly owners: ResourceClient<O>;
}

/** The revisions of an owner, after adopting and releasing, by {@link byNumber}. @throws StatusError */
export async function claimRevisions<O extends FollowedObject>(
  owner: Owner,
  { client, informer, owners }: RevisionParts<O>,
): Promise<readonly ControllerRevision[]> {
  const { uid, namespace = "" } = owner.metadata;
  const { lister } = informer;
  const candidates = [...lister.byIndex(byOwner, uid), ...lister.byIndex(orphans, namespace)];
  const clients = { owners, objects: client.controllerRevisions };
  return [...(await carryOutClaims(planClaims(owner, candidates), owner, clients))].sort(byNumber);
}

export interface PresentRevision {
  readonly revision: ControllerRevision;
  /** How often two templates have met in one name. */
  readonly collisionCount: number;
}

/** The revision of the owner's template: found, made the newest again, or created. @throws StatusError */
export async function presentRevision(
  owner: RevisionOwner,
  revisions: readonly ControllerRevision[],
  { controllerRevisions }: Client,
): Promise<PresentRevision> {
  const plan = planRevision(revisions, owner.template);
  const { collisionCount } = owner;
  switch (plan.kind) {
    case "keep":
      return { revision: plan.revision, collisionCount };
    case "renumber":
      return { revision: await controllerRevisions.update(plan.revision), collisionCount };
    case "create":
      return createRevision(owner, plan.number, controllerRevisions);
  }
}

async function createRevision(
  owner: RevisionOwner,
  number: number,
  resource: ResourceClient<ControllerRevision>,
): Promise<PresentRevision> {
  for (let { collisionCount } = owner; ; collisionCount++) {
    const draft = newRevision(owner, number, collisionCount);
    const { name, namespace } = draft.metadata;
    try {
      return { revision: await resource.create(draft as unknown as JsonObject, namespace), collisionCount };
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) throw error;
      const found = await resource.get(name, namespace);
      // Made by this owner itself, when its copy is behind; else the name stands for another template.
      if (sameJson(found.data, draft.data)) return { revision: found, collisionCount };
    }
  }
}

/** Lets revisions go. One that is gone already is no failure. @throws StatusError */
export async function removeRevisions(
  revisions: readonly ControllerRevision[],
  { controllerRevisions }: Client,
): Promise<void> {
  for (const { metadata } of revisions) {
    const { name, namespace, uid } = metadata;
    try {
      await controllerRevisions.delete(name, namespace, { preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
    }
  }
}
