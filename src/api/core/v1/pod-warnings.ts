// Upstream's advice about Pods that are valid and still odd (pod-lifecycle 15.2, api-machinery 3.6).

import type { Container, ContainerPort, NodeSelectorTerm, Pod, PodTemplateSpec } from "../../generated/core-v1.ts";
import { child, goQuote, index, key } from "../../meta/field-errors.ts";
import { dns1123LabelProblems } from "../../meta/names.ts";
import { parseQuantity, quantityMilliValue } from "../../meta/quantity.ts";

/** The texts in upstream's words, in upstream's order. */
export function upstreamPodWarnings(pod: Pod): string[] {
  return [...nameWarnings(pod), ...contentWarnings(pod)];
}

/** The same about a template, which has no name. @param path where the template is: every text begins with it */
export function upstreamTemplateWarnings({ metadata = {}, spec }: PodTemplateSpec, path: string): string[] {
  return contentWarnings({ metadata, spec }).map((text) => child(path, text));
}

/** A Pod, or what stands for one in a template. */
type PodContent = Pick<Pod, "spec"> & { readonly metadata: Pick<Pod["metadata"], "annotations"> };

function contentWarnings(pod: PodContent): string[] {
  return [
    ...nodeLabelWarnings(pod),
    ...annotationWarnings(pod),
    ...duplicateWarnings(pod),
    ...seccompWarnings(pod),
    ...containersOf(pod).flatMap(([container, path]) => containerWarnings(pod, container, path)),
    ...portWarnings(pod),
    ...(pod.spec.terminationGracePeriodSeconds < 0
      ? ["spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"]
      : []),
  ];
}

function nameWarnings({ metadata }: Pod): string[] {
  const problems = dns1123LabelProblems(metadata.name);
  if (problems.length === 0) return [];
  const text =
    "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: ${text}: [${problems.join(" ")}]`];
}

const deprecatedNodeLabels: ReadonlyMap<string, string> = new Map([
  ["beta.kubernetes.io/arch", 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ["beta.kubernetes.io/os", 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ["failure-domain.beta.kubernetes.io/region", 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ["failure-domain.beta.kubernetes.io/zone", 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ["beta.kubernetes.io/instance-type", 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
]);

function nodeLabelWarnings({ spec }: PodContent): string[] {
  const warnings = Object.keys(spec.nodeSelector ?? {}).flatMap((name) => {
    const text = deprecatedNodeLabels.get(name);
    return text === undefined ? [] : [`${key("spec.nodeSelector", name)}: ${text}`];
  });
  const affinity = spec.affinity?.nodeAffinity;
  const path = "spec.affinity.nodeAffinity";
  affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.forEach((term, position) => {
    const terms = child(path, "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms");
    warnings.push(...termWarnings(term, index(terms, position)));
  });
  affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ preference }, position) => {
    const terms = child(path, "preferredDuringSchedulingIgnoredDuringExecution");
    warnings.push(...termWarnings(preference, child(index(terms, position), "preference")));
  });
  return warnings;
}

function termWarnings(term: NodeSelectorTerm, path: string): string[] {
  return (term.matchExpressions ?? []).flatMap(({ key: name }, position) => {
    const text = deprecatedNodeLabels.get(name);
    const at = child(index(child(path, "matchExpressions"), position), "key");
    return text === undefined ? [] : [`${at}: ${name} is ${text}`];
  });
}

const deprecatedAnnotations: readonly (readonly [name: string, text: string])[] = [
  ["scheduler.alpha.kubernetes.io/critical-pod", 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ["security.alpha.kubernetes.io/sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
  ["security.alpha.kubernetes.io/unsafe-sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
];

function annotationWarnings({ metadata }: PodContent): string[] {
  return deprecatedAnnotations
    .filter(([name]) => metadata.annotations?.[name] !== undefined)
    .map(([name, text]) => `${key("metadata.annotations", name)}: ${text}`);
}

function duplicateWarnings({ spec }: PodContent): string[] {
  const warnings: string[] = [];
  const ips = new Set<string>();
  (spec.hostAliases ?? []).forEach(({ ip }, position) => {
    if (ips.has(ip)) warnings.push(`${index("spec.hostAliases", position)}.ip: duplicate ip ${goQuote(ip)}`);
    ips.add(ip);
  });
  const names = new Set<string>();
  const secrets = (spec.imagePullSecrets ?? []).map(({ name = "" }) => name);
  secrets.forEach((name, position) => {
    if (names.has(name)) {
      warnings.push(`${index("spec.imagePullSecrets", position)}.name: duplicate name ${goQuote(name)}`);
    }
    names.add(name);
  });
  secrets.forEach((name, position) => {
    if (name === "") warnings.push(`${index("spec.imagePullSecrets", position)}.name: invalid empty name ""`);
  });
  return warnings;
}

const seccompPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainerPrefix = "container.seccomp.security.alpha.kubernetes.io/";
const seccompText = 'non-functional in v1.27+; use the "seccompProfile" field instead';

function seccompWarnings({ metadata, spec }: PodContent): string[] {
  if (spec.securityContext.seccompProfile !== undefined) return [];
  if (metadata.annotations?.[seccompPodAnnotation] === undefined) return [];
  return [`${key("metadata.annotations", seccompPodAnnotation)}: ${seccompText}`];
}

function containerWarnings({ metadata }: PodContent, container: Container, path: string): string[] {
  const warnings: string[] = [];
  const annotation = `${seccompContainerPrefix}${container.name}`;
  if (container.securityContext?.seccompProfile === undefined && metadata.annotations?.[annotation] !== undefined) {
    warnings.push(`${key("metadata.annotations", annotation)}: ${seccompText}`);
  }
  for (const resource of ["memory", "ephemeral-storage"]) {
    for (const list of ["limits", "requests"] as const) {
      const amount = container.resources[list]?.[resource];
      if (amount === undefined || quantityMilliValue(parseQuantity(amount)) % 1000n === 0n) continue;
      const at = key(child(path, "resources", list), resource);
      warnings.push(`${at}: fractional byte value ${goQuote(amount)} is invalid, must be an integer`);
    }
  }
  return [...warnings, ...hiddenVariableWarnings(container, path)];
}

/** A variable may build on one of the same name before it; otherwise it hides that one. */
function hiddenVariableWarnings({ env = [] }: Container, path: string): string[] {
  const names = new Set<string>();
  return env.flatMap(({ name, value = "", valueFrom }, position) => {
    const again = names.has(name);
    names.add(name);
    const reference = `$(${name})`;
    if (!again || (valueFrom === undefined && value !== reference && value.includes(reference))) return [];
    const text = `hides previous definition of ${goQuote(name)}, which may be dropped when using apply`;
    return [`${index(child(path, "env"), position)}: ${text}`];
  });
}

function portWarnings(pod: PodContent): string[] {
  const seen: { readonly port: ContainerPort; readonly at: string }[] = [];
  return containersOf(pod).flatMap(([container, path]) =>
    (container.ports ?? []).flatMap((port, position) => {
      const at = index(child(path, "ports"), position);
      const warnings: string[] = [];
      if ((port.hostIP ?? "") !== "" && !port.hostPort) {
        warnings.push(`${at}: hostIP set without hostPort: ${goPort(port)}`);
      }
      for (const other of seen) {
        if (other.port.containerPort !== port.containerPort || other.port.protocol !== port.protocol) continue;
        const how = overlap(port, other.port);
        if (how !== undefined) warnings.push(`${at}: ${how} port definition with ${other.at}`);
      }
      seen.push({ port, at });
      return warnings;
    }),
  );
}

function overlap(a: ContainerPort, b: ContainerPort): string | undefined {
  const [hostPort, otherHostPort] = [a.hostPort ?? 0, b.hostPort ?? 0];
  const [hostIp, otherHostIp] = [a.hostIP ?? "", b.hostIP ?? ""];
  if (hostIp === otherHostIp && hostPort === otherHostPort) return "duplicate";
  if (hostPort === 0 || otherHostPort === 0) return "overlapping";
  const oneOpen = (hostIp === "") !== (otherHostIp === "");
  return hostPort === otherHostPort && oneOpen ? "dangerously ambiguous" : undefined;
}

function goPort({ name = "", hostPort = 0, containerPort, protocol, hostIP = "" }: ContainerPort): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
}

/** Upstream looks at init containers first. */
function containersOf({ spec }: PodContent): [Container, string][] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, position): [Container, string] => [
      container,
      index(child("spec", field), position),
    ]),
  );
}
