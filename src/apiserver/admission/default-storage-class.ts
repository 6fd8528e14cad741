// DefaultStorageClass: a claim that names no class gets the default one, if there is one (pod-lifecycle 14).

import { classOfClaim } from "../../api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolumeClaim, StorageClass } from "../../api/index.ts";
import { defaultClassOf } from "../../api/storage/v1/storage-class.ts";
import { objectAt, withField } from "../registry/api-object.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isClaimRequest } from "./persistent-volume-claim-resize.ts";

export function defaultStorageClassAdmission(classes: () => Promise<readonly StorageClass[]>): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    async mutate(request, claim) {
      if (!isClaimRequest(request) || request.operation !== "CREATE") return claim;
      if (classOfClaim(claim as unknown as PersistentVolumeClaim) !== undefined) return claim;
      const storageClassName = defaultClassOf(await classes())?.metadata.name;
      if (storageClassName === undefined) return claim;
      return withField(claim, "spec", { ...objectAt(claim, "spec"), storageClassName });
    },
  };
}
