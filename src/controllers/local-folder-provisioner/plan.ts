// Which volumes to make and which to remove (pod-lifecycle 14.3, 14.4): pure.

import { classOfClaim } from "../../api/core/v1/persistent-volume-claim.ts";
import {
  bindCompletedAnnotation,
  provisionedByAnnotation,
  provisionerAnnotation,
  selectedNodeAnnotation,
} from "../../api/core/v1/volume-matching.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/index.ts";
import { defaultClassAnnotation } from "../../api/storage/v1/storage-class.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { folderProvisioner } from "../folder-provisioner.ts";

/** Keeps a volume until what it holds is deleted, also if the volume is deleted first. */
export const provisionerFinalizer = "external-provisioner.volume.kubernetes.io/finalizer";

const hostnameLabel = "kubernetes.io/hostname";

/** The class that every new cluster has. Its volumes wait for their first consumer: a folder is on one node. */
export const standardClass: JsonObject = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "standard", annotations: { [defaultClassAnnotation]: "true" } },
  provisioner: folderProvisioner,
  reclaimPolicy: "Delete",
  volumeBindingMode: "WaitForFirstConsumer",
  allowVolumeExpansion: true,
};

export type ProvisionPlan =
  | { readonly kind: "nothing" }
  | { readonly kind: "provision"; readonly node: Node; readonly storageClass: StorageClass }
  /** The node that was chosen is gone: the scheduler has to choose again. */
  | { readonly kind: "reschedule"; readonly why: string }
  | { readonly kind: "fail"; readonly why: string };

export function planProvision(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  nodes: readonly Node[],
): ProvisionPlan {
  const { metadata, spec } = claim;
  const { annotations = {} } = metadata;
  const isAsked =
    annotations[provisionerAnnotation] === folderProvisioner &&
    annotations[bindCompletedAnnotation] === undefined &&
    (spec.volumeName ?? "") === "" &&
    metadata.deletionTimestamp === undefined;
  if (!isAsked || storageClass?.provisioner !== folderProvisioner) return { kind: "nothing" };
  const failed = (why: string): ProvisionPlan => ({
    kind: "fail",
    why: `failed to provision volume with StorageClass "${classOfClaim(claim)}": ${why}`,
  });
  if (spec.selector !== undefined) return failed("claim Selector is not supported");
  const [parameter] = Object.keys(storageClass.parameters ?? {});
  if (parameter !== undefined) return failed(`unknown parameter "${parameter}"`);
  const selected = annotations[selectedNodeAnnotation];
  if (selected === undefined) {
    if (storageClass.volumeBindingMode === "WaitForFirstConsumer") return { kind: "nothing" };
    const first = nodes.filter(isReady).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))[0];
    return first === undefined ? failed("no node is ready") : { kind: "provision", node: first, storageClass };
  }
  const node = nodes.find(({ metadata: { name } }) => name === selected);
  if (node !== undefined) return { kind: "provision", node, storageClass };
  return { kind: "reschedule", why: `failed to get target node: node "${selected}" not found` };
}

const isReady = ({ status, metadata }: Node): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status.conditions ?? []).some(({ type, status: state }) => type === "Ready" && state === "True");

export function volumeNameOf({ metadata }: PersistentVolumeClaim): string {
  return `pvc-${metadata.uid}`;
}

/** The volume as it is created: reserved for its claim, reachable from its node only. */
export function newVolume(
  claim: PersistentVolumeClaim,
  { node, storageClass }: ProvisionPlan & { readonly kind: "provision" },
  path: string,
): JsonObject {
  const { accessModes, resources, volumeMode } = claim.spec;
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const hostname = node.metadata.labels?.[hostnameLabel] ?? node.metadata.name;
  const expression = { key: hostnameLabel, operator: "In", values: [hostname] };
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: volumeNameOf(claim),
      annotations: { [provisionedByAnnotation]: folderProvisioner, [selectedNodeAnnotation]: node.metadata.name },
      ...(storageClass.reclaimPolicy === "Delete" && { finalizers: [provisionerFinalizer] }),
    },
    spec: {
      accessModes,
      capacity: { storage: resources?.requests?.["storage"] },
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid, resourceVersion },
      local: { path },
      ...(storageClass.mountOptions && { mountOptions: storageClass.mountOptions }),
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy,
      storageClassName: storageClass.metadata.name,
      volumeMode,
    },
  };
}

export type ReclaimPlan =
  | { readonly kind: "nothing" }
  /** Nobody has it any more: what it holds goes, then the volume itself. */
  | { readonly kind: "delete"; readonly nodeName: string; readonly path: string }
  /** The finalizer is there exactly as long as what the volume holds is to be deleted with it. */
  | { readonly kind: "finalizers"; readonly finalizers: readonly string[] };

export function planReclaim({ metadata, spec, status }: PersistentVolume): ReclaimPlan {
  if (metadata.annotations?.[provisionedByAnnotation] !== folderProvisioner) return { kind: "nothing" };
  const { finalizers = [] } = metadata;
  const isHeld = finalizers.includes(provisionerFinalizer);
  const deletes = spec.persistentVolumeReclaimPolicy === "Delete";
  if (!deletes && isHeld) {
    return { kind: "finalizers", finalizers: finalizers.filter((name) => name !== provisionerFinalizer) };
  }
  if (!deletes) return { kind: "nothing" };
  // Failed is what a volume is called whose deletion failed: it is tried again.
  if (status.phase === "Released" || status.phase === "Failed") {
    const nodeName = metadata.annotations[selectedNodeAnnotation] ?? "";
    return { kind: "delete", nodeName, path: spec.local?.path ?? "" };
  }
  if (isHeld || metadata.deletionTimestamp !== undefined) return { kind: "nothing" };
  return { kind: "finalizers", finalizers: [...finalizers, provisionerFinalizer] };
}
