// A served resource: its row in the table of kinds, its strategy, and how it is stored. Several versions may be served from one storage.

import type { ResourceKind } from "../../api/kinds.ts";
import type { GroupKind, GroupResource } from "../../api/wire/status-error.ts";
import { resourcePrefix } from "../storage/object-storage.ts";
import type { VersionView } from "../storage/stored-object.ts";
import type { ApiObject } from "./api-object.ts";
import type { Strategy } from "./strategy.ts";

/** Turns another version's objects into the stored form and back. */
export interface VersionConversion extends VersionView {
  toStorage(object: ApiObject): ApiObject;
}

export interface ResourceDefinition extends ResourceKind {
  readonly strategy: Strategy;
  /** Set when the stored form is another version than the served one. */
  readonly conversion?: VersionConversion;
}

export function groupResourceOf({ group, resource }: ResourceKind): GroupResource {
  return { group, resource };
}

export function groupKindOf({ group, kind }: ResourceKind): GroupKind {
  return { group, kind };
}

/** The prefix of the keys of all objects, or of those of one namespace. */
export function prefixFor(definition: ResourceKind, namespace?: string): string {
  const { group, resource } = definition.storedAs ?? definition;
  const prefix = resourcePrefix(group, resource);
  return namespace === undefined || namespace === "" ? prefix : `${prefix}${namespace}/`;
}

/** The key of one object. */
export function keyFor(definition: ResourceKind, namespace: string, name: string): string {
  return `${prefixFor(definition, definition.namespaced ? namespace : undefined)}${name}`;
}
