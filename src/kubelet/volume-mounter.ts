// Brings a Pod's volumes onto the node's disk and takes them away again (pod-lifecycle 4.2.7).

import type { Pod, Volume } from "../api/generated/core-v1.ts";
import { millis, type Millis, minutes, seconds } from "../base/time.ts";
import type { ApiObjects } from "./api-objects.ts";
import { ClaimedVolumeError, claimedVolume } from "./claimed-volume.ts";
import { bytes } from "./container-resources.ts";
import { allocatableOf, errorText, type KubeletParts, nodeIps } from "./kubelet-parts.ts";
import type { VolumePath, VolumePaths } from "./mounts.ts";
import { namespaceOf } from "./pod-containers.ts";
import { podEvent } from "./pod-events.ts";
import { projectVolume, type VolumeKind, volumeKind, volumeObjects } from "./volumes.ts";

/** The wait after the first failure of a volume; doubles up to the longest. */
const firstRetry = millis(500);
const longestRetry = (minutes(2) + seconds(2)) as Millis;
/** How long one sync waits for its volumes. */
const patience = (minutes(2) + seconds(3)) as Millis;

export class VolumeMounter {
  readonly #parts: KubeletParts;
  readonly #objects: ApiObjects;

  constructor(parts: KubeletParts, objects: ApiObjects) {
    this.#parts = parts;
    this.#objects = objects;
  }

  /**
   * Mounts what is not mounted and brings contents up to date; a volume that fails is tried again until the sync's patience is over, each
   * failure telling an event. @throws Error when time is up
   */
  async mountAll(pod: Pod, signal: AbortSignal): Promise<VolumePaths> {
    const { clock } = this.#parts;
    const deadline = clock.now() + patience;
    const mounted = new Map<string, VolumePath>();
    let wait: Millis = firstRetry;
    for (;;) {
      const missing = (pod.spec.volumes ?? []).filter((volume) => !mounted.has(volume.name));
      await Promise.all(missing.map((volume) => this.#tryMount(pod, volume, mounted)));
      if (mounted.size === (pod.spec.volumes ?? []).length) return mounted;
      signal.throwIfAborted();
      if (clock.now() + wait > deadline) throw this.#timedOut(pod, mounted);
      await clock.sleep(wait, signal);
      wait = Math.min(wait * 2, longestRetry) as Millis;
    }
  }

  /** Takes the Pod's volumes away; what lies on the host stays. */
  async unmountAll(uid: string): Promise<void> {
    await this.#parts.filesystem.remove(`${this.#parts.paths.pod(uid)}/volumes`);
  }

  /** Whether contents may change while the Pod runs. */
  hasChangingContents(pod: Pod): boolean {
    return (pod.spec.volumes ?? []).some((volume) => volumeKind(volume, pod.metadata.name).kind === "projected");
  }

  async #tryMount(pod: Pod, volume: Volume, mounted: Map<string, VolumePath>): Promise<void> {
    try {
      mounted.set(volume.name, await this.#mount(pod, volume.name, volumeKind(volume, pod.metadata.name)));
    } catch (error) {
      const message =
        error instanceof ClaimedVolumeError
          ? error.message
          : `MountVolume.SetUp failed for volume "${volume.name}" : ${errorText(error)}`;
      podEvent(this.#parts.recorder, pod, "Warning", "FailedMount", message);
    }
  }

  async #mount(pod: Pod, name: string, kind: VolumeKind): Promise<VolumePath> {
    const { filesystem, paths } = this.#parts;
    const { uid } = pod.metadata;
    switch (kind.kind) {
      case "emptyDir": {
        const hostPath = paths.volume(uid, "empty-dir", name);
        const isNew = (await filesystem.kindOf(hostPath)) === undefined;
        if (isNew) {
          await filesystem.makeDirectory(hostPath, 0o777);
          if (kind.memory)
            await filesystem.mountMemory(hostPath, kind.sizeLimit === undefined ? undefined : bytes(kind.sizeLimit));
          await this.#setGroup(pod, hostPath);
        }
        return { hostPath, readonly: false, makesSubPaths: true };
      }
      case "hostPath":
        await this.#checkHostPath(kind.path, kind.type);
        return { hostPath: kind.path, readonly: false, makesSubPaths: true };
      case "projected": {
        const hostPath = paths.volume(uid, kind.plugin, name);
        const wanted = volumeObjects(kind.sources);
        const namespace = namespaceOf(pod);
        const [configMaps, secrets, tokens] = await Promise.all([
          this.#objects.configMaps(namespace, wanted.configMaps),
          this.#objects.secrets(namespace, wanted.secrets),
          this.#objects.tokens(pod, wanted.tokens),
        ]);
        const sources = {
          configMaps,
          secrets,
          tokens,
          addresses: { hostIPs: nodeIps(this.#parts.node), podIPs: (pod.status.podIPs ?? []).map(({ ip }) => ip) },
          allocatable: allocatableOf(this.#parts.node),
        };
        const files = projectVolume(pod, kind.sources, kind.defaultMode, sources);
        await filesystem.makeDirectory(hostPath, 0o777);
        await filesystem.projectFiles(hostPath, files);
        await this.#setGroup(pod, hostPath);
        return { hostPath, readonly: true, makesSubPaths: false };
      }
      case "claim": {
        const found = await claimedVolume(pod, name, kind, this.#parts);
        if (found.type !== undefined) await this.#checkHostPath(found.path, found.type);
        // A folder of the machine is not the Pod's to give to a group; a local volume is.
        else if (!kind.readOnly) await this.#setGroup(pod, found.path);
        return { hostPath: found.path, readonly: kind.readOnly, makesSubPaths: !kind.readOnly };
      }
      case "unsupported":
        throw new Error(
          `volumes of kind ${kind.source} are not supported by this node; use emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim or ephemeral`,
        );
    }
  }

  async #setGroup(pod: Pod, path: string): Promise<void> {
    const { fsGroup } = pod.spec.securityContext;
    if (fsGroup !== undefined) await this.#parts.filesystem.setGroup(path, fsGroup);
  }

  /** Upstream's rules for `hostPath.type`; the empty type checks nothing. */
  async #checkHostPath(path: string, type: string): Promise<void> {
    const { filesystem } = this.#parts;
    if (type === "") return;
    const found = await filesystem.kindOf(path);
    if (type === "DirectoryOrCreate" && found === undefined) return filesystem.makeDirectory(path, 0o755);
    if (type === "FileOrCreate" && found === undefined) return filesystem.writeFile(path, new Uint8Array(), 0o644);
    const [wanted, text] = hostPathTypes.get(type) ?? [undefined, type];
    if (found !== wanted) throw new Error(`hostPath type check failed: ${path} is not ${text}`);
  }

  #timedOut(pod: Pod, mounted: ReadonlyMap<string, VolumePath>): Error {
    const unmounted = (pod.spec.volumes ?? [])
      .filter((volume) => !mounted.has(volume.name))
      .map((volume) => volume.name);
    return new Error(
      `unmounted volumes=[${unmounted.join(" ")}], unattached volumes=[], failed to process volumes=[]: context deadline exceeded`,
    );
  }
}

const hostPathTypes: ReadonlyMap<string, readonly [kind: string, text: string]> = new Map([
  ["DirectoryOrCreate", ["directory", "a directory"]],
  ["Directory", ["directory", "a directory"]],
  ["FileOrCreate", ["file", "a file"]],
  ["File", ["file", "a file"]],
  ["Socket", ["socket", "a socket file"]],
  ["CharDevice", ["characterDevice", "a character device"]],
  ["BlockDevice", ["blockDevice", "a block device"]],
]);
