// Priority: a class's name becomes a number (api-machinery 9.5, pod-lifecycle 11.5).

import type { PriorityClass } from "../../api/index.ts";
import { textAt, valueAt } from "../../api/meta/json-object.ts";
import { isSystemPriorityClass } from "../../api/scheduling/v1/priority-class.ts";
import { forbidden } from "../../api/wire/status-error.ts";
import { type ApiObject, objectAt, withField } from "../registry/api-object.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { admissionForbidden, isPodRequest } from "./admission-refusal.ts";

/** All PriorityClasses there are. */
export type PriorityClasses = () => Promise<readonly PriorityClass[]>;

export function priorityAdmission(classes: PriorityClasses): AdmissionPlugin {
  return {
    name: "Priority",
    async mutate(request, pod) {
      if (!isPodRequest(request)) return pod;
      if (request.operation === "UPDATE") return withPriorityKept(request, pod);
      if (request.operation !== "CREATE") return pod;
      return withPriority(request, pod, await classes());
    },
    async validate(request) {
      const { operation, definition, subresource, name, object } = request;
      if (definition.group !== "scheduling.k8s.io" || definition.resource !== "priorityclasses") return;
      if (operation === "DELETE" && isSystemPriorityClass(name)) {
        const resource = { group: definition.group, resource: definition.resource };
        throw forbidden(resource, name, "this is a system priority class and cannot be deleted");
      }
      if (subresource !== "" || object?.["globalDefault"] !== true) return;
      const taken = defaultClass(await classes());
      if (taken === undefined || (operation === "UPDATE" && taken.metadata.name === name)) return;
      const why = `PriorityClass ${taken.metadata.name} is already marked as default. Only one default can exist`;
      throw admissionForbidden(request, why);
    },
  };
}

/** The number came from the class when the Pod was made; a client that leaves it out does not mean to change it. */
function withPriorityKept(request: AdmissionRequest, pod: ApiObject): ApiObject {
  const spec = objectAt(pod, "spec");
  const old = request.oldObject === undefined ? {} : objectAt(request.oldObject, "spec");
  const kept = Object.fromEntries(
    ["priority", "preemptionPolicy"]
      .filter((field) => spec[field] === undefined && old[field] !== undefined)
      .map((field) => [field, old[field]]),
  );
  return Object.keys(kept).length === 0 ? pod : withField(pod, "spec", { ...spec, ...kept });
}

/** @throws StatusError Forbidden */
function withPriority(request: AdmissionRequest, pod: ApiObject, classes: readonly PriorityClass[]): ApiObject {
  const spec = objectAt(pod, "spec");
  const named = textAt(spec, "priorityClassName");
  const found = named === "" ? defaultClass(classes) : classes.find(({ metadata }) => metadata.name === named);
  if (found === undefined && named !== "") {
    throw admissionForbidden(request, `no PriorityClass with name ${named} was found`);
  }
  const priority = found?.value ?? 0;
  const policy = found?.preemptionPolicy ?? "PreemptLowerPriority";
  const sent = valueAt(spec, "priority");
  if (sent !== undefined && sent !== priority) {
    const why = `the integer value of priority (${JSON.stringify(sent)}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`;
    throw admissionForbidden(request, why);
  }
  const sentPolicy = textAt(spec, "preemptionPolicy");
  if (sentPolicy !== "" && sentPolicy !== policy) {
    const why = `the string value of PreemptionPolicy (${sentPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
    throw admissionForbidden(request, why);
  }
  const className = found === undefined ? {} : { priorityClassName: found.metadata.name };
  return withField(pod, "spec", { ...spec, ...className, priority, preemptionPolicy: policy });
}

/** The class of Pods that name none; of several, made at the same moment, the lowest. */
function defaultClass(classes: readonly PriorityClass[]): PriorityClass | undefined {
  return classes
    .filter(({ globalDefault }) => globalDefault === true)
    .reduce<PriorityClass | undefined>(
      (low, each) => (low === undefined || each.value < low.value ? each : low),
      undefined,
    );
}
