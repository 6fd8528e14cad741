// Whether a Pod can be (pod-lifecycle 15.2). Every complaint is upstream's, letter for letter, oddities included. Metadata that every object has is
// checked by the registry.

import type { Pod, PodSpec } from "../../generated/core-v1.ts";
import { checkName, checkOneOf, checkPresent, checkRequiredOneOf } from "../../meta/field-checks.ts";
import { child, duplicate, type FieldError, forbidden, index, invalid, required } from "../../meta/field-errors.ts";
import { validateLabels } from "../../meta/label-selector.ts";
import {
  byteLength,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  dns1123SubdomainWithUnderscoreProblems,
  inclusiveRangeProblem,
  ipAddressProblems,
} from "../../meta/names.ts";
import { validatePodAnnotations } from "./validate-pod-annotations.ts";
import {
  type ContainerSurroundings,
  validateContainers,
  validateEphemeralContainers,
  validateImageBlanks,
  validateInitContainers,
} from "./validate-containers.ts";
import { validateOverhead, validatePodLevelResources } from "./validate-resources.ts";
import {
  validateAffinity,
  validateReadinessGates,
  validateSchedulingGates,
  validateTolerations,
  validateTopologySpread,
} from "./validate-scheduling.ts";
import { validateHostUsers, validatePodSecurityContext } from "./validate-security-context.ts";
import { validateVolumes } from "./validate-volumes.ts";
import { validateWindowsRules } from "./validate-windows.ts";

/** What is wrong with a new Pod, with its defaults filled in. */
export function validatePod(pod: Pod): FieldError[] {
  const errors = validatePodContent(pod);
  if ((pod.spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden("spec.ephemeralContainers", "cannot be set on create"));
  }
  if ((pod.spec.nodeName ?? "") !== "" && (pod.spec.schedulingGates ?? []).length > 0) {
    errors.push(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  }
  return errors;
}

/** What is wrong with a Pod, whether it is new or not. */
export function validatePodContent(pod: Pod): FieldError[] {
  const { spec } = pod;
  const errors = [...validatePodAnnotations(pod), ...validatePodSpec(spec, "spec", { isPod: true })];
  if ((spec.serviceAccountName ?? "") === "") {
    (spec.volumes ?? []).forEach((volume, position) => {
      (volume.projected?.sources ?? []).forEach((source, sourcePosition) => {
        if (source.serviceAccountToken === undefined) return;
        const sources = child(index("spec.volumes", position), "projected", "sources");
        const at = child(index(sources, sourcePosition), "serviceAccountToken");
        errors.push(forbidden(at, "must not be specified when serviceAccountName is not set"));
      });
    });
  }
  for (const field of ["containers", "initContainers"] as const) {
    (spec[field] ?? []).forEach(({ image }, position) => {
      errors.push(...validateImageBlanks(image, index(`spec.${field}`, position)));
    });
  }
  return errors;
}

/** What is wrong with the spec of a Pod or of a template of Pods. */
export function validatePodSpec(spec: PodSpec, path: string, { isPod }: { readonly isPod: boolean }): FieldError[] {
  const { errors, byName: volumes } = validateVolumes(spec.volumes ?? [], child(path, "volumes"));
  const claimNames = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter((name) => name !== ""));
  const pod: ContainerSurroundings = { spec, volumes, claimNames };
  return [
    ...errors,
    ...validateResourceClaims(spec.resourceClaims ?? [], child(path, "resourceClaims")),
    ...validateContainers(pod, child(path, "containers")),
    ...validateInitContainers(pod, child(path, "initContainers")),
    ...validateEphemeralContainers(pod, child(path, "ephemeralContainers")),
    ...validatePodLevelResources(spec, child(path, "resources")),
    ...validateHostNetworkPorts(spec, child(path, "containers"), isPod),
    ...checkRequiredOneOf(child(path, "restartPolicy"), spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    ...checkRequiredOneOf(child(path, "dnsPolicy"), spec.dnsPolicy, dnsPolicies),
    ...validateLabels(spec.nodeSelector, child(path, "nodeSelector")),
    ...validatePodSecurityContext(spec, path),
    ...validateAffinity(spec.affinity, child(path, "affinity")),
    ...validateDnsConfig(spec, child(path, "dnsConfig")),
    ...validateReadinessGates(spec.readinessGates ?? [], child(path, "readinessGates")),
    ...validateSchedulingGates(spec.schedulingGates ?? [], child(path, "schedulingGates")),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], child(path, "topologySpreadConstraints")),
    ...validateHostUsers(spec, path),
    ...validateNames(spec, path),
    ...validateActiveDeadline(spec.activeDeadlineSeconds, child(path, "activeDeadlineSeconds")),
    ...validateTolerations(spec.tolerations ?? [], child(path, "tolerations")),
    ...validateHostAliases(spec.hostAliases ?? [], child(path, "hostAliases")),
    ...checkOneOf(child(path, "preemptionPolicy"), spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]),
    ...validateOverhead(spec.overhead ?? {}, child(path, "overhead")),
    ...validateOs(spec, path),
  ];
}

const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

function validateNames(spec: PodSpec, path: string): FieldError[] {
  const subdomains = ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] as const;
  const labels = ["hostname", "subdomain"] as const;
  const errors: FieldError[] = [];
  for (const field of subdomains) {
    const name = spec[field];
    if (name !== undefined && (name !== "" || field === "runtimeClassName")) {
      errors.push(...checkName(child(path, field), name, dns1123SubdomainProblems));
    }
  }
  for (const field of labels) {
    const name = spec[field];
    if (name !== undefined && name !== "") errors.push(...checkName(child(path, field), name, dns1123LabelProblems));
  }
  return errors;
}

export const longestDeadlineSeconds = 2147483647;

function validateActiveDeadline(seconds: number | undefined, path: string): FieldError[] {
  if (seconds === undefined || (seconds >= 1 && seconds <= longestDeadlineSeconds)) return [];
  return [invalid(path, seconds, inclusiveRangeProblem(1, longestDeadlineSeconds))];
}

/** On the node's network a container's port is the node's. In a template it may be left to the Pod. */
function validateHostNetworkPorts(spec: PodSpec, path: string, isPod: boolean): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  return spec.containers.flatMap((container, position) =>
    (container.ports ?? []).flatMap(({ hostPort = 0, containerPort }, portPosition) => {
      if (hostPort === containerPort || (hostPort === 0 && !isPod)) return [];
      const at = child(index(child(index(path, position), "ports"), portPosition), "hostPort");
      return [invalid(at, hostPort, "must match `containerPort` when `hostNetwork` is true")];
    }),
  );
}

const nameserverLimit = 3;
const searchPathLimit = 32;
const searchListLimitBytes = 2048;

function validateDnsConfig({ dnsConfig, dnsPolicy }: PodSpec, path: string): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  if (dnsPolicy === "None") {
    if (dnsConfig === undefined) return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
    if (nameservers.length === 0) {
      const text = "must provide at least one DNS nameserver when `dnsPolicy` is None";
      return [required(child(path, "nameservers"), text)];
    }
  }
  const errors: FieldError[] = [];
  const serversPath = child(path, "nameservers");
  const searchesPath = child(path, "searches");
  if (nameservers.length > nameserverLimit) {
    errors.push(invalid(serversPath, nameservers, `must not have more than ${nameserverLimit} nameservers`));
  }
  nameservers.forEach((server, position) => {
    errors.push(...checkName(index(serversPath, position), server, ipAddressProblems));
  });
  if (searches.length > searchPathLimit) {
    errors.push(invalid(searchesPath, searches, `must not have more than ${searchPathLimit} search paths`));
  }
  if (byteLength(searches.join(" ")) > searchListLimitBytes) {
    const text = `must not have more than ${searchListLimitBytes} characters (including spaces) in the search list`;
    errors.push(invalid(searchesPath, searches, text));
  }
  searches.forEach((search, position) => {
    if (search === ".") return;
    const domain = search.endsWith(".") ? search.slice(0, -1) : search;
    errors.push(...checkName(index(searchesPath, position), domain, dns1123SubdomainWithUnderscoreProblems));
  });
  options.forEach(({ name }, position) => {
    if ((name ?? "") === "") errors.push(required(index(child(path, "options"), position), "must not be empty"));
  });
  return errors;
}

function validateHostAliases(aliases: NonNullable<PodSpec["hostAliases"]>, path: string): FieldError[] {
  return aliases.flatMap(({ ip, hostnames = [] }, position) => {
    const at = index(path, position);
    return [
      ...checkName(child(at, "ip"), ip, ipAddressProblems),
      ...hostnames.flatMap((name, namePosition) =>
        checkName(index(child(at, "hostnames"), namePosition), name, dns1123SubdomainProblems),
      ),
    ];
  });
}

function validateResourceClaims(claims: NonNullable<PodSpec["resourceClaims"]>, path: string): FieldError[] {
  const names = new Set<string>();
  return claims.flatMap((claim, position) => {
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    const at = index(path, position);
    const errors =
      name === ""
        ? checkPresent(child(at, "name"), name)
        : names.has(name)
          ? [duplicate(child(at, "name"), name)]
          : checkName(child(at, "name"), name, dns1123LabelProblems);
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const text = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      errors.push(invalid(at, claim, text));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const text = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      errors.push(invalid(at, claim, text));
    }
    for (const field of ["resourceClaimName", "resourceClaimTemplateName"] as const) {
      const reference = claim[field];
      if (reference !== undefined) errors.push(...checkName(child(at, field), reference, dns1123SubdomainProblems));
    }
    return errors;
  });
}

function validateOs(spec: PodSpec, path: string): FieldError[] {
  if (spec.os === undefined) return [];
  if (spec.os.name === "") return [required(child(path, "os", "name"), "cannot be empty")];
  const errors = checkOneOf(child(path, "os"), spec.os.name, ["linux", "windows"]);
  return errors.length > 0 ? errors : validateWindowsRules(spec, path);
}
