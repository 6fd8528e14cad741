// The claims of a StatefulSet's Pods: their names, their contents, and who takes them along when it goes (pod-lifecycle 13.4.5).

import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { controllerReference } from "../ownership.ts";

export function claimName(
  { metadata }: Pick<StatefulSet, "metadata">,
  template: Pick<PersistentVolumeClaim, "metadata">,
  ordinal: number,
): string {
  return `${template.metadata.name}-${metadata.name}-${ordinal}`;
}

/** The claims of an ordinal, as they are created. */
export function newClaims(set: StatefulSet, ordinal: number): readonly JsonObject[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => {
    const { metadata, spec } = template;
    const { labels, annotations } = metadata;
    const ownerReferences = wantedOwners([], set, undefined, false);
    return {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: {
        name: claimName(set, template, ordinal),
        namespace: set.metadata.namespace,
        labels: { ...labels, ...set.spec.selector.matchLabels },
        ...(annotations && { annotations }),
        ...(ownerReferences.length > 0 && { ownerReferences }),
      },
      spec,
    };
  });
}

/**
 * The claim with the owners that the retention policy gives it; the same object if it has them.
 * @param isCondemned whether its Pod is beyond the size of the StatefulSet
 */
export function ownedClaim(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
  isCondemned: boolean,
): PersistentVolumeClaim {
  const present = claim.metadata.ownerReferences ?? [];
  const wanted = wantedOwners(present, set, pod, isCondemned);
  return sameJson(present, wanted) ? claim : { ...claim, metadata: { ...claim.metadata, ownerReferences: wanted } };
}

/** A claim that still belongs to a former Pod of the same name goes with it: the new Pod has to wait for a new claim. */
export function isStale({ metadata }: PersistentVolumeClaim, podName: string): boolean {
  return (metadata.ownerReferences ?? []).some(({ kind, name }) => kind === "Pod" && name === podName);
}

/** Owners that have nothing to do with the policy stay. */
function wantedOwners(
  present: readonly OwnerReference[],
  set: StatefulSet,
  pod: Pod | undefined,
  isCondemned: boolean,
): readonly OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const byPod = whenScaled === "Delete" && isCondemned && pod !== undefined;
  const bySet = whenDeleted === "Delete" && !byPod;
  const isOurs = ({ uid }: OwnerReference): boolean => uid === set.metadata.uid || uid === pod?.metadata.uid;
  const has = (uid: string): OwnerReference | undefined => present.find((reference) => reference.uid === uid);
  const wanted = present.filter((reference) => !isOurs(reference));
  if (bySet) wanted.push(has(set.metadata.uid) ?? controllerReference(set));
  if (byPod) wanted.push(has(pod.metadata.uid) ?? controllerReference({ ...pod, apiVersion: "v1", kind: "Pod" }));
  return wanted;
}
