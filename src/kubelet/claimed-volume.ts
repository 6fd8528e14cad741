// From a claim to the folder behind it (pod-lifecycle 4.2.7, 14): asked anew for each Pod, because what is bound decides.

import { foreignClaim } from "../api/core/v1/pod-claims.ts";
import { isReachableFrom } from "../api/core/v1/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../api/generated/core-v1.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import { namespaceOf } from "./pod-containers.ts";
import type { VolumeKind } from "./volumes.ts";

/** A failure whose message is the whole text of the event. */
export class ClaimedVolumeError extends Error {
  override readonly name = "ClaimedVolumeError";
}

export interface ClaimedVolume {
  /** Absolute, on this node. */
  readonly path: string;
  /** What a hostPath must be; absent for a local volume. */
  readonly type?: string;
}

/**
 * @param name the Pod's name for the volume
 * @throws ClaimedVolumeError with upstream's text for FailedMount
 */
export async function claimedVolume(
  pod: Pod,
  name: string,
  claimed: VolumeKind & { readonly kind: "claim" },
  parts: KubeletParts,
): Promise<ClaimedVolume> {
  const volume = await boundVolume(pod, name, claimed, parts);
  const { name: volumeName } = volume.metadata;
  const { node, filesystem } = parts;
  if (!isReachableFrom(volume, { metadata: { name: node.name, labels: node.labels } })) {
    throw new ClaimedVolumeError(
      `MountVolume.NodeAffinity check failed for volume "${volumeName}" : no matching NodeSelectorTerms`,
    );
  }
  const { hostPath, local } = volume.spec;
  if (hostPath !== undefined) return { path: hostPath.path, type: hostPath.type };
  if (local === undefined) {
    throw new ClaimedVolumeError(
      `MountVolume.SetUp failed for volume "${volumeName}" : only local and hostPath volumes are served`,
    );
  }
  if ((await filesystem.kindOf(local.path)) === undefined) {
    throw new ClaimedVolumeError(
      `MountVolume.NewMounter initialization failed for volume "${volumeName}" : path "${local.path}" does not exist`,
    );
  }
  return { path: local.path };
}

async function boundVolume(
  pod: Pod,
  name: string,
  { claimName, isEphemeral }: VolumeKind & { readonly kind: "claim" },
  { client }: KubeletParts,
): Promise<PersistentVolume> {
  const namespace = namespaceOf(pod);
  const failed = (why: string): ClaimedVolumeError =>
    new ClaimedVolumeError(
      `Unable to attach or mount volumes: unmounted volumes=[${name}], unattached volumes=[], failed to process volumes=[${name}]: ` +
        `error processing PVC ${namespace}/${claimName}: ${why}`,
    );
  let claim: PersistentVolumeClaim;
  try {
    claim = await client.persistentVolumeClaims.get(claimName, namespace);
  } catch (error) {
    throw failed(`failed to fetch PVC from API server: ${errorText(error)}`);
  }
  const foreign = isEphemeral ? foreignClaim(claim, pod) : undefined;
  if (foreign !== undefined) throw failed(foreign);
  const { volumeName = "" } = claim.spec;
  if (claim.status.phase !== "Bound" || volumeName === "") throw failed("PVC is not bound");
  let volume: PersistentVolume;
  try {
    volume = await client.persistentVolumes.get(volumeName);
  } catch (error) {
    throw failed(`failed to fetch PV ${volumeName} from API server: ${errorText(error)}`);
  }
  if (volume.spec.claimRef?.uid !== claim.metadata.uid) throw failed(`PV ${volumeName} is not bound to this PVC`);
  return volume;
}
