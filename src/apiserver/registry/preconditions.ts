// What a client takes for granted about the object it writes or deletes: that it is still the one it saw (api-machinery 3.4, 6).

import { conflict, invalid, type StatusError } from "../../api/wire/status-error.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import type { ApiObject } from "./api-object.ts";
import { groupKindOf, groupResourceOf, type ResourceDefinition } from "./resource-definition.ts";

/** What a DELETE may demand. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** @throws StatusError Conflict */
export function checkPreconditions(
  { group, kind }: ResourceDefinition,
  stored: StoredObject,
  { uid, resourceVersion }: Preconditions,
): void {
  const { name = "", uid: actualUid = "" } = stored.object.metadata;
  if (uid !== undefined && uid !== actualUid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${actualUid}). The object might have been deleted and then recreated`;
    throw conflict({ group, resource: kind }, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== String(stored.revision)) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${stored.revision}). The object might have been modified`;
    throw conflict({ group, resource: kind }, name, why);
  }
}

/**
 * Optimistic concurrency: the object to be stored must have been made from the one that is.
 * @param isWhole the client sent a whole object (PUT), so its uid counts, too
 * @throws StatusError Conflict, Invalid
 */
export function checkFreshness(
  definition: ResourceDefinition,
  sent: ApiObject,
  stored: StoredObject,
  { isWhole }: { readonly isWhole: boolean },
): void {
  const { resourceVersion = "", uid = "" } = sent.metadata;
  const { name = "", uid: actualUid = "" } = stored.object.metadata;
  if (isWhole && uid !== "" && uid !== actualUid) throw uidConflict(definition, name, stored.key, uid, actualUid);
  if (resourceVersion === "" || resourceVersion === "0") {
    if (definition.strategy.allowsUnconditionalUpdate) return;
    const message = "Invalid value: 0x0: must be specified for an update";
    const cause = { reason: "FieldValueInvalid", message, field: "metadata.resourceVersion" };
    throw invalid(groupKindOf(definition), name, [cause]);
  }
  if (resourceVersion !== String(stored.revision)) {
    throw conflict(groupResourceOf(definition), name, objectHasBeenModified);
  }
}

/** @param actual empty if there is no object */
export function uidConflict(
  definition: ResourceDefinition,
  name: string,
  key: string,
  expected: string,
  actual: string,
): StatusError {
  const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${expected}, UID in object meta: ${actual}`;
  return conflict(groupResourceOf(definition), name, why);
}

const objectHasBeenModified =
  "the object has been modified; please apply your changes to the latest version and try again";
