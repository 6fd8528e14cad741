// How many Pods the controller of a Pod wants: what a budget's percentage is taken of.

import type { OwnerReference, Pod } from "../../api/index.ts";
import { apiVersionOf, kinds, parseApiVersion } from "../../api/kinds.ts";
import { keyOf } from "../../client/controller.ts";
import { type FollowedObject, informerOf, type SharedInformers } from "../shared-informers.ts";

export type ControllerScale =
  | { readonly kind: "scaled"; readonly uid: string; readonly replicas: number }
  /** Nobody keeps the number of this Pod. */
  | { readonly kind: "unmanaged" }
  /** Somebody does, and cannot be asked. */
  | { readonly kind: "unknown"; readonly why: string };

/** The scale behind a Pod: of its controller, or of the Deployment above its ReplicaSet. */
export function scaleBehind({ metadata }: Pod, informers: SharedInformers): ControllerScale {
  const { name, namespace = "" } = metadata;
  const owner = controllerReference(metadata.ownerReferences);
  if (owner === undefined) return { kind: "unmanaged" };
  const resource = resourceOf(owner);
  if (resource === undefined) {
    return {
      kind: "unknown",
      why: `no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`,
    };
  }
  if (!resource.subresources.some((subresource) => subresource.name === "scale")) {
    const qualified = resource.group === "" ? resource.resource : `${resource.resource}.${resource.group}`;
    return { kind: "unknown", why: `${qualified} does not implement the scale subresource` };
  }
  const found = foundOwner(owner, namespace, informers);
  if (found === undefined) return { kind: "unknown", why: `found no controllers for pod ${JSON.stringify(name)}` };
  const above = controllerReference(found.metadata.ownerReferences);
  if (owner.kind === "ReplicaSet" && above?.kind === "Deployment") {
    const deployment = foundOwner(above, namespace, informers);
    if (deployment !== undefined) return scaled(deployment);
  }
  return scaled(found);
}

function scaled(object: FollowedObject): ControllerScale {
  const { spec } = object as FollowedObject & { readonly spec?: { readonly replicas?: number } };
  return { kind: "scaled", uid: object.metadata.uid, replicas: spec?.replicas ?? 0 };
}

function controllerReference(references: readonly OwnerReference[] = []): OwnerReference | undefined {
  return references.find(({ controller }) => controller === true);
}

function resourceOf({ apiVersion, kind }: OwnerReference) {
  const { group } = parseApiVersion(apiVersion);
  return (
    kinds.find((row) => row.kind === kind && apiVersionOf(row) === apiVersion) ??
    kinds.find((row) => row.kind === kind && row.group === group)
  );
}

/** The object itself, not another one that took its name. */
function foundOwner(owner: OwnerReference, namespace: string, informers: SharedInformers): FollowedObject | undefined {
  const resource = resourceOf(owner);
  const informer = resource === undefined ? undefined : informerOf(informers, resource);
  const found = informer?.lister.get(keyOf({ metadata: { name: owner.name, namespace } }));
  return found?.metadata.uid === owner.uid ? found : undefined;
}
