// A container's environment, and references to fields and resources in it and in volumes (pod-lifecycle 4.6, 15.2).

import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from "../../generated/core-v1.ts";
import { checkName, checkPresent, checkRequiredName } from "../../meta/field-checks.ts";
import { child, type FieldError, index, invalid, notSupported, required } from "../../meta/field-errors.ts";
import {
  configMapKeyProblems,
  dns1123SubdomainProblems,
  environmentVariableNameProblems,
  qualifiedNameProblems,
} from "../../meta/names.ts";
import { canonicalQuantity } from "../../meta/quantity.ts";

export function validateEnv(env: readonly EnvVar[], path: string): FieldError[] {
  return env.flatMap((variable, position) => {
    const at = index(path, position);
    return [
      ...checkRequiredName(child(at, "name"), variable.name, environmentVariableNameProblems),
      ...validateValueFrom(variable, child(at, "valueFrom")),
    ];
  });
}

export function validateEnvFrom(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return sources.flatMap((source, position) => {
    const at = index(path, position);
    const errors =
      source.prefix === undefined ? [] : checkName(child(at, "prefix"), source.prefix, environmentVariableNameProblems);
    for (const field of ["configMapRef", "secretRef"] as const) {
      const reference = source[field];
      if (reference === undefined) continue;
      errors.push(...checkRequiredName(child(at, field, "name"), reference.name, dns1123SubdomainProblems));
    }
    const count = Number(source.configMapRef !== undefined) + Number(source.secretRef !== undefined);
    // Upstream names the list here, not its element.
    if (count === 0) errors.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    if (count > 1) errors.push(invalid(path, "", "may not have more than one field specified at a time"));
    return errors;
  });
}

/** What a volume may show of its Pod. */
export const volumeFieldPaths = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

/** What a variable may show of its Pod. */
const environmentFieldPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

/** Every path that names a field somewhere in the API; anything else is not even understood. */
const knownFieldPaths: ReadonlySet<string> = new Set([
  ...volumeFieldPaths,
  ...environmentFieldPaths,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);

function validateValueFrom({ value, valueFrom }: EnvVar, path: string): FieldError[] {
  if (valueFrom === undefined) return [];
  const errors = sourceErrors(valueFrom, path);
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (source) => source !== undefined,
  ).length;
  if (count === 0) {
    const text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
    errors.push(invalid(path, "", text));
  } else if (value !== undefined && value !== "") {
    errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  } else if (count > 1) {
    errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  }
  return errors;
}

function sourceErrors(source: EnvVarSource, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (source.fieldRef !== undefined) {
    errors.push(...validateFieldRef(source.fieldRef, environmentFieldPaths, child(path, "fieldRef")));
  }
  if (source.resourceFieldRef !== undefined) {
    errors.push(
      ...validateResourceFieldRef(source.resourceFieldRef, child(path, "resourceFieldRef"), { inVolume: false }),
    );
  }
  for (const field of ["configMapKeyRef", "secretKeyRef"] as const) {
    const reference = source[field];
    if (reference === undefined) continue;
    errors.push(...checkName(child(path, field, "name"), reference.name ?? "", dns1123SubdomainProblems));
    errors.push(...checkRequiredName(child(path, field, "key"), reference.key, configMapKeyProblems));
  }
  return errors;
}

/** Checks a reference to a field of the Pod; `allowed` in alphabetical order. */
export function validateFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  allowed: readonly string[],
  path: string,
): FieldError[] {
  const missing = [
    ...checkPresent(child(path, "apiVersion"), apiVersion),
    ...checkPresent(child(path, "fieldPath"), fieldPath),
  ].slice(0, 1);
  if (missing.length > 0) return missing;
  const at = child(path, "fieldPath");
  if (apiVersion !== "v1") {
    return [invalid(at, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)];
  }
  const subscripted = /^(.+?)\['(.*)'\]$/s.exec(fieldPath);
  if (subscripted !== null) return subscriptErrors(subscripted[1] ?? "", subscripted[2] ?? "", fieldPath, path);
  // The oldest clients called the node so.
  const field = fieldPath === "spec.host" ? "spec.nodeName" : fieldPath;
  if (!knownFieldPaths.has(field)) {
    return [invalid(at, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
  }
  return allowed.includes(field) ? [] : [notSupported(at, field, allowed)];
}

function subscriptErrors(base: string, subscript: string, fieldPath: string, path: string): FieldError[] {
  switch (base) {
    case "metadata.annotations":
      return checkName(path, subscript.toLowerCase(), qualifiedNameProblems);
    case "metadata.labels":
      return checkName(path, subscript, qualifiedNameProblems);
    default: {
      const text = `error converting fieldPath: field label does not support subscript: ${fieldPath}`;
      return [invalid(child(path, "fieldPath"), fieldPath, text)];
    }
  }
}

const resourceFields = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const hugePagesField = /^(?:limits|requests)\.hugepages-/;

/** Checks a reference to a container's resources. In a volume it must say of which container. */
export function validateResourceFieldRef(
  { containerName, resource, divisor }: ResourceFieldSelector,
  path: string,
  { inVolume }: { readonly inVolume: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  if (inVolume && (containerName ?? "") === "") errors.push(required(child(path, "containerName")));
  else if (resource === "") errors.push(required(child(path, "resource")));
  else if (!resourceFields.includes(resource) && !hugePagesField.test(resource)) {
    errors.push(notSupported(child(path, "resource"), resource, resourceFields));
  }
  return [...errors, ...divisorErrors(resource, divisor, path)];
}

const byteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

function divisorErrors(resource: string, divisor: string | undefined, path: string): FieldError[] {
  const canonical = canonicalQuantity(divisor ?? "0");
  if (canonical === "0") return [];
  const kind = hugePagesField.test(resource) ? "hugepages" : resource.slice(resource.indexOf(".") + 1);
  const { allowed, words } = divisorsOf(kind);
  if (allowed === undefined || allowed.includes(canonical)) return [];
  return [invalid(child(path, "divisor"), resource, `only divisor's values ${words}`)];
}

function divisorsOf(kind: string): { readonly allowed?: readonly string[]; readonly words?: string } {
  switch (kind) {
    case "cpu":
      return { allowed: ["1m", "1"], words: "1m and 1 are supported with the cpu resource" };
    case "memory":
    case "hugepages":
      return { allowed: byteDivisors, words: `${byteDivisors.join(", ")} are supported with the ${kind} resource` };
    case "ephemeral-storage":
      return {
        allowed: byteDivisors,
        words: `${byteDivisors.join(", ")} are supported with the local ephemeral storage resource`,
      };
    default:
      return {};
  }
}
