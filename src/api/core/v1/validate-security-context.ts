// Who a Pod's processes are and what they may (pod-lifecycle 15.2).

import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from "../../generated/core-v1.ts";
import { checkName, checkOneOf } from "../../meta/field-checks.ts";
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  tooLong,
} from "../../meta/field-errors.ts";
import { byteLength, dns1123SubdomainProblems, userIdProblems } from "../../meta/names.ts";
import { validateDescendingPath } from "./validate-paths.ts";

/** Checks a container's security context. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  { hostUsers }: { readonly hostUsers: boolean },
  path: string,
): FieldError[] {
  if (context === undefined) return [];
  const errors = [
    ...validateId(context.runAsUser, child(path, "runAsUser")),
    ...validateId(context.runAsGroup, child(path, "runAsGroup")),
    ...validateProcMount(context.procMount, hostUsers, child(path, "procMount")),
    ...validateSeccomp(context.seccompProfile, child(path, "seccompProfile")),
  ];
  if (context.allowPrivilegeEscalation === false) {
    const text = "cannot set `allowPrivilegeEscalation` to false and";
    if (context.privileged === true) errors.push(invalid(path, context, `${text} \`privileged\` to true`));
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      errors.push(invalid(path, context, `${text} \`capabilities.Add\` CAP_SYS_ADMIN`));
    }
  }
  errors.push(...validateWindowsOptions(context.windowsOptions, child(path, "windowsOptions")));
  errors.push(...validateAppArmor(context.appArmorProfile, child(path, "appArmorProfile")));
  return errors;
}

/** Checks the security context of the Pod as a whole, with the namespaces it shares with its node. */
export function validatePodSecurityContext(spec: PodSpec, specPath: string): FieldError[] {
  const context: PodSecurityContext = spec.securityContext;
  const path = child(specPath, "securityContext");
  const errors = [
    ...validateId(context.fsGroup, child(path, "fsGroup")),
    ...validateId(context.runAsUser, child(path, "runAsUser")),
    ...validateId(context.runAsGroup, child(path, "runAsGroup")),
    ...(context.supplementalGroups ?? []).flatMap((group, position) =>
      validateId(group, index(child(path, "supplementalGroups"), position)),
    ),
  ];
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const text = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalid(child(path, "shareProcessNamespace"), true, text));
  }
  errors.push(
    ...validateSysctls(spec, child(path, "sysctls")),
    ...checkOneOf(child(path, "fsGroupChangePolicy"), context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]),
    ...validateSeccomp(context.seccompProfile, child(path, "seccompProfile")),
    ...validateWindowsOptions(context.windowsOptions, child(path, "windowsOptions")),
    ...validateAppArmor(context.appArmorProfile, child(path, "appArmorProfile")),
    ...checkOneOf(child(path, "supplementalGroupsPolicy"), context.supplementalGroupsPolicy, ["Merge", "Strict"]),
    ...checkOneOf(child(path, "seLinuxChangePolicy"), context.seLinuxChangePolicy, ["MountOption", "Recursive"]),
  );
  return errors;
}

/** With users of its own a Pod cannot share the node's other namespaces. */
export function validateHostUsers(spec: PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  // Upstream spells two of the names like the fields of its own type.
  return [
    ...(spec.hostNetwork === true ? [forbidden(child(path, "hostNetwork"), hostUsersText)] : []),
    ...(spec.hostPID === true ? [forbidden(child(path, "HostPID"), hostUsersText)] : []),
    ...(spec.hostIPC === true ? [forbidden(child(path, "HostIPC"), hostUsersText)] : []),
  ];
}

const hostUsersText = "when `pod.Spec.HostUsers` is false";

function validateId(id: number | undefined, path: string): FieldError[] {
  return id === undefined ? [] : userIdProblems(id).map((problem) => invalid(path, id, problem));
}

function validateProcMount(procMount: string | undefined, hostUsers: boolean, path: string): FieldError[] {
  const errors = checkOneOf(path, procMount, ["Default", "Unmasked"]);
  if (hostUsers && procMount === "Unmasked") {
    errors.push(invalid(path, procMount, "`hostUsers` must be false to use `Unmasked`"));
  }
  return errors;
}

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const errors: FieldError[] = [];
  const typePath = child(path, "type");
  if (profile.type === undefined || (profile.type as string) === "") {
    errors.push(required(typePath, "type is required when seccompProfile is set"));
  } else if (!profileTypes.includes(profile.type)) {
    errors.push(notSupported(typePath, profile.type, profileTypes));
  }
  const localhost = child(path, "localhostProfile");
  if (profile.type === "Localhost") {
    if (profile.localhostProfile === undefined) {
      errors.push(required(localhost, "must be set when seccomp type is Localhost"));
    } else {
      errors.push(...validateDescendingPath(profile.localhostProfile, localhost));
    }
  } else if (profile.localhostProfile !== undefined) {
    errors.push(invalid(localhost, profile, "can only be set when seccomp type is Localhost"));
  }
  return errors;
}

/** The longest path of a profile: one less than the longest path of Linux. */
const appArmorProfileLimitBytes = 4095;

function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const localhost = child(path, "localhostProfile");
  const name = profile.localhostProfile;
  if (profile.type === undefined || (profile.type as string) === "") {
    return [required(child(path, "type"), "type is required when appArmorProfile is set")];
  }
  if (!profileTypes.includes(profile.type)) return [notSupported(child(path, "type"), profile.type, profileTypes)];
  if (profile.type !== "Localhost") {
    return name === undefined ? [] : [invalid(localhost, name, "can only be set when AppArmor type is Localhost")];
  }
  if (name === undefined || name === "") return [required(localhost, "must be set when AppArmor type is Localhost")];
  const errors = name.trim() === name ? [] : [invalid(localhost, name, "must not be padded with whitespace")];
  if (byteLength(name) > appArmorProfileLimitBytes) errors.push(tooLong(localhost, appArmorProfileLimitBytes));
  return errors;
}

const sysctlSegment = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const sysctlFormat = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`;
const sysctlName = new RegExp(`^(?:${sysctlSegment}[./])*${sysctlSegment}$`);
const sysctlNameLimit = 253;

function validateSysctls(spec: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>();
  return (spec.securityContext.sysctls ?? []).flatMap(({ name }, position) => {
    const at = child(index(path, position), "name");
    const errors: FieldError[] = [];
    if (name === "") errors.push(required(at));
    else if (name.length > sysctlNameLimit || !sysctlName.test(name)) {
      const text = `must have at most ${sysctlNameLimit} characters and match regex ${sysctlFormat}`;
      errors.push(invalid(at, name, text));
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    const shared = sharedNamespace(name, spec);
    if (shared !== undefined) errors.push(invalid(at, name, `may not be specified when '${shared}' is true`));
    seen.add(name);
    return errors;
  });
}

/** The node's namespace that a setting would change, if the Pod shares it. */
function sharedNamespace(sysctl: string, spec: PodSpec): "hostNetwork" | "hostIPC" | undefined {
  const name = sysctl.replaceAll("/", ".");
  if (spec.hostNetwork === true && name.startsWith("net.")) return "hostNetwork";
  const isIpc =
    name === "kernel.sem" || ["kernel.shm", "kernel.msg", "fs.mqueue."].some((prefix) => name.startsWith(prefix));
  return spec.hostIPC === true && isIpc ? "hostIPC" : undefined;
}

type WindowsOptions = NonNullable<SecurityContext["windowsOptions"]>;

function validateWindowsOptions(options: WindowsOptions | undefined, path: string): FieldError[] {
  if (options === undefined) return [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  const errors =
    name === undefined ? [] : checkName(child(path, "gmsaCredentialSpecName"), name, dns1123SubdomainProblems);
  if (spec === "") {
    errors.push(invalid(child(path, "gmsaCredentialSpec"), spec, "gmsaCredentialSpec cannot be an empty string"));
  }
  if (user === "") errors.push(invalid(child(path, "runAsUserName"), user, "runAsUserName cannot be an empty string"));
  return errors;
}
