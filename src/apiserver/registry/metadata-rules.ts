// What the server does to the metadata of every kind (api-machinery 3.2): what it sets, what it keeps. What it refuses: ../../api/meta/object-meta.ts.

import { sameJson } from "../../api/meta/json-object.ts";
import type { RandomStream } from "../../base/random.ts";
import { formatTime, type Instant } from "../../base/time.ts";
import { type ApiObject, type OwnerReference, withMetadata } from "./api-object.ts";
import type { UpdateStrategy } from "./strategy.ts";

/** A generated name keeps this much of its prefix and gets this many characters behind it. */
const generatedPrefixLength = 58;
const generatedSuffixLength = 5;

/** Sets what only the server sets on a new object, and drops what a client may not bring. */
export function fillSystemMetadata(object: ApiObject, random: RandomStream, now: Instant): ApiObject {
  return withMetadata(object, {
    uid: random.uuid(),
    creationTimestamp: formatTime(now),
    resourceVersion: undefined,
    generation: undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    managedFields: undefined,
    selfLink: undefined,
  });
}

export function generatedName(prefix: string, random: RandomStream): string {
  return `${prefix.slice(0, generatedPrefixLength)}${random.suffix(generatedSuffixLength)}`;
}

/** What an update may not change silently stays as it was (api-machinery 3.2). */
export function keepSystemMetadata(next: ApiObject, old: ApiObject): ApiObject {
  const { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds, generateName } =
    old.metadata;
  return withMetadata(next, {
    creationTimestamp,
    generation,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    managedFields: undefined,
    selfLink: undefined,
    resourceVersion: undefined,
    ...(next.metadata.uid === undefined || next.metadata.uid === "" ? { uid } : {}),
    ...(generateName === undefined ? {} : { generateName }),
  });
}

/** The generation that `next` gets: one more when the spec has changed, or the annotations where they count. */
export function nextGeneration(
  next: ApiObject,
  old: ApiObject,
  { generationCountsAnnotations = false }: Pick<UpdateStrategy, "generationCountsAnnotations"> = {},
): number {
  const generation = old.metadata.generation ?? 0;
  const annotated =
    generationCountsAnnotations && !sameJson(next.metadata.annotations ?? {}, old.metadata.annotations ?? {});
  return sameJson(contentOf(next), contentOf(old)) && !annotated ? generation : generation + 1;
}

/** What is asked for: everything but the metadata and the status. Most kinds keep it in `spec`. */
function contentOf({ metadata: _metadata, status: _status, ...content }: ApiObject): object {
  return content;
}

/** Owner references without repetitions of the same uid, and the uids that were repeated. */
export function dedupedOwnerReferences(object: ApiObject): {
  readonly object: ApiObject;
  readonly duplicates: readonly string[];
} {
  const references = object.metadata.ownerReferences;
  if (references === undefined || references.length < 2) return { object, duplicates: [] };
  const kept: OwnerReference[] = [];
  const duplicates: string[] = [];
  for (const reference of references) {
    if (kept.some((known) => sameJson(known, reference))) duplicates.push(reference.uid);
    else kept.push(reference);
  }
  if (duplicates.length === 0) return { object, duplicates };
  return { object: withMetadata(object, { ownerReferences: kept }), duplicates };
}
