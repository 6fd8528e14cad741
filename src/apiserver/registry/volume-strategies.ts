// Volumes that outlive Pods: PersistentVolumes, the claims to them, and the classes that they come from (pod-lifecycle 14).

import {
  defaultPersistentVolume,
  persistentVolumeWarnings,
  validatePersistentVolume,
  validatePersistentVolumeUpdate,
} from "../../api/core/v1/persistent-volume.ts";
import {
  defaultPersistentVolumeClaim,
  validatePersistentVolumeClaim,
  validatePersistentVolumeClaimStatusUpdate,
  validatePersistentVolumeClaimUpdate,
} from "../../api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/index.ts";
import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import {
  defaultStorageClass,
  storageClassWarnings,
  validateStorageClass,
  validateStorageClassUpdate,
} from "../../api/storage/v1/storage-class.ts";
import { formatTime } from "../../base/time.ts";
import { type ApiObject, withField } from "./api-object.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";

/** After decoding and defaulting, the objects of a resource have the shape of their type. */
const as = <T>(object: ApiObject): T => object as unknown as T;

const ordinary: Strategy = { ...ordinaryStrategy, nameProblems: dns1123SubdomainProblems };

export const persistentVolumeStrategy: Strategy = {
  ...ordinary,
  returnsDeletedObject: true,
  default: (volume) => defaultPersistentVolume(as(volume)) as unknown as ApiObject,
  prepareForCreate: (volume, { now }) =>
    withField(volume, "status", { phase: "Pending", lastPhaseTransitionTime: formatTime(now) }),
  validate: (volume) => validatePersistentVolume(as<PersistentVolume>(volume)),
  warnings: (volume) => persistentVolumeWarnings(as(volume)),
  update: {
    prepare: (next, old) => withField(next, "status", old["status"]),
    validate: (next, old) => validatePersistentVolumeUpdate(as(next), as(old)),
  },
  subresources: {
    status: { prepare: (next, old) => withField(next, "spec", old["spec"]), validate: () => [] },
  },
};

export const persistentVolumeClaimStrategy: Strategy = {
  ...ordinary,
  returnsDeletedObject: true,
  default: (claim) => defaultPersistentVolumeClaim(as(claim)) as unknown as ApiObject,
  prepareForCreate: (claim) => withField(claim, "status", { phase: "Pending" }),
  validate: (claim) => validatePersistentVolumeClaim(as<PersistentVolumeClaim>(claim)),
  update: {
    prepare: (next, old) => withField(next, "status", old["status"]),
    validate: (next, old) => validatePersistentVolumeClaimUpdate(as(next), as(old)),
  },
  subresources: {
    status: {
      prepare: (next, old) => withField(next, "spec", old["spec"]),
      validate: (next) => validatePersistentVolumeClaimStatusUpdate(as(next)),
    },
  },
};

export const storageClassStrategy: Strategy = {
  ...ordinary,
  returnsDeletedObject: true,
  default: (storageClass) => defaultStorageClass(as(storageClass)) as unknown as ApiObject,
  validate: (storageClass) => validateStorageClass(as<StorageClass>(storageClass)),
  warnings: (storageClass) => storageClassWarnings(as(storageClass)),
  update: {
    prepare: (next) => next,
    validate: (next, old) => validateStorageClassUpdate(as(next), as(old)),
    warnings: (next) => storageClassWarnings(as(next)),
  },
};
