// StorageObjectInUseProtection: volumes and claims are born with the finalizers that keep them while they are in use (pod-lifecycle 14.5).

import { withMetadata } from "../registry/api-object.ts";
import type { AdmissionPlugin } from "./admission.ts";

const finalizers: ReadonlyMap<string, string> = new Map([
  ["persistentvolumes", "kubernetes.io/pv-protection"],
  ["persistentvolumeclaims", "kubernetes.io/pvc-protection"],
]);

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  mutate({ definition, subresource, operation }, object) {
    const finalizer = definition.group === "" && subresource === "" ? finalizers.get(definition.resource) : undefined;
    if (finalizer === undefined || operation !== "CREATE") return object;
    const present = object.metadata.finalizers ?? [];
    if (present.includes(finalizer)) return object;
    return withMetadata(object, { finalizers: [...present, finalizer] });
  },
};
