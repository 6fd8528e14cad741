// Pods (pod-lifecycle 2.8, 8.1, 11.2, 15).

import { defaultPod } from "../../api/core/v1/default-pod.ts";
import { ephemeralContainerWarnings, podWarnings, refusedPodFields } from "../../api/core/v1/pod-support.ts";
import { computeQosClass } from "../../api/core/v1/qos.ts";
import { validatePod } from "../../api/core/v1/validate-pod.ts";
import {
  validateEphemeralContainersUpdate,
  validatePodStatusUpdate,
  validatePodUpdate,
} from "../../api/core/v1/validate-pod-update.ts";
import type { Draft, Pod } from "../../api/index.ts";
import { textAt, valueAt } from "../../api/meta/json-object.ts";
import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { type ApiObject, listAt, objectAt, withField, withMetadata } from "./api-object.ts";
import { type DeleteRequest, ordinaryStrategy, type Strategy, type UpdateStrategy } from "./strategy.ts";

/** The spec comes from the client, the status stays. */
const update: UpdateStrategy = {
  prepare: (next, old) => withField(next, "status", old["status"]),
  validate: (next, old) => validatePodUpdate(asPod(next), asPod(old)),
};

/** The status comes from the client, the spec stays. Kubelets are not trusted with owner references (api-machinery 3.5). */
const status: UpdateStrategy = {
  prepare(next, old) {
    const kept = withMetadata(withField(next, "spec", old["spec"]), { ownerReferences: old.metadata.ownerReferences });
    return withField(kept, "status", keptStatus(objectAt(next, "status"), objectAt(old, "status")));
  },
  validate: (next, old) => validatePodStatusUpdate(asPod(next), asPod(old)),
};

/** The ephemeral containers come from the client, everything else stays (pod-lifecycle 9.3). */
const ephemeralcontainers: UpdateStrategy = {
  prepare(next, old) {
    const { ephemeralContainers } = objectAt(next, "spec");
    const { ephemeralContainers: _before, ...others } = objectAt(old, "spec");
    const spec = ephemeralContainers === undefined ? others : { ...others, ephemeralContainers };
    return withField(withMetadata(old, { resourceVersion: next.metadata.resourceVersion }), "spec", spec);
  },
  validate: (next, old) => [
    ...validateEphemeralContainersUpdate(asPod(next), asPod(old)),
    ...refusedPodFields(asPod(next)),
  ],
  warnings: (next, old) => ephemeralContainerWarnings(asPod(next), asPod(old)),
};

/** What the binding subresource does was decided before; it changes the spec without counting as a change of it. */
const binding: UpdateStrategy = { prepare: (next) => next, validate: () => [], leavesGeneration: true };

export const podStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  default: (pod) => defaultPod(pod as Draft<Pod>) as unknown as ApiObject,
  // What lifepod cannot do is refused beside what nobody could: the author of the Pod must not be deceived.
  validate: (pod) => [...validatePod(asPod(pod)), ...refusedPodFields(asPod(pod))],
  warnings: (pod) => podWarnings(asPod(pod)),
  prepareForCreate: (pod) => withField(pod, "status", initialStatus(pod)),
  update,
  subresources: { status, binding, ephemeralcontainers },
  returnsDeletedObject: true,
  gracePeriodSeconds,
};

/** A new Pod's status, whatever the client sent (pod-lifecycle 15.4). */
function initialStatus(pod: ApiObject): JsonObject {
  const gates = listAt(objectAt(pod, "spec"), "schedulingGates");
  const gated = {
    type: "PodScheduled",
    status: "False",
    reason: "SchedulingGated",
    message: "Scheduling is blocked due to non-empty scheduling gates",
  };
  const qosClass = computeQosClass(asPod(pod));
  return { phase: "Pending", qosClass, ...(gates.length > 0 ? { conditions: [gated] } : {}) };
}

/** What a status write may leave out without taking it away (api-machinery 3.5, pod-lifecycle 2.8). */
function keptStatus(next: JsonObject, old: JsonObject): JsonObject {
  const kept: Record<string, unknown> = { ...next };
  for (const field of ["qosClass", "observedGeneration"] as const) {
    if (!kept[field] && old[field] !== undefined) kept[field] = old[field];
  }
  const oldConditions = listAt(old, "conditions");
  const conditions = listAt(next, "conditions");
  if (conditions.length > 0)
    kept["conditions"] = conditions.map((condition) => withObservedGeneration(condition, oldConditions));
  return kept;
}

function withObservedGeneration(condition: unknown, old: readonly unknown[]): unknown {
  if (valueAt(condition, "observedGeneration")) return condition;
  const before = old.find((candidate) => textAt(candidate, "type") === textAt(condition, "type"));
  const observedGeneration = valueAt(before, "observedGeneration");
  return observedGeneration === undefined ? condition : { ...(condition as JsonObject), observedGeneration };
}

/** pod-lifecycle 8.1.1: nothing waits for a Pod that no node has, or whose containers have ended. */
function gracePeriodSeconds(pod: ApiObject, { gracePeriodSeconds: requested }: DeleteRequest): number {
  const phase = textAt(pod, "status", "phase");
  if (textAt(pod, "spec", "nodeName") === "" || phase === "Succeeded" || phase === "Failed") return 0;
  const own = valueAt(pod, "spec", "terminationGracePeriodSeconds");
  const period = requested ?? (typeof own === "number" ? own : 0);
  return period < 0 ? 1 : period;
}

/** After decoding and defaulting an object of this resource has a Pod's shape. */
const asPod = (object: ApiObject): Pod => object as unknown as Pod;
