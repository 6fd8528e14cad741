// The claims of generic ephemeral volumes: made from the Pod's template, owned by the Pod, gone with it (pod-lifecycle 14.6).

import { claimsOfPod, foreignClaim } from "../../api/core/v1/pod-claims.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/index.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { controllerReference } from "../ownership.ts";

export type EphemeralClaimPlan =
  | { readonly kind: "create"; readonly draft: JsonObject }
  /** Somebody else's claim has the name. */
  | { readonly kind: "fail"; readonly message: string };

/** What is to be done for each ephemeral volume of a Pod; nothing for those that have their claim. */
export function planEphemeralClaims(
  pod: Pod,
  claim: (name: string) => PersistentVolumeClaim | undefined,
): readonly EphemeralClaimPlan[] {
  const { deletionTimestamp, namespace } = pod.metadata;
  if (deletionTimestamp !== undefined || pod.status.phase === "Succeeded" || pod.status.phase === "Failed") return [];
  return claimsOfPod(pod).flatMap(({ volume, claimName, isEphemeral }): EphemeralClaimPlan[] => {
    const template = volume.ephemeral?.volumeClaimTemplate;
    if (!isEphemeral || template === undefined) return [];
    const present = claim(claimName);
    if (present !== undefined) {
      const message = foreignClaim(present, pod);
      return message === undefined ? [] : [{ kind: "fail", message: `ephemeral volume ${volume.name}: ${message}` }];
    }
    const { labels, annotations } = template.metadata ?? {};
    const metadata = {
      name: claimName,
      namespace,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ownerReferences: [controllerReference({ ...pod, apiVersion: "v1", kind: "Pod" })],
    };
    const draft = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: template.spec };
    return [{ kind: "create", draft: draft as unknown as JsonObject }];
  });
}
