// PersistentVolumeClaimResize: only what is bound and comes from a class that permits it may grow (pod-lifecycle 14).

import { classOfClaim, sizeOf } from "../../api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolumeClaim, StorageClass } from "../../api/index.ts";
import { compareQuantities } from "../../api/meta/quantity.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { admissionForbidden } from "./admission-refusal.ts";

export function persistentVolumeClaimResize(classes: () => Promise<readonly StorageClass[]>): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",
    async validate(request) {
      const { object, oldObject } = request;
      if (!isClaimRequest(request) || request.operation !== "UPDATE") return;
      if (object === undefined || oldObject === undefined) return;
      const next = object as unknown as PersistentVolumeClaim;
      const old = oldObject as unknown as PersistentVolumeClaim;
      if (compareQuantities(sizeOf(next.spec), sizeOf(old.spec)) <= 0) return;
      if (old.status.phase !== "Bound") {
        throw admissionForbidden(request, "Only bound persistent volume claims can be expanded");
      }
      const name = classOfClaim(next);
      const found = (await classes()).find(({ metadata }) => metadata.name === name);
      if (name === classOfClaim(old) && found?.allowVolumeExpansion === true) return;
      const why =
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
      throw admissionForbidden(request, why);
    },
  };
}

/** Whether the request is about claims themselves. */
export function isClaimRequest({ definition, subresource }: AdmissionRequest): boolean {
  return definition.group === "" && definition.resource === "persistentvolumeclaims" && subresource === "";
}
