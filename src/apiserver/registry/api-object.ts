// The one shape that the generic registry knows: any object with metadata. What a Pod or a Node has beyond that is the business of its strategy.

import { isJsonObject } from "../../api/meta/json-object.ts";
import type { JsonObject } from "../../api/wire/request.ts";

/** `metadata` as the registry handles it: after decoding every field may be missing, after preparing the certain ones are there. */
export interface ObjectMetadata extends JsonObject {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

export interface OwnerReference extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** An object of the API. Never changed in place: whoever wants another one makes it. */
export interface ApiObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
}

/** The object with some fields of its metadata replaced; `undefined` removes one. */
export function withMetadata(
  object: ApiObject,
  change: { readonly [Field in keyof ObjectMetadata]?: unknown },
): ApiObject {
  // Built without what goes: an object from which a field was deleted is slow for all who read it afterwards.
  const metadata: Record<string, unknown> = {};
  for (const field of Object.keys(object.metadata)) {
    if (!Object.hasOwn(change, field)) metadata[field] = object.metadata[field];
    else if (change[field] !== undefined) metadata[field] = change[field];
  }
  for (const field of Object.keys(change)) {
    if (change[field] !== undefined && !Object.hasOwn(metadata, field)) metadata[field] = change[field];
  }
  return { ...object, metadata };
}

/** The object with one top-level field replaced; `undefined` removes it. */
export function withField(object: ApiObject, field: string, value: unknown): ApiObject {
  const copy: Record<string, unknown> = { ...object };
  if (value === undefined) delete copy[field];
  else copy[field] = value;
  return copy as ApiObject;
}

/** The object under `field`, or an empty one. */
export function objectAt(object: JsonObject, field: string): JsonObject {
  const value = object[field];
  return isJsonObject(value) ? value : {};
}

/** The list under `field`, or an empty one. */
export function listAt(object: JsonObject, field: string): readonly unknown[] {
  const value = object[field];
  return Array.isArray(value) ? value : [];
}
