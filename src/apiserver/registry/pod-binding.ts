// `pods/binding`: a scheduler gives a Pod its node (api-machinery 8.4, pod-lifecycle 11.2).

import { validateBinding } from "../../api/core/v1/binding.ts";
import type { Binding } from "../../api/index.ts";
import { textAt } from "../../api/meta/json-object.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { badRequest, conflict, invalid } from "../../api/wire/status-error.ts";
import { type Clock, formatTime, type Instant } from "../../base/time.ts";
import { objectResponse } from "../codec/encode.ts";
import { type ApiObject, listAt, objectAt, withField, withMetadata } from "./api-object.ts";
import type { Registry } from "./registry.ts";
import type { RequestContext } from "./request-context.ts";
import type { CreatableSubresource } from "./subresource.ts";

export function podBinding(clock: Clock): CreatableSubresource {
  return {
    bodyKind: { group: "", version: "v1", kind: "Binding" },
    async create({ registry, namespace, name, context }, binding) {
      await bindPod(registry, { namespace, name, binding, now: clock.now() }, context);
      return objectResponse(201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
    },
  };
}

/** @throws StatusError NotFound, Conflict, Invalid, BadRequest */
async function bindPod(
  registry: Registry,
  {
    namespace,
    name,
    binding,
    now,
  }: { readonly namespace: string; readonly name: string; readonly binding: JsonObject; readonly now: Instant },
  context: RequestContext,
): Promise<void> {
  const boundName = textAt(binding, "metadata", "name");
  if (boundName !== name) throw badRequest("name in URL does not match name in Binding object");
  const faults = validateBinding(binding as unknown as Binding);
  if (faults.length > 0) {
    const causes = faults.map(({ type, body, field }) => ({ reason: type, message: body, field }));
    throw invalid({ group: "", kind: "Binding" }, name, causes);
  }
  const node = textAt(binding, "target", "name");
  const uid = textAt(binding, "metadata", "uid");
  const resourceVersion = textAt(binding, "metadata", "resourceVersion");
  const annotations = objectAt(objectAt(binding, "metadata"), "annotations");
  const transform = (pod: ApiObject): ApiObject => {
    const refusal = refusalToBind(pod, { uid, resourceVersion });
    if (refusal !== undefined) throw conflict({ group: "", resource: "pods/binding" }, name, refusal);
    return bound(pod, node, annotations, now);
  };
  await registry.update({ namespace, name, subresource: "binding", transform, replaces: false }, context);
}

function refusalToBind(
  pod: ApiObject,
  { uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string },
): string | undefined {
  const { metadata } = pod;
  const { name = "" } = metadata;
  if (uid !== "" && uid !== metadata.uid) {
    return `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ""}`;
  }
  if (resourceVersion !== "" && resourceVersion !== metadata.resourceVersion) {
    return `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion ?? ""}`;
  }
  if (metadata.deletionTimestamp !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`;
  const nodeName = textAt(pod, "spec", "nodeName");
  if (nodeName !== "") return `pod ${name} is already assigned to node ${JSON.stringify(nodeName)}`;
  if (listAt(objectAt(pod, "spec"), "schedulingGates").length > 0)
    return `pod ${name} has non-empty .spec.schedulingGates`;
  return undefined;
}

function bound(pod: ApiObject, nodeName: string, annotations: JsonObject, now: Instant): ApiObject {
  const assigned = withField(pod, "spec", { ...objectAt(pod, "spec"), nodeName });
  const status = objectAt(pod, "status");
  const conditions = listAt(status, "conditions");
  const others = conditions.filter((condition) => textAt(condition, "type") !== "PodScheduled");
  const before = conditions.find((condition) => textAt(condition, "type") === "PodScheduled");
  const isNew = textAt(before, "status") !== "True";
  const scheduled = {
    type: "PodScheduled",
    status: "True",
    lastProbeTime: null,
    lastTransitionTime: isNew ? formatTime(now) : textAt(before, "lastTransitionTime"),
  };
  const placed = withField(assigned, "status", { ...status, conditions: [...others, scheduled] });
  if (Object.keys(annotations).length === 0) return placed;
  return withMetadata(placed, { annotations: { ...pod.metadata.annotations, ...annotations } });
}
