// The claims that a Pod uses: those that it names, and those that are made for it (pod-lifecycle 14.6).

import type { PersistentVolumeClaim, Pod, Volume } from "../../generated/core-v1.ts";

export interface UsedClaim {
  readonly volume: Volume;
  readonly claimName: string;
  /** Made from a template in the Pod, owned by it and gone with it. */
  readonly isEphemeral: boolean;
  /** The Pod wants to read only. */
  readonly readOnly: boolean;
}

export function claimsOfPod({ metadata, spec }: Pick<Pod, "metadata" | "spec">): readonly UsedClaim[] {
  return (spec.volumes ?? []).flatMap((volume): UsedClaim[] => {
    const { persistentVolumeClaim: source, ephemeral } = volume;
    if (source !== undefined) {
      return [{ volume, claimName: source.claimName, isEphemeral: false, readOnly: source.readOnly === true }];
    }
    if (ephemeral === undefined) return [];
    return [{ volume, claimName: ephemeralClaimName(metadata.name, volume.name), isEphemeral: true, readOnly: false }];
  });
}

export function ephemeralClaimName(podName: string, volumeName: string): string {
  return `${podName}-${volumeName}`;
}

/** Why a claim that has an ephemeral volume's name is not that volume's; `undefined` if it is. */
export function foreignClaim(claim: PersistentVolumeClaim, pod: Pick<Pod, "metadata">): string | undefined {
  const { name, namespace, ownerReferences = [] } = claim.metadata;
  if (ownerReferences.some(({ uid, controller }) => uid === pod.metadata.uid && controller === true)) return undefined;
  return `PVC ${namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
}
