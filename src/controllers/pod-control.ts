// Creating and deleting the Pods of an owner, with what people are told about it (pod-lifecycle 13.1).

import type { Pod, PodTemplateSpec } from "../api/index.ts";
import { dns1123SubdomainProblems } from "../api/meta/names.ts";
import type { JsonObject } from "../api/wire/request.ts";
import { isReason, StatusError } from "../api/wire/status-error.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import { controllerReference, type Owner } from "./ownership.ts";

export interface PodControl {
  readonly client: Client;
  readonly recorder: EventRecorder;
}

/** Creates a Pod of the owner's. @param generateName how its name begins, if not with the owner's. @throws StatusError */
export async function createPod(
  { client, recorder }: PodControl,
  owner: Owner,
  template: PodTemplateSpec,
  generateName = podNamePrefix(owner.metadata.name),
): Promise<void> {
  try {
    const pod = await client.pods.create(podFromTemplate(owner, template, generateName), owner.metadata.namespace);
    const message = `Created pod: ${pod.metadata.name}`;
    recorder.record(owner, { type: "Normal", reason: "SuccessfulCreate", message });
  } catch (error) {
    if (!isNamespaceTerminating(error)) {
      const message = `Error creating: ${messageOf(error)}`;
      recorder.record(owner, { type: "Warning", reason: "FailedCreate", message });
    }
    throw error;
  }
}

/** Deletes a Pod of the owner's, with its grace. One that is gone already is no failure and no news. @throws StatusError */
export async function deletePod({ client, recorder }: PodControl, owner: Owner, { metadata }: Pod): Promise<void> {
  const { name, namespace, uid } = metadata;
  try {
    await client.pods.delete(name, namespace, { preconditions: { uid } });
    recorder.record(owner, { type: "Normal", reason: "SuccessfulDelete", message: `Deleted pod: ${name}` });
  } catch (error) {
    // Gone, or another Pod of the same name has taken its place.
    if (isReason(error, "NotFound") || isReason(error, "Conflict")) throw new PodGone(name);
    const message = `Error deleting: ${messageOf(error)}`;
    recorder.record(owner, { type: "Warning", reason: "FailedDelete", message });
    throw error;
  }
}

/** There was nothing to delete. */
export class PodGone extends Error {
  override readonly name = "PodGone";
}

/** A Pod as its owner's template wants it; the API server finds the rest of its name. */
export function podFromTemplate(
  owner: Owner,
  { metadata = {}, spec }: PodTemplateSpec,
  generateName = podNamePrefix(owner.metadata.name),
): JsonObject {
  const { labels, annotations, finalizers } = metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec,
  };
}

/** The dash is left out where it would not leave a name (a name that is too long already). */
function podNamePrefix(owner: string): string {
  return dns1123SubdomainProblems(`${owner}-x`).length === 0 ? `${owner}-` : owner;
}

/** The namespace ends: nothing can be created there, and nobody needs to hear of it. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  return (error.status.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating");
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
