// The tables of volumes and those who provide them.

import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/core-v1.ts";
import type { CSIDriver, CSINode, StorageClass, VolumeAttachment } from "../../api/generated/storage-v1.ts";
import type { Printed } from "./table-printer.ts";
import { ageColumn, nameColumn, orElse, printerOf } from "./table-printer.ts";

export const persistentVolumePrinter = printerOf<PersistentVolume>([
  nameColumn,
  { name: "Capacity", description: "Size of the volume", cell: ({ spec }) => spec?.capacity?.["storage"] ?? "0" },
  { name: "Access Modes", description: "How it may be used", cell: ({ spec }) => accessModesText(spec?.accessModes) },
  {
    name: "Reclaim Policy",
    description: "What becomes of it when its claim goes",
    cell: ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? "",
  },
  { name: "Status", description: "Whether it is bound", cell: phaseText },
  {
    name: "Claim",
    description: "Namespace and name of its claim",
    cell: ({ spec }) =>
      spec?.claimRef === undefined ? "" : `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}`,
  },
  { name: "StorageClass", description: "Class of the volume", cell: storageClassText },
  {
    name: "VolumeAttributesClass",
    description: "Class of its changeable properties",
    cell: ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>",
  },
  { name: "Reason", description: "Why it is in its state", cell: ({ status }) => status?.reason ?? "" },
  ageColumn,
  {
    name: "VolumeMode",
    wide: true,
    description: "File system or block device",
    cell: ({ spec }) => spec?.volumeMode ?? "<unset>",
  },
]);

export const persistentVolumeClaimPrinter = printerOf<PersistentVolumeClaim>([
  nameColumn,
  { name: "Status", description: "Whether it is bound", cell: phaseText },
  { name: "Volume", description: "Volume that it is bound to", cell: ({ spec }) => spec?.volumeName ?? "" },
  {
    name: "Capacity",
    description: "Size of the volume",
    cell: (claim) => (isBound(claim) ? (claim.status?.capacity?.["storage"] ?? "0") : ""),
  },
  {
    name: "Access Modes",
    description: "How the volume may be used",
    cell: (claim) => (isBound(claim) ? accessModesText(claim.status?.accessModes) : ""),
  },
  { name: "StorageClass", description: "Class of volume that it wants", cell: storageClassText },
  {
    name: "VolumeAttributesClass",
    description: "Class of changeable properties that it wants",
    cell: ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>",
  },
  ageColumn,
  {
    name: "VolumeMode",
    wide: true,
    description: "File system or block device",
    cell: ({ spec }) => spec?.volumeMode ?? "<unset>",
  },
]);

const isBound = ({ spec }: Printed<PersistentVolumeClaim>): boolean => orElse(spec?.volumeName, "") !== "";

function phaseText({ metadata, status }: Printed<PersistentVolume> | Printed<PersistentVolumeClaim>): string {
  return metadata?.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating";
}

/** The annotation is how classes were named before there was a field; it still wins. */
function storageClassText({ metadata, spec }: Printed<PersistentVolume> | Printed<PersistentVolumeClaim>): string {
  return metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec?.storageClassName ?? "";
}

const modeNames: readonly (readonly [mode: string, short: string])[] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];

function accessModesText(modes: readonly string[] | undefined): string {
  return modeNames
    .filter(([mode]) => modes?.includes(mode) === true)
    .map(([, short]) => short)
    .join(",");
}

export const storageClassPrinter = printerOf<StorageClass>([
  {
    ...nameColumn,
    cell: ({ metadata }) => `${metadata?.name ?? ""}${isDefaultClass(metadata?.annotations) ? " (default)" : ""}`,
  },
  { name: "Provisioner", description: "Who makes the volumes", cell: ({ provisioner }) => provisioner ?? "" },
  {
    name: "ReclaimPolicy",
    description: "What becomes of a volume when its claim goes",
    cell: ({ reclaimPolicy }) => reclaimPolicy ?? "Delete",
  },
  {
    name: "VolumeBindingMode",
    description: "When volumes are made and bound",
    cell: ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate",
  },
  {
    name: "AllowVolumeExpansion",
    description: "Whether volumes may grow",
    cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
  },
  ageColumn,
]);

function isDefaultClass(annotations: Readonly<Record<string, string | undefined>> | undefined): boolean {
  const names = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
  return names.some((name) => annotations?.[name] === "true");
}

export const volumeAttachmentPrinter = printerOf<VolumeAttachment>([
  nameColumn,
  { name: "Attacher", description: "Driver that attaches the volume", cell: ({ spec }) => spec?.attacher ?? "" },
  { name: "PV", description: "The volume", cell: ({ spec }) => spec?.source?.persistentVolumeName ?? "" },
  { name: "Node", description: "The node", cell: ({ spec }) => spec?.nodeName ?? "" },
  {
    name: "Attached",
    type: "boolean",
    description: "Whether it is attached",
    cell: ({ status }) => status?.attached ?? false,
  },
  ageColumn,
]);

export const csiNodePrinter = printerOf<CSINode>([
  nameColumn,
  {
    name: "Drivers",
    type: "integer",
    description: "Number of drivers on the node",
    cell: ({ spec }) => (spec?.drivers ?? []).length,
  },
  ageColumn,
]);

export const csiDriverPrinter = printerOf<CSIDriver>([
  nameColumn,
  {
    name: "AttachRequired",
    type: "boolean",
    description: "Whether volumes must be attached",
    cell: ({ spec }) => spec?.attachRequired ?? true,
  },
  {
    name: "PodInfoOnMount",
    type: "boolean",
    description: "Whether the driver is told of the Pod",
    cell: ({ spec }) => spec?.podInfoOnMount ?? false,
  },
  {
    name: "StorageCapacity",
    type: "boolean",
    description: "Whether the driver tells how much room it has",
    cell: ({ spec }) => spec?.storageCapacity ?? false,
  },
  {
    name: "TokenRequests",
    description: "Audiences of the tokens that the driver gets",
    cell: ({ spec }) => orElse((spec?.tokenRequests ?? []).map(({ audience }) => audience ?? "").join(","), "<unset>"),
  },
  {
    name: "RequiresRepublish",
    type: "boolean",
    description: "Whether the driver is called again and again",
    cell: ({ spec }) => spec?.requiresRepublish ?? false,
  },
  {
    name: "Modes",
    description: "Kinds of volumes that the driver offers",
    cell: ({ spec }) => orElse((spec?.volumeLifecycleModes ?? []).join(","), "<none>"),
  },
  ageColumn,
]);
