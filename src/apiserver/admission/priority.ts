// Priority: a class's name becomes a number (api-machinery 9.5, pod-lifecycle 11.5). PriorityClasses are not served; the two built-in ones are known.

import { textAt, valueAt } from "../../api/meta/json-object.ts";
import { objectAt, withField } from "../registry/api-object.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { admissionForbidden, isPodRequest } from "./admission-refusal.ts";

const builtInClasses: ReadonlyMap<string, number> = new Map([
  ["system-cluster-critical", 2_000_000_000],
  ["system-node-critical", 2_000_001_000],
]);

export const priorityAdmission: AdmissionPlugin = {
  name: "Priority",
  mutate(request, pod) {
    if (!isPodRequest(request)) return pod;
    const spec = objectAt(pod, "spec");
    if (request.operation === "UPDATE") {
      // The number came from the class when the Pod was made; a client that leaves it out does not mean to change it.
      const old = request.oldObject === undefined ? {} : objectAt(request.oldObject, "spec");
      const { priority, preemptionPolicy } = old;
      if (spec["priority"] !== undefined || priority === undefined) return pod;
      return withField(pod, "spec", {
        ...spec,
        priority,
        ...(preemptionPolicy === undefined ? {} : { preemptionPolicy }),
      });
    }
    if (request.operation !== "CREATE") return pod;
    const className = textAt(spec, "priorityClassName");
    const priority = className === "" ? 0 : builtInClasses.get(className);
    if (priority === undefined) {
      throw admissionForbidden(request, `no PriorityClass with name ${className} was found`);
    }
    const sent = valueAt(spec, "priority");
    if (sent !== undefined && sent !== priority) {
      const why = `the integer value of priority (${JSON.stringify(sent)}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`;
      throw admissionForbidden(request, why);
    }
    const policy = "PreemptLowerPriority";
    const sentPolicy = textAt(spec, "preemptionPolicy");
    if (sentPolicy !== "" && sentPolicy !== policy) {
      const why = `the string value of PreemptionPolicy (${sentPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
      throw admissionForbidden(request, why);
    }
    return withField(pod, "spec", { ...spec, priority, preemptionPolicy: policy });
  },
};
