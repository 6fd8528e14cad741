// What a container sees of the host's files.

import type { Container, EphemeralContainer, VolumeMount } from "../api/generated/core-v1.ts";
import type { Mount } from "../runtimes/runtime-service.ts";
import type { Variable } from "./environment.ts";
import { expandStrictly } from "./expand.ts";

/** Where the volumes of the Pod are on the host, by name. */
export type VolumePaths = ReadonlyMap<string, VolumePath>;

export interface VolumePath {
  readonly hostPath: string;
  /** Containers may not write there whatever they ask for: contents that the kubelet projects. */
  readonly readonly: boolean;
  /** Folders of a sub path are made if they are missing. */
  readonly makesSubPaths: boolean;
}

/** One mount of a volume, before its sub path is known to exist. */
export interface VolumeMountPlan {
  readonly mount: Mount;
  /** Relative to the volume; empty if the whole volume is mounted. */
  readonly subPath: string;
  readonly volume: VolumePath;
}

/** @throws Error with the text for CreateContainerConfigError */
export function planVolumeMounts(
  container: Container | EphemeralContainer,
  volumes: VolumePaths,
  variables: readonly Variable[],
): readonly VolumeMountPlan[] {
  return (container.volumeMounts ?? []).map((mount) => {
    const volume = volumes.get(mount.name);
    if (volume === undefined) {
      throw new Error(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    }
    const subPath = subPathOf(mount, variables);
    return {
      mount: {
        containerPath: absolute(mount.mountPath),
        hostPath: subPath === "" ? volume.hostPath : `${volume.hostPath}/${subPath}`,
        readonly: mount.readOnly === true || volume.readonly,
        propagation: mount.mountPropagation ?? "None",
      },
      subPath,
      volume,
    };
  });
}

/** Whether the container brings its own file for this path. */
export function mountsOver(container: Container | EphemeralContainer, path: string): boolean {
  return (container.volumeMounts ?? []).some((mount) => mount.mountPath.replace(/\/+$/, "") === path);
}

function subPathOf(mount: VolumeMount, variables: readonly Variable[]): string {
  const byName = new Map(variables.map(({ key, value }) => [key, value]));
  const expression = mount.subPathExpr ?? "";
  const subPath = expression === "" ? (mount.subPath ?? "") : expandStrictly(expression, (name) => byName.get(name));
  if (subPath.startsWith("/")) throw new Error(`error SubPath \`${subPath}\` must not be an absolute path`);
  if (subPath.split("/").includes(".."))
    throw new Error(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
  return subPath
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** Upstream reads a relative mount path from the root. */
function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
