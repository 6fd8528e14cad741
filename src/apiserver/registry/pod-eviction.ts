// `pods/eviction`: a deletion that disruption budgets may refuse (api-machinery 8.5, pod-lifecycle 12.5).

import { textAt } from "../../api/meta/json-object.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { badRequest } from "../../api/wire/status-error.ts";
import { type Clock, formatTime, type Instant } from "../../base/time.ts";
import { objectResponse } from "../codec/encode.ts";
import { deleteOptions } from "../request-options.ts";
import { type ApiObject, listAt, objectAt, withField } from "./api-object.ts";
import type { CreatableSubresource } from "./subresource.ts";

/**
 * What the disruption budgets of a namespace say about evicting one Pod. Asked only about Pods whose end would disrupt something.
 * @throws StatusError TooManyRequests, InternalError
 */
export type DisruptionBudgets = (pod: ApiObject) => Promise<void>;

export function podEviction(clock: Clock, budgets: DisruptionBudgets): CreatableSubresource {
  return {
    bodyKind: { group: "policy", version: "v1", kind: "Eviction" },
    async create({ registry, namespace, name, context }, eviction) {
      const evictedName = textAt(eviction, "metadata", "name");
      if (evictedName !== "" && evictedName !== name)
        throw badRequest("name in URL does not match name in Eviction object");
      const { object: pod } = await registry.getStored(namespace, name);
      const options = deleteOptions(objectAt(eviction, "deleteOptions"), new URLSearchParams());
      const evicting = { ...context, dryRun: context.dryRun || options.dryRun };
      if (isDisruption(pod)) await budgets(pod);
      const { uid, resourceVersion } = options.preconditions;
      // The condition below is a write of our own: a precondition on the version must not stumble over it.
      if (resourceVersion === undefined && !evicting.dryRun && (uid === undefined || uid === pod.metadata.uid)) {
        const transform = (present: ApiObject): ApiObject => withDisruptionTarget(present, clock.now());
        await registry.update({ namespace, name, subresource: "status", transform, replaces: false }, evicting);
      }
      await registry.delete(namespace, name, options, evicting);
      return objectResponse(201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
    },
  };
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
