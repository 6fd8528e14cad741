// The four kinds of containers (pod-lifecycle 9.1, 9.3, 15.2).

import type { Container, ContainerPort, EphemeralContainer, PodSpec } from "../../generated/core-v1.ts";
import { checkName, checkPresent, checkRequiredName, checkRequiredOneOf } from "../../meta/field-checks.ts";
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notFound,
  notSupported,
  required,
} from "../../meta/field-errors.ts";
import { dns1123LabelProblems, portNameProblems, portNumberProblems } from "../../meta/names.ts";
import { isSidecar } from "./pod-requests.ts";
import { validateEnv, validateEnvFrom } from "./validate-env.ts";
import { forbidHandlers, validateHandlers } from "./validate-handlers.ts";
import { validateContainerResources } from "./validate-resources.ts";
import { validateSecurityContext } from "./validate-security-context.ts";
import { validateVolumeDevices, validateVolumeMounts, type VolumesByName } from "./validate-volumes.ts";

/** What the checks of one container need of its Pod. */
export interface ContainerSurroundings {
  readonly spec: PodSpec;
  readonly volumes: VolumesByName;
  readonly claimNames: ReadonlySet<string>;
}

/** Regular containers: at least one, each with a name of its own. */
export function validateContainers(pod: ContainerSurroundings, path: string): FieldError[] {
  const { containers, terminationGracePeriodSeconds: grace } = pod.spec;
  if (containers.length === 0) return [required(path)];
  const names = new Set<string>();
  const errors = containers.flatMap((container, position) => {
    const at = index(path, position);
    const found = validateCommon(container, pod, at);
    if (names.has(container.name)) found.push(duplicate(child(at, "name"), container.name));
    names.add(container.name);
    found.push(...validateHandlers(container, grace, at));
    if (container.restartPolicy !== undefined) {
      found.push(forbidden(child(at, "restartPolicy"), "may not be set for non-init containers"));
    }
    return found;
  });
  return [...errors, ...validateHostPorts(containers, path)];
}

/** Init containers, sidecars among them; their names must differ from those of the regular ones too. */
export function validateInitContainers(pod: ContainerSurroundings, path: string): FieldError[] {
  const names = new Set(pod.spec.containers.map(({ name }) => name));
  return (pod.spec.initContainers ?? []).flatMap((container, position) => {
    const at = index(path, position);
    const found = validateCommon(container, pod, at);
    const { restartPolicy } = container;
    if (restartPolicy !== undefined && restartPolicy !== "Always") {
      found.push(notSupported(child(at, "restartPolicy"), restartPolicy, ["Always"]));
    }
    if (names.has(container.name)) found.push(duplicate(child(at, "name"), container.name));
    else if (container.name !== "") names.add(container.name);
    // They run one after another, so only the ports of one container can collide.
    found.push(...validateHostPorts([container], path));
    found.push(
      ...(isSidecar(container)
        ? validateHandlers(container, pod.spec.terminationGracePeriodSeconds, at)
        : forbidHandlers(container, at)),
    );
    if (!isSidecar(container) && (container.resizePolicy ?? []).length > 0) {
      const text = "must not be set for init containers";
      found.push(invalid(child(at, "resizePolicy"), container.resizePolicy, text));
    }
    return found;
  });
}

/** Ephemeral containers: guests that bring neither ports nor probes nor claims on resources. */
export function validateEphemeralContainers(pod: ContainerSurroundings, path: string): FieldError[] {
  const others = new Set([...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  return (pod.spec.ephemeralContainers ?? []).flatMap((container, position) => {
    const at = index(path, position);
    const found = [...validateCommon(container, pod, at), ...validateImageBlanks(container.image, at)];
    if (names.has(container.name)) found.push(duplicate(child(at, "name"), container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target !== undefined && target !== "" && !others.has(target)) {
      found.push(notFound(child(at, "targetContainerName"), target));
    }
    for (const field of forbiddenInEphemeral) {
      if (isSet(container[field])) found.push(forbidden(child(at, field), ephemeralText));
    }
    (container.volumeMounts ?? []).forEach((mount, mountPosition) => {
      const mountPath = index(child(at, "volumeMounts"), mountPosition);
      if (mount.subPath !== undefined) found.push(forbidden(child(mountPath, "subPath"), ephemeralText));
      if (mount.subPathExpr !== undefined) found.push(forbidden(child(mountPath, "subPathExpr"), ephemeralText));
    });
    return found;
  });
}

const ephemeralText = "cannot be set for an Ephemeral Container";

const forbiddenInEphemeral: readonly (keyof EphemeralContainer)[] = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
];

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return value !== undefined;
}

/** In a Pod an image has no blanks around it; templates are more patient. */
export function validateImageBlanks(image: string, containerPath: string): FieldError[] {
  if (image.trim() === image) return [];
  return [invalid(child(containerPath, "image"), image, "must not have leading or trailing whitespace")];
}

function validateCommon(container: Container, pod: ContainerSurroundings, path: string): FieldError[] {
  const { spec, volumes, claimNames } = pod;
  const mounts = container.volumeMounts ?? [];
  return [
    ...checkRequiredName(child(path, "name"), container.name, dns1123LabelProblems),
    ...checkPresent(child(path, "image"), container.image),
    ...checkRequiredOneOf(child(path, "terminationMessagePolicy"), container.terminationMessagePolicy, [
      "File",
      "FallbackToLogsOnError",
    ]),
    ...validatePorts(container.ports ?? [], child(path, "ports")),
    ...validateEnv(container.env ?? [], child(path, "env")),
    ...validateEnvFrom(container.envFrom ?? [], child(path, "envFrom")),
    ...validateVolumeMounts(container, volumes, child(path, "volumeMounts")),
    ...validateVolumeDevices(container.volumeDevices ?? [], mounts, volumes, child(path, "volumeDevices")),
    ...checkRequiredOneOf(child(path, "imagePullPolicy"), container.imagePullPolicy, [
      "Always",
      "IfNotPresent",
      "Never",
    ]),
    ...validateContainerResources(container.resources, claimNames, child(path, "resources")),
    ...validateResizePolicy(container, spec, child(path, "resizePolicy")),
    ...validateSecurityContext(
      container.securityContext,
      { hostUsers: spec.hostUsers !== false },
      child(path, "securityContext"),
    ),
  ];
}

function validatePorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, position) => {
    const at = index(path, position);
    const errors: FieldError[] = [];
    if (port.name !== undefined && port.name !== "") {
      const found = checkName(child(at, "name"), port.name, portNameProblems);
      if (found.length === 0 && names.has(port.name)) found.push(duplicate(child(at, "name"), port.name));
      names.add(port.name);
      errors.push(...found);
    }
    errors.push(
      ...(port.containerPort === 0
        ? [required(child(at, "containerPort"))]
        : portErrors(port.containerPort, child(at, "containerPort"))),
    );
    if (port.hostPort) errors.push(...portErrors(port.hostPort, child(at, "hostPort")));
    errors.push(...checkRequiredOneOf(child(at, "protocol"), port.protocol, ["SCTP", "TCP", "UDP"]));
    return errors;
  });
}

function portErrors(port: number, path: string): FieldError[] {
  return portNumberProblems(port).map((problem) => invalid(path, port, problem));
}

/** A port of the node can be taken once for each protocol and address. */
function validateHostPorts(containers: readonly Container[], path: string): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap((container, position) =>
    (container.ports ?? []).flatMap(({ hostPort, protocol, hostIP = "" }, portPosition) => {
      if (!hostPort) return [];
      const name = `${protocol}/${hostIP}/${hostPort}`;
      const again = taken.has(name);
      taken.add(name);
      if (!again) return [];
      return [duplicate(child(index(child(index(path, position), "ports"), portPosition), "hostPort"), name)];
    }),
  );
}

function validateResizePolicy(container: Container, spec: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>();
  return (container.resizePolicy ?? []).flatMap(({ resourceName, restartPolicy }, position) => {
    const errors: FieldError[] = [];
    if (seen.has(resourceName)) errors.push(duplicate(index(path, position), resourceName));
    seen.add(resourceName);
    errors.push(...checkRequiredOneOf(path, resourceName, ["cpu", "memory"]));
    errors.push(...checkRequiredOneOf(path, restartPolicy, ["NotRequired", "RestartContainer"]));
    if (spec.restartPolicy === "Never" && restartPolicy !== "NotRequired") {
      errors.push(invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
    return errors;
  });
}
