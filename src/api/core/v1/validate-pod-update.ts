// What may change in a Pod, and by which way (pod-lifecycle 1.3.7, 9.3, 15.1).

import type {
  Affinity,
  Container,
  ContainerStatus,
  NodeAffinity,
  Pod,
  PodSchedulingGate,
  PodSpec,
  RestartPolicy,
  Toleration,
} from "../../generated/core-v1.ts";
import { checkImmutable, checkName, checkNotNegative } from "../../meta/field-checks.ts";
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  goQuote,
  index,
  invalid,
  required,
} from "../../meta/field-errors.ts";
import { goDiff } from "../../meta/go-diff.ts";
import { sameJson } from "../../meta/json-object.ts";
import {
  dns1123SubdomainProblems,
  inclusiveRangeProblem,
  ipAddressProblems,
  isIpv4,
  qualifiedNameProblems,
} from "../../meta/names.ts";
import { isSidecar } from "./pod-requests.ts";
import { longestDeadlineSeconds, validatePodContent } from "./validate-pod.ts";
import { mirrorPodAnnotation, validatePodAnnotationsUpdate } from "./validate-pod-annotations.ts";
import { validateImageBlanks } from "./validate-containers.ts";
import { validateTolerations } from "./validate-scheduling.ts";

const changeable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** What is wrong with replacing `old` by `next` on the main resource. */
export function validatePodUpdate(next: Pod, old: Pod): FieldError[] {
  const errors = [...validatePodContent(next), ...validatePodAnnotationsUpdate(next, old)];
  for (const field of ["containers", "initContainers"] as const) {
    const path = child("spec", field);
    const containers = next.spec[field] ?? [];
    if (containers.length !== (old.spec[field] ?? []).length) {
      return [...errors, forbidden(path, "pod updates may not add or remove containers")];
    }
    errors.push(...validateImages(containers, path));
  }
  const deadline = validateDeadlineUpdate(next.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
  errors.push(...deadline.errors);
  if (deadline.kind === "stop") return errors;
  errors.push(...validateTolerationsUpdate(next.spec.tolerations ?? [], old.spec.tolerations ?? []));
  errors.push(...validateGatesUpdate(next.spec.schedulingGates ?? [], old.spec.schedulingGates ?? []));
  if (sameJson(next.spec, old.spec)) return errors;
  const { spec, errors: gatedErrors } = withoutGatedChanges(withoutAllowedChanges(next.spec, old.spec), old.spec);
  errors.push(...gatedErrors);
  if (!sameJson(spec, old.spec)) {
    const text = `pod updates may not change fields other than ${changeable}\n${goDiff("core.PodSpec", old.spec, spec)}`;
    errors.push(forbidden("spec", text));
  }
  return errors;
}

/** What is wrong with the ephemeral containers of `next`, which may only differ from `old` in having more of them. */
export function validateEphemeralContainersUpdate(next: Pod, old: Pod): FieldError[] {
  if (old.metadata.annotations?.[mirrorPodAnnotation] !== undefined) {
    return [forbidden("[]", "static pods do not support ephemeral containers")];
  }
  const errors = [...validatePodContent(next), ...validatePodAnnotationsUpdate(next, old)];
  const path = "spec.ephemeralContainers";
  for (const before of old.spec.ephemeralContainers ?? []) {
    const after = (next.spec.ephemeralContainers ?? []).find(({ name }) => name === before.name);
    const what = `existing ephemeral containers ${goQuote(before.name)} may not be`;
    if (after === undefined) errors.push(forbidden(path, `${what} removed\n`));
    else if (!sameJson(after, before)) {
      errors.push(forbidden(path, `${what} changed\n${goDiff("core.EphemeralContainer", before, after)}`));
    }
  }
  return errors;
}

/** What is wrong with replacing the status of `old` by that of `next`. */
export function validatePodStatusUpdate(next: Pod, old: Pod): FieldError[] {
  const { status } = next;
  const errors = validatePodAnnotationsUpdate(next, old);
  (status.conditions ?? []).forEach((condition, position) => {
    // Upstream looks for the conditions in the metadata and calls the type by its Go name.
    const at = child(index("metadata.conditions", position), "Type");
    errors.push(...checkName(at, condition.type, qualifiedNameProblems));
    const generation = child(index("status.conditions", position), "observedGeneration");
    errors.push(...checkNotNegative(generation, condition.observedGeneration));
  });
  errors.push(...checkNotNegative("status.observedGeneration", status.observedGeneration));
  const nominated = status.nominatedNodeName ?? "";
  if (nominated !== "" && nominated !== old.status.nominatedNodeName) {
    errors.push(...checkName("status.nominatedNodeName", nominated, dns1123SubdomainProblems));
  }
  errors.push(...checkImmutable("status.qosClass", status.qosClass, old.status.qosClass));
  errors.push(...validateTransitions(next, old));
  errors.push(...validateAddresses(status.podIPs ?? [], "status.podIPs"));
  const [firstHostIp] = status.hostIPs ?? [];
  if (firstHostIp !== undefined && firstHostIp.ip !== (status.hostIP ?? "")) {
    errors.push(invalid("status.hostIPs[0].ip", firstHostIp.ip, "must be equal to `hostIP`"));
  }
  return [...errors, ...validateAddresses(status.hostIPs ?? [], "status.hostIPs")];
}

function validateImages(containers: readonly Container[], path: string): FieldError[] {
  return containers.flatMap(({ image }, position) => {
    const at = index(path, position);
    return image === "" ? [required(child(at, "image"))] : validateImageBlanks(image, at);
  });
}

/** The deadline can be set and brought nearer, never put off or taken away. `stop`: upstream looks no further. */
function validateDeadlineUpdate(
  next: number | undefined,
  old: number | undefined,
): { readonly kind: "goOn" | "stop"; readonly errors: FieldError[] } {
  const path = "spec.activeDeadlineSeconds";
  if (next === undefined) {
    const text = "must not update from a positive integer to nil value";
    return { kind: "goOn", errors: old === undefined ? [] : [invalid(path, next, text)] };
  }
  if (next < 0 || next > longestDeadlineSeconds) {
    return { kind: "stop", errors: [invalid(path, next, inclusiveRangeProblem(0, longestDeadlineSeconds))] };
  }
  if (old !== undefined && old < next) {
    return { kind: "stop", errors: [invalid(path, next, "must be less than or equal to previous value")] };
  }
  return { kind: "goOn", errors: [] };
}

function validateTolerationsUpdate(next: readonly Toleration[], old: readonly Toleration[]): FieldError[] {
  const path = "spec.tolerations";
  const kept = old.every((before) =>
    next.some((after) => sameJson({ ...before, tolerationSeconds: after.tolerationSeconds }, after)),
  );
  if (!kept) return [forbidden(path, "existing toleration can not be modified except its tolerationSeconds")];
  return validateTolerations(next, path);
}

function validateGatesUpdate(next: readonly PodSchedulingGate[], old: readonly PodSchedulingGate[]): FieldError[] {
  return next.flatMap(({ name }, position) => {
    if (old.some((gate) => gate.name === name)) return [];
    const at = child(index("spec.schedulingGates", position), "name");
    return [forbidden(at, `only deletion is allowed, but found new scheduling gate '${name}'`)];
  });
}

/** The new spec with everything put back that any Pod may change. */
function withoutAllowedChanges(next: PodSpec, old: PodSpec): PodSpec {
  const withOldImages = (containers: readonly Container[], before: readonly Container[] | undefined): Container[] =>
    containers.map((container, position) => ({ ...container, image: before?.[position]?.image ?? container.image }));
  const becomesOne = old.terminationGracePeriodSeconds < 0 && next.terminationGracePeriodSeconds === 1;
  return replaced(next, {
    containers: withOldImages(next.containers, old.containers),
    ...(next.initContainers === undefined
      ? {}
      : { initContainers: withOldImages(next.initContainers, old.initContainers) }),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
    ...(becomesOne ? { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds } : {}),
  });
}

/** While a Pod is gated, what asks for nodes may become stricter: that is checked here and put back too. */
function withoutGatedChanges(
  next: PodSpec,
  old: PodSpec,
): { readonly spec: PodSpec; readonly errors: readonly FieldError[] } {
  if ((old.schedulingGates ?? []).length === 0) return { spec: next, errors: [] };
  const errors: FieldError[] = [];
  let spec = next;
  if (!sameJson(next.nodeSelector, old.nodeSelector)) {
    errors.push(...validateNodeSelectorMutation(next.nodeSelector ?? {}, old.nodeSelector ?? {}));
    spec = replaced(spec, { nodeSelector: old.nodeSelector });
  }
  const nextAffinity = next.affinity?.nodeAffinity;
  const oldAffinity = old.affinity?.nodeAffinity;
  if (!sameJson(nextAffinity, oldAffinity)) {
    errors.push(...validateNodeAffinityMutation(nextAffinity, oldAffinity));
    spec = replaced(spec, { affinity: withNodeAffinity(next.affinity, old.affinity, oldAffinity) });
  }
  return { spec, errors };
}

function withNodeAffinity(
  next: Affinity | undefined,
  old: Affinity | undefined,
  nodeAffinity: NodeAffinity | undefined,
): Affinity | undefined {
  const { nodeAffinity: _changed, ...others } = next ?? {};
  if (nodeAffinity !== undefined) return { ...others, nodeAffinity };
  return Object.keys(others).length === 0 && old === undefined ? undefined : others;
}

type Labels = Readonly<Record<string, string>>;

function validateNodeSelectorMutation(next: Labels, old: Labels): FieldError[] {
  const kept = Object.entries(old).every(([name, value]) => next[name] === value);
  const text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
  return kept ? [] : [invalid("spec.nodeSelector", next, text)];
}

function validateNodeAffinityMutation(next: NodeAffinity | undefined, old: NodeAffinity | undefined): FieldError[] {
  const field = "requiredDuringSchedulingIgnoredDuringExecution";
  const oldTerms = old?.[field]?.nodeSelectorTerms ?? [];
  // A Pod that asked for nothing may begin to ask for anything.
  if (oldTerms.length === 0) return [];
  const path = child("spec.affinity.nodeAffinity", field, "nodeSelectorTerms");
  const nextTerms = next?.[field]?.nodeSelectorTerms ?? [];
  if (nextTerms.length !== oldTerms.length) {
    return [invalid(path, nextTerms, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")];
  }
  const text = "only additions are allowed (no mutations or deletions)";
  return oldTerms.flatMap((before, position) => {
    const after = nextTerms[position];
    const grew = (["matchExpressions", "matchFields"] as const).every((list) => {
      const kept = before[list] ?? [];
      return sameJson((after?.[list] ?? []).slice(0, kept.length), kept);
    });
    const wasEmpty = (before.matchExpressions ?? []).length === 0 && (before.matchFields ?? []).length === 0;
    return grew && !(wasEmpty && !sameJson(before, after)) ? [] : [invalid(index(path, position), after, text)];
  });
}

/** The spec with some fields replaced; `undefined` takes a field away. */
function replaced(spec: PodSpec, change: { readonly [Field in keyof PodSpec]?: PodSpec[Field] | undefined }): PodSpec {
  return Object.fromEntries(
    Object.entries({ ...spec, ...change }).filter(([, value]) => value !== undefined),
  ) as unknown as PodSpec;
}

/** A container that has ended for good stays so in the status. */
function validateTransitions(next: Pod, old: Pod): FieldError[] {
  const { restartPolicy, initContainers = [] } = old.spec;
  const sidecars = new Set(initContainers.filter(isSidecar).map(({ name }) => name));
  const lists: [
    field: "containerStatuses" | "initContainerStatuses" | "ephemeralContainerStatuses",
    policy: RestartPolicy,
  ][] = [
    ["containerStatuses", restartPolicy],
    ["initContainerStatuses", restartPolicy],
    ["ephemeralContainerStatuses", "Never"],
  ];
  return lists.flatMap(([field, policy]) =>
    (old.status[field] ?? []).flatMap((before, position) => {
      if (!endedForGood(before, policy) || (field === "initContainerStatuses" && sidecars.has(before.name))) return [];
      const after = (next.status[field] ?? []).find(({ name }) => name === before.name);
      if (after === undefined || after.state?.terminated !== undefined) return [];
      const at = child(index(child("status", field), position), "state");
      return [forbidden(at, "may not be transitioned to non-terminated state")];
    }),
  );
}

function endedForGood({ state }: ContainerStatus, policy: RestartPolicy): boolean {
  if (state?.terminated === undefined || policy === "Always") return false;
  return policy === "Never" || state.terminated.exitCode === 0;
}

/** At most one address of each family, none twice. */
function validateAddresses(addresses: readonly { readonly ip: string }[], path: string): FieldError[] {
  const errors = addresses.flatMap(({ ip }, position) => checkName(index(path, position), ip, ipAddressProblems));
  if (addresses.length > 1) {
    const families = new Set(addresses.map(({ ip }) => isIpv4(ip)));
    if (families.size < 2 || addresses.length > 2) {
      errors.push(invalid(path, addresses, "may specify no more than one IP for each IP family"));
    }
    addresses.forEach((address, position) => {
      if (addresses.findIndex(({ ip }) => ip === address.ip) < position) {
        errors.push(duplicate(index(path, position), address));
      }
    });
  }
  return errors;
}
