// Volumes and where containers mount them (pod-lifecycle 15.2). Kinds of volume that this server refuses (pod-support.ts) are only counted here.

import type {
  Container,
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  Volume,
  VolumeDevice,
  VolumeMount,
  VolumeProjection,
} from "../../generated/core-v1.ts";
import { checkName, checkOneOf, checkPresent } from "../../meta/field-checks.ts";
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notFound,
  required,
} from "../../meta/field-errors.ts";
import { dns1123LabelProblems } from "../../meta/names.ts";
import { compareQuantities, parseQuantity, zeroQuantity } from "../../meta/quantity.ts";
import { validateClaimSpec } from "./volume-claim-spec.ts";
import { validateFieldRef, validateResourceFieldRef, volumeFieldPaths } from "./validate-env.ts";
import { validateDescendingPath, validateNoBacksteps, validateNonReservedPath } from "./validate-paths.ts";

/** The volumes that are good, by name, for those who mount them. */
export type VolumesByName = ReadonlyMap<string, Volume>;

export function validateVolumes(
  volumes: readonly Volume[],
  path: string,
): { readonly errors: FieldError[]; readonly byName: VolumesByName } {
  const errors: FieldError[] = [];
  const byName = new Map<string, Volume>();
  volumes.forEach((volume, position) => {
    const at = index(path, position);
    const name = child(at, "name");
    const found = [
      ...validateSource(volume, at),
      ...(volume.name === "" ? [required(name)] : checkName(name, volume.name, dns1123LabelProblems)),
      ...(byName.has(volume.name) ? [duplicate(name, volume.name)] : []),
    ];
    if (found.length === 0) byName.set(volume.name, volume);
    errors.push(...found);
  });
  return { errors, byName };
}

/** Exactly one source. They are looked at in upstream's order, so that of several the same one is the first. */
function validateSource(volume: Volume, path: string): FieldError[] {
  const fields = sourceOrder.filter((field) => volume[field] !== undefined);
  const [first, ...others] = fields;
  if (first === undefined) return [required(path, "must specify a volume type")];
  return [
    ...validateContent(volume, path),
    ...others.map((field) => forbidden(child(path, field), "may not specify more than 1 volume type")),
  ];
}

type VolumeField = Exclude<keyof Volume, "name">;

const sourceOrder: readonly VolumeField[] = [
  "emptyDir",
  "hostPath",
  "gitRepo",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "secret",
  "nfs",
  "iscsi",
  "glusterfs",
  "flocker",
  "persistentVolumeClaim",
  "rbd",
  "cinder",
  "cephfs",
  "quobyte",
  "downwardAPI",
  "fc",
  "flexVolume",
  "configMap",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "storageos",
  "projected",
  "scaleIO",
  "csi",
  "ephemeral",
  "image",
];

function validateContent(volume: Volume, path: string): FieldError[] {
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, persistentVolumeClaim, ephemeral } = volume;
  const errors: FieldError[] = [];
  if (emptyDir?.sizeLimit !== undefined && compareQuantities(parseQuantity(emptyDir.sizeLimit), zeroQuantity) < 0) {
    const text = "SizeLimit field must be a valid resource quantity";
    errors.push(forbidden(child(path, "emptyDir", "sizeLimit"), text));
  }
  if (hostPath !== undefined) errors.push(...validateHostPath(hostPath, child(path, "hostPath")));
  if (secret !== undefined) {
    const at = child(path, "secret");
    errors.push(...checkPresent(child(at, "secretName"), secret.secretName));
    errors.push(...validateMode(secret.defaultMode, child(at, "defaultMode")), ...validateItems(secret.items, at));
  }
  if (configMap !== undefined) {
    const at = child(path, "configMap");
    errors.push(...checkPresent(child(at, "name"), configMap.name));
    errors.push(
      ...validateMode(configMap.defaultMode, child(at, "defaultMode")),
      ...validateItems(configMap.items, at),
    );
  }
  if (downwardAPI !== undefined) {
    const at = child(path, "downwardAPI");
    errors.push(...validateMode(downwardAPI.defaultMode, child(at, "defaultMode")));
    for (const file of downwardAPI.items ?? []) errors.push(...validateDownwardFile(file, at));
  }
  if (projected !== undefined) errors.push(...validateProjected(projected, child(path, "projected")));
  if (persistentVolumeClaim !== undefined) {
    errors.push(...checkPresent(child(path, "persistentVolumeClaim", "claimName"), persistentVolumeClaim.claimName));
  }
  if (ephemeral !== undefined) {
    const at = child(path, "ephemeral", "volumeClaimTemplate");
    const template = ephemeral.volumeClaimTemplate;
    errors.push(...(template === undefined ? [required(at)] : validateClaimSpec(template.spec, child(at, "spec"))));
  }
  return errors;
}

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

export function validateHostPath(source: NonNullable<Volume["hostPath"]>, path: string): FieldError[] {
  if (source.path === "") return [required(child(path, "path"))];
  return [
    ...validateNoBacksteps(source.path, child(path, "path")),
    ...checkOneOf(child(path, "type"), source.type, hostPathTypes),
  ];
}

function validateMode(mode: number | undefined, path: string): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

function validateItems(items: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap(({ key, path: file, mode }, position) => {
    const at = index(child(path, "items"), position);
    return [
      ...checkPresent(child(at, "key"), key),
      ...checkPresent(child(at, "path"), file),
      ...validateNonReservedPath(file, child(at, "path")),
      ...validateMode(mode, child(at, "mode")),
    ];
  });
}

function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef } = file;
  const errors = [
    ...checkPresent(child(path, "path"), file.path),
    ...validateNonReservedPath(file.path, child(path, "path")),
  ];
  if (fieldRef !== undefined) {
    errors.push(...validateFieldRef(fieldRef, volumeFieldPaths, child(path, "fieldRef")));
    if (resourceFieldRef !== undefined) {
      const text = "fieldRef and resourceFieldRef can not be specified simultaneously";
      errors.push(invalid(path, "resource", text));
    }
  } else if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceFieldRef(resourceFieldRef, child(path, "resourceFieldRef"), { inVolume: true }));
  } else {
    errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  }
  return [...errors, ...validateMode(file.mode, child(path, "mode"))];
}

function validateProjected(projected: ProjectedVolumeSource, path: string): FieldError[] {
  const paths = new Set<string>();
  const claim = (file: string, shown: string): FieldError[] => {
    if (file === "" || !paths.has(file)) {
      paths.add(file);
      return [];
    }
    return [invalid(path, shown, "conflicting duplicate paths")];
  };
  return [
    ...validateMode(projected.defaultMode, child(path, "defaultMode")),
    ...(projected.sources ?? []).flatMap((source, position) =>
      validateProjection(source, index(child(path, "sources"), position), path, claim),
    ),
  ];
}

type ClaimPath = (file: string, shown: string) => FieldError[];

function validateProjection(
  source: VolumeProjection,
  path: string,
  volumePath: string,
  claim: ClaimPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ["secret", "configMap"] as const) {
    const projection = source[field];
    if (projection === undefined) continue;
    const { name = "", items = [] } = projection;
    errors.push(...checkPresent(child(path, field, "name"), name), ...validateItems(items, child(path, field)));
    for (const item of items) errors.push(...claim(item.path, name));
  }
  for (const file of source.downwardAPI?.items ?? []) {
    errors.push(...validateDownwardFile(file, child(path, "downwardAPI")), ...claim(file.path, file.path));
  }
  const token = source.serviceAccountToken;
  if (token !== undefined) {
    errors.push(...validateToken(token, child(path, "serviceAccountToken"), volumePath));
  }
  const count = Object.values(source).filter((projection) => projection !== undefined).length;
  if (count > 1) errors.push(forbidden(path, "may not specify more than 1 volume type per source"));
  return errors;
}

const shortestTokenSeconds = 600;
const longestTokenSeconds = 2 ** 32;

function validateToken(
  { path: file, expirationSeconds }: NonNullable<VolumeProjection["serviceAccountToken"]>,
  path: string,
  volumePath: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = child(path, "expirationSeconds");
  if (expirationSeconds < shortestTokenSeconds) {
    errors.push(invalid(at, expirationSeconds, "may not specify a duration less than 10 minutes"));
  }
  if (expirationSeconds > longestTokenSeconds) {
    errors.push(invalid(at, expirationSeconds, "may not specify a duration larger than 2^32 seconds"));
  }
  // Upstream names the volume here, not the source.
  const filePath = child(volumePath, "path");
  return [...errors, ...(file === "" ? [required(filePath)] : validateNonReservedPath(file, filePath))];
}

/** Checks a container's mounts against the Pod's volumes. */
export function validateVolumeMounts(container: Container, volumes: VolumesByName, path: string): FieldError[] {
  const mountPaths = new Set<string>();
  const devices = container.volumeDevices ?? [];
  return (container.volumeMounts ?? []).flatMap((mount, position) => {
    const at = index(path, position);
    const errors = [
      ...checkPresent(child(at, "name"), mount.name),
      ...(volumes.has(mount.name) ? [] : [notFound(child(at, "name"), mount.name)]),
      ...checkPresent(child(at, "mountPath"), mount.mountPath),
    ];
    if (mountPaths.has(mount.mountPath))
      errors.push(invalid(child(at, "mountPath"), mount.mountPath, "must be unique"));
    mountPaths.add(mount.mountPath);
    if (devices.some(({ name }) => name === mount.name)) {
      errors.push(invalid(child(at, "name"), mount.name, "must not already exist in volumeDevices"));
    }
    if (devices.some(({ devicePath }) => devicePath === mount.mountPath)) {
      const text = "must not already exist as a path in volumeDevices";
      errors.push(invalid(child(at, "mountPath"), mount.mountPath, text));
    }
    return [...errors, ...validateMountOptions(mount, container, at, path)];
  });
}

const propagations = ["Bidirectional", "HostToContainer", "None"];
const recursiveReadOnlyModes = ["Disabled", "Enabled", "IfPossible"];

/** Upstream names the list of mounts, not the mount, in most of these errors. */
function validateMountOptions(mount: VolumeMount, container: Container, at: string, list: string): FieldError[] {
  const { subPath, subPathExpr, mountPropagation, recursiveReadOnly } = mount;
  const errors = subPath === undefined ? [] : validateDescendingPath(subPath, child(list, "subPath"));
  if (subPathExpr !== undefined) {
    if (subPath !== undefined) {
      const text = "subPathExpr and subPath are mutually exclusive";
      errors.push(invalid(child(at, "subPathExpr"), subPathExpr, text));
    }
    errors.push(...validateDescendingPath(subPathExpr, child(list, "subPathExpr")));
  }
  const propagationPath = child(list, "mountPropagation");
  errors.push(...checkOneOf(propagationPath, mountPropagation, propagations));
  if (mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
    const text = "Bidirectional mount propagation is available only to privileged containers";
    errors.push(forbidden(propagationPath, text));
  }
  const recursivePath = child(list, "recursiveReadOnly");
  errors.push(...checkOneOf(recursivePath, recursiveReadOnly, recursiveReadOnlyModes));
  if (recursiveReadOnly === "Enabled" || recursiveReadOnly === "IfPossible") {
    if (mount.readOnly !== true) errors.push(forbidden(recursivePath, "may only be specified when readOnly is true"));
    if (mountPropagation !== undefined && mountPropagation !== "None") {
      const text = "may only be specified when mountPropagation is None or not specified";
      errors.push(forbidden(recursivePath, text));
    }
  }
  return errors;
}

/** Checks the raw devices that a container asks for. */
export function validateVolumeDevices(
  devices: readonly VolumeDevice[],
  mounts: readonly VolumeMount[],
  volumes: VolumesByName,
  path: string,
): FieldError[] {
  const names = new Set<string>();
  const paths = new Set<string>();
  return devices.flatMap(({ name, devicePath }, position) => {
    const at = index(path, position);
    const volume = volumes.get(name);
    const errors = checkPresent(child(at, "name"), name);
    if (names.has(name)) errors.push(invalid(child(at, "name"), name, "must be unique"));
    if (volume === undefined) errors.push(notFound(child(at, "name"), name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      errors.push(invalid(child(at, "name"), name, text));
    }
    errors.push(...checkPresent(child(at, "devicePath"), devicePath));
    if (paths.has(devicePath)) errors.push(invalid(child(at, "devicePath"), devicePath, "must be unique"));
    if (devicePath.split("/").includes("..")) {
      errors.push(invalid(child(at, "devicePath"), devicePath, "can not contain backsteps ('..')"));
    }
    if (mounts.some((mount) => mount.name === name)) {
      errors.push(invalid(child(at, "name"), name, "must not already exist in volumeMounts"));
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      errors.push(invalid(child(at, "devicePath"), devicePath, "must not already exist as a path in volumeMounts"));
    }
    names.add(name);
    paths.add(devicePath);
    return errors;
  });
}
