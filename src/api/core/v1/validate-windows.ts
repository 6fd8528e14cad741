// A Pod that names its operating system may not set what only the other one has (pod-lifecycle 15.2).

import type { PodSecurityContext, PodSpec, SecurityContext } from "../../generated/core-v1.ts";
import { child, type FieldError, forbidden, index } from "../../meta/field-errors.ts";

/** Checks a spec whose `os.name` is linux or windows. */
export function validateWindowsRules(spec: PodSpec, path: string): FieldError[] {
  return spec.os?.name === "windows" ? validateForWindows(spec, path) : validateForLinux(spec, path);
}

function validateForLinux(spec: PodSpec, path: string): FieldError[] {
  const text = "windows options cannot be set for a linux pod";
  const contexts: [SecurityContext | PodSecurityContext | undefined, string][] = [
    [spec.securityContext, child(path, "securityContext")],
    ...securityContextsOf(spec, path),
  ];
  return contexts
    .filter(([context]) => context?.windowsOptions !== undefined)
    .map(([, at]) => forbidden(child(at, "windowsOptions"), text));
}

const podFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;

const containerFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

const namespaceFields = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] as const;

function validateForWindows(spec: PodSpec, path: string): FieldError[] {
  const text = "cannot be set for a windows pod";
  const shared = namespaceFields
    .filter((field) => spec[field] !== undefined)
    .map((field) => forbidden(child(path, field), text));
  const own = podFields
    .filter((field) => spec.securityContext[field] !== undefined)
    .map((field) => forbidden(child(path, "securityContext", field), text));
  const contained = securityContextsOf(spec, path).flatMap(([context, at]) =>
    containerFields.filter((field) => context?.[field] !== undefined).map((field) => forbidden(child(at, field), text)),
  );
  return [...shared, ...own, ...contained];
}

function securityContextsOf(spec: PodSpec, path: string): [SecurityContext | undefined, string][] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, position): [SecurityContext | undefined, string] => [
      container.securityContext,
      child(index(child(path, field), position), "securityContext"),
    ]),
  );
}
