// Creating what a namespace should have, while both may be changing.

import type { JsonObject } from "../api/wire/request.ts";
import { StatusError, isReason } from "../api/wire/status-error.ts";
import type { ResourceClient } from "../client/resource-client.ts";

/** Creates the object, unless somebody was faster or the namespace is going away or gone. @throws StatusError for every other refusal */
export async function createUnlessGone<T>(resource: ResourceClient<T>, object: JsonObject, namespace: string) {
  try {
    await resource.create(object, namespace);
  } catch (error) {
    if (isReason(error, "AlreadyExists") || isReason(error, "NotFound") || isTerminating(error)) return;
    throw error;
  }
}

function isTerminating(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  return (error.status.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating");
}
