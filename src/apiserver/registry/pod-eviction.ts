// `pods/eviction`: a deletion that disruption budgets may refuse (api-machinery 8.5, pod-lifecycle 12.5).

import { textAt } from "../../api/meta/json-object.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { badRequest, conflict, isReason } from "../../api/wire/status-error.ts";
import { type Clock, formatTime, type Instant } from "../../base/time.ts";
import { objectResponse } from "../codec/encode.ts";
import { type DeleteOptions, deleteOptions } from "../request-options.ts";
import { type ApiObject, listAt, objectAt, withField } from "./api-object.ts";
import { budgetIsBeingProcessed, type DisruptionBudgets } from "./disruption-budgets.ts";
import type { Registry } from "./registry.ts";
import type { RequestContext } from "./request-context.ts";
import type { CreatableSubresource } from "./subresource.ts";

/** How often an eviction that needs no budget is tried again when the Pod changed under it. */
export const evictionAttemptLimit = 20;

interface Eviction {
  readonly registry: Registry;
  readonly namespace: string;
  readonly name: string;
  readonly options: DeleteOptions;
  readonly context: RequestContext;
  readonly clock: Clock;
}

export function podEviction(clock: Clock, budgets: DisruptionBudgets): CreatableSubresource {
  return {
    bodyKind: { group: "policy", version: "v1", kind: "Eviction" },
    async create({ registry, namespace, name, context }, sent) {
      if (textAt(sent, "metadata", "name") !== name) {
        throw badRequest("name in URL does not match name in Eviction object");
      }
      const options = deleteOptions(objectAt(sent, "deleteOptions"), new URLSearchParams());
      const evicting = { ...context, dryRun: context.dryRun || options.dryRun };
      const eviction: Eviction = { registry, namespace, name, options, context: evicting, clock };
      const disrupted = await evictUnlessDisruption(eviction);
      if (disrupted !== undefined) await evictWithin(budgets, eviction, disrupted);
      return objectResponse(201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
    },
  };
}

/** Evicts a Pod that no budget counts. @returns the Pod if budgets have to be asked, and nothing was done */
async function evictUnlessDisruption(eviction: Eviction): Promise<ApiObject | undefined> {
  const { registry, namespace, name, options } = eviction;
  const isExact = options.preconditions.resourceVersion !== undefined;
  for (let attempt = 1; ; attempt++) {
    const { object: pod, revision } = await registry.getStored(namespace, name);
    if (isDisruption(pod)) return pod;
    // A Pod that begins to run in the meantime must not go unasked for.
    const isBeginning = textAt(pod, "status", "phase") === "Pending";
    try {
      await markAndDelete(isBeginning && !isExact ? atRevision(eviction, String(revision)) : eviction);
      return undefined;
    } catch (error) {
      if (!isReason(error, "Conflict") || isExact || attempt >= evictionAttemptLimit) throw error;
    }
  }
}

async function evictWithin(budgets: DisruptionBudgets, eviction: Eviction, pod: ApiObject): Promise<void> {
  const permit = await budgets.permit(pod, eviction.context);
  if (permit.kind === "granted") return await markAndDelete(eviction);
  const isExact = eviction.options.preconditions.resourceVersion !== undefined;
  try {
    await markAndDelete(isExact ? eviction : atRevision(eviction, pod.metadata.resourceVersion ?? ""));
  } catch (error) {
    throw isReason(error, "Conflict") && !isExact ? budgetIsBeingProcessed(permit.budget) : error;
  }
}

function atRevision(eviction: Eviction, resourceVersion: string): Eviction {
  const { options } = eviction;
  return { ...eviction, options: { ...options, preconditions: { ...options.preconditions, resourceVersion } } };
}

/** Says in the Pod's conditions why it ends, then deletes it. @throws StatusError Conflict, NotFound */
async function markAndDelete({ registry, namespace, name, options, context, clock }: Eviction): Promise<void> {
  if (context.dryRun) {
    await registry.delete(namespace, name, options, context);
    return;
  }
  const transform = (present: ApiObject): ApiObject => {
    checkIsMeant(present, options);
    return withDisruptionTarget(present, clock.now());
  };
  const { document } = await registry.update(
    { namespace, name, subresource: "status", transform, replaces: false },
    context,
  );
  const { preconditions } = options;
  const { resourceVersion } = (document.object as ApiObject).metadata;
  const moved =
    preconditions.resourceVersion === undefined || resourceVersion === undefined
      ? preconditions
      : { ...preconditions, resourceVersion };
  await registry.delete(namespace, name, { ...options, preconditions: moved }, context);
}

/** @throws StatusError Conflict */
function checkIsMeant({ metadata }: ApiObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions;
  const pods = { group: "", resource: "Pod" };
  if (uid !== undefined && uid !== "" && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid ?? ""}). The object might have been deleted and then recreated`;
    throw conflict(pods, metadata.name ?? "", why);
  }
  if (resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion ?? ""}). The object might have been modified`;
    throw conflict(pods, metadata.name ?? "", why);
  }
}

/** A Pod that has not begun, has ended or is ending is not disrupted by its eviction. */
function isDisruption(pod: ApiObject): boolean {
  const phase = textAt(pod, "status", "phase");
  return (
    phase !== "Succeeded" && phase !== "Failed" && phase !== "Pending" && pod.metadata.deletionTimestamp === undefined
  );
}

function withDisruptionTarget(pod: ApiObject, now: Instant): ApiObject {
  const status = objectAt(pod, "status");
  const conditions = listAt(status, "conditions");
  const before = conditions.find((condition) => textAt(condition, "type") === "DisruptionTarget");
  const condition: JsonObject = {
    type: "DisruptionTarget",
    status: "True",
    lastProbeTime: null,
    lastTransitionTime: textAt(before, "status") === "True" ? textAt(before, "lastTransitionTime") : formatTime(now),
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
  };
  const others = conditions.filter((other) => textAt(other, "type") !== "DisruptionTarget");
  return withField(pod, "status", { ...status, conditions: [...others, condition] });
}
