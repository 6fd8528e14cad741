// What a Pod has when nobody said otherwise (pod-lifecycle 15.3, 6.1). Only what follows from the Pod alone; what depends on the cluster (service
// account, priority, default tolerations) is admission's business.

import type { Draft } from "../../draft.ts";
import type { Pod, PodSpec, PodTemplateSpec, ResourceRequirements } from "../../generated/core-v1.ts";
import { formatQuantity } from "../../meta/quantity.ts";
import { defaultContainer, defaultEphemeralContainer } from "./default-container.ts";
import { roundedList } from "./default-resources.ts";
import { defaultVolume } from "./default-volume.ts";
import { aggregateContainers, isPodLevelResource, type ResourcePod } from "./pod-requests.ts";

type ResourceList = Readonly<Record<string, string>>;

/** The Pod with every default filled in. Applying it again changes nothing. */
export function defaultPod(pod: Draft<Pod>): Pod {
  return { ...pod, spec: defaultPodSpec(pod.spec ?? {}) } as Pod;
}

/** A template of Pods with the defaults that it has itself: requests, host ports and service links are left to its Pods. */
export function defaultPodTemplate(template: Draft<PodTemplateSpec>): PodTemplateSpec {
  return { ...template, spec: withCommonDefaults(template.spec ?? {}, { isPod: false }) } as PodTemplateSpec;
}

/** The spec of a Pod with every default. */
export function defaultPodSpec(spec: Draft<PodSpec>): PodSpec {
  const complete = withCommonDefaults(
    { ...spec, enableServiceLinks: spec.enableServiceLinks ?? true },
    { isPod: true },
  );
  return complete.resources === undefined ? complete : { ...complete, resources: podLevelResources(complete) };
}

function withCommonDefaults(spec: Draft<PodSpec>, { isPod }: { readonly isPod: boolean }): PodSpec {
  const hostNetwork = isPod && spec.hostNetwork === true;
  const serviceAccountName = spec.serviceAccountName || spec.serviceAccount || "";
  return {
    ...spec,
    // The older name of the field is kept in step with the newer one.
    ...(serviceAccountName === "" ? {} : { serviceAccountName, serviceAccount: serviceAccountName }),
    restartPolicy: spec.restartPolicy || "Always",
    dnsPolicy: spec.dnsPolicy || "ClusterFirst",
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    schedulerName: spec.schedulerName || "default-scheduler",
    securityContext: spec.securityContext ?? {},
    containers: (spec.containers ?? []).map((container) => defaultContainer(container, { isPod, hostNetwork })),
    ...(spec.initContainers === undefined
      ? {}
      : {
          initContainers: spec.initContainers.map((container) => defaultContainer(container, { isPod, hostNetwork })),
        }),
    ...(spec.ephemeralContainers === undefined
      ? {}
      : { ephemeralContainers: spec.ephemeralContainers.map(defaultEphemeralContainer) }),
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(defaultVolume) }),
    ...(spec.overhead === undefined ? {} : { overhead: roundedList(spec.overhead as ResourceList) }),
  } as PodSpec;
}

/**
 * Requests for the Pod as a whole, given limits: what the containers request together, else the limit. Huge pages cannot be overcommitted, so
 * there the containers' limits make the Pod's.
 */
function podLevelResources(spec: PodSpec): ResourceRequirements {
  const pod: ResourcePod = { spec };
  const limits: Record<string, string> = { ...roundedList(spec.resources?.limits ?? {}) };
  const requests: Record<string, string> = { ...roundedList(spec.resources?.requests ?? {}) };
  const given = { ...spec.resources };
  if (Object.keys(limits).length === 0 && Object.keys(requests).length === 0) return given;
  for (const [name, amount] of Object.entries(aggregateContainers(pod, "limits"))) {
    if (name.startsWith("hugepages-") && !(name in requests)) limits[name] ??= formatQuantity(amount);
  }
  if (Object.keys(limits).length > 0) {
    for (const [name, amount] of Object.entries(aggregateContainers(pod, "requests"))) {
      if (isPodLevelResource(name) && !name.startsWith("hugepages-")) requests[name] ??= formatQuantity(amount);
    }
    for (const [name, limit] of Object.entries(limits)) if (isPodLevelResource(name)) requests[name] ??= limit;
  }
  return { ...given, ...nonEmpty("limits", limits), ...nonEmpty("requests", requests) };
}

function nonEmpty(name: "limits" | "requests", list: ResourceList): Partial<ResourceRequirements> {
  return Object.keys(list).length === 0 ? {} : { [name]: list };
}
