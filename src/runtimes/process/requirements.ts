// What a plain process can be given and what not. Whatever a container asks for beyond that is refused with the field's name and a way out;
// nothing is left out in silence.

import type { ContainerConfig, Mount, PodSandboxConfig } from "../runtime-service.ts";
import { RuntimeUnsupportedError } from "../runtime-service.ts";

/** Where a container writes its termination message unless an annotation says otherwise. */
const defaultTerminationMessagePath = "/dev/termination-log";
const terminationMessageAnnotation = "io.kubernetes.container.terminationMessagePath";
/** Tells a container where to write its termination message when the file cannot be put at its usual path. */
export const terminationLogVariable = "LIFEPOD_TERMINATION_LOG";

const otherRuntime = "or run the Pod on a container runtime (--runtime containerd)";

/** @throws RuntimeUnsupportedError */
export function refuseUnsupportedSandbox(config: PodSandboxConfig): void {
  for (const port of config.portMappings) {
    if (port.hostPort !== 0 && port.hostPort !== port.containerPort) {
      throw new RuntimeUnsupportedError(
        `hostPort ${port.hostPort} for containerPort ${port.containerPort}: a process listens on the node's own ports; use the same number for both, ${otherRuntime}`,
      );
    }
  }
  const sysctls = Object.keys(config.sysctls ?? {});
  if (sysctls.length > 0) {
    throw new RuntimeUnsupportedError(
      `sysctls (${sysctls.join(", ")}): a process shares the node's kernel settings; set them on the node, ${otherRuntime}`,
    );
  }
}

export interface Privileges {
  /** The user that lifepod runs as. */
  readonly uid: number;
  readonly gid: number;
}

export const isRoot = (privileges: Privileges): boolean => privileges.uid === 0;

/** What is left of a container's mounts: those that have to be made. */
export interface MountPlan {
  /** Outer ones first. */
  readonly mounts: readonly Mount[];
  readonly environment: readonly { readonly key: string; readonly value: string }[];
}

/** @throws RuntimeUnsupportedError */
export function planMounts(config: ContainerConfig, privileges: Privileges): MountPlan {
  // A folder of the node at its own path is there without any mount.
  const needed = config.mounts.filter((mount) => mount.containerPath !== mount.hostPath || mount.readonly);
  for (const mount of needed) {
    if (mount.propagation !== "Bidirectional") continue;
    throw new RuntimeUnsupportedError(
      `mountPropagation Bidirectional of ${mount.containerPath}: mounts of a process do not reach the node; use HostToContainer, ${otherRuntime}`,
    );
  }
  const depth = (mount: Mount): number => mount.containerPath.split("/").filter((part) => part !== "").length;
  const mounts = needed.toSorted((a, b) => depth(a) - depth(b));
  if (isRoot(privileges)) return { mounts, environment: [] };
  const messagePath = config.annotations[terminationMessageAnnotation] ?? defaultTerminationMessagePath;
  const unmountable = mounts.find((mount) => mount.containerPath !== messagePath);
  if (unmountable !== undefined) {
    throw new RuntimeUnsupportedError(
      `volume at mountPath ${unmountable.containerPath}: only root can mount into a process's view of the files; run lifepod as root, use a hostPath volume with mountPath equal to its path and without readOnly, ${otherRuntime}`,
    );
  }
  const environment = mounts.map((mount) => ({ key: terminationLogVariable, value: mount.hostPath }));
  return { mounts: [], environment };
}

/** @throws RuntimeUnsupportedError */
export function refuseUnsupportedContainer(config: ContainerConfig, privileges: Privileges): void {
  const security = config.securityContext;
  const refuse = (field: string, why: string): never => {
    throw new RuntimeUnsupportedError(`${field}: ${why}, ${otherRuntime}`);
  };
  if (config.tty)
    refuse("tty", "a process in the background has no terminal; leave it out (kubectl run -i or debug -i, not -it)");
  if (security.seccomp?.profileType === "Localhost") {
    refuse(
      "securityContext.seccompProfile",
      "a process runs with the node's own system call rules; use RuntimeDefault",
    );
  }
  if (isRoot(privileges)) return;
  if (security.readonlyRootfs === true) {
    refuse("securityContext.readOnlyRootFilesystem", "only root can take the right to write away; run lifepod as root");
  }
  const wanted = security.capabilities;
  if (wanted !== undefined && wanted.add.length > 0) {
    refuse("securityContext.capabilities.add", "only root has capabilities to give; run lifepod as root");
  }
  if (security.privileged === true) {
    refuse("securityContext.privileged", "only root has privileges to give; run lifepod as root");
  }
}

/**
 * The whole command line of a container.
 * @param images what runs for an image, by its name in the Pod's spec; an empty list means that its arguments are what runs
 * @throws RuntimeUnsupportedError if nothing says what to run
 */
export function commandLineOf(
  config: ContainerConfig,
  images: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  if (config.command.length > 0) return [...config.command, ...config.args];
  const image = config.userSpecifiedImage;
  const commandLine = [...(mappedTo(image, images) ?? []), ...config.args];
  if (mappedTo(image, images) !== undefined && commandLine.length > 0) return commandLine;
  throw new RuntimeUnsupportedError(
    `container "${config.metadata.name}" has no command, and image "${image}" is not pulled, because containers run as processes of this machine; set "command" to a program that is installed here, say what the image stands for (--image ${shortName(image)}=COMMAND), ${otherRuntime}`,
  );
}

/** By the name as it is written, then without tag or digest, then without the registry that everybody leaves out. */
function mappedTo(image: string, images: Readonly<Record<string, readonly string[]>>): readonly string[] | undefined {
  const untagged = image.replace(/[:@][^/]*$/, "");
  return images[image] ?? images[untagged] ?? images[shortName(image)] ?? baseImages[shortName(image)];
}

const shortName = (image: string): string =>
  image.replace(/[:@][^/]*$/, "").replace(/^(docker\.io\/)?(library\/)?/, "");

/** Images that bring a system and no program of their own to start with: what a container of theirs runs is its arguments. */
const baseImages: Readonly<Record<string, readonly string[]>> = {
  alpine: [],
  busybox: [],
  debian: [],
  fedora: [],
  ubuntu: [],
};
