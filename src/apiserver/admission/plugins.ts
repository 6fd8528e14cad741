// The plugins in upstream's order (api-machinery 9.5).

import type { StorageClass } from "../../api/index.ts";
import type { Clock } from "../../base/time.ts";
import { keyFor, prefixFor, type ResourceDefinition } from "../registry/resource-definition.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { defaultStorageClassAdmission } from "./default-storage-class.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { priorityAdmission } from "./priority.ts";
import { persistentVolumeClaimResize } from "./persistent-volume-claim-resize.ts";
import { serviceAccountAdmission } from "./service-account.ts";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export interface AdmissionParts {
  readonly storage: ObjectStorage;
  readonly clock: Clock;
  readonly definitions: readonly ResourceDefinition[];
}

export function admissionPlugins({ storage, clock, definitions }: AdmissionParts): readonly AdmissionPlugin[] {
  const served = (resource: string, group = ""): ResourceDefinition => {
    const found = definitions.find((definition) => definition.group === group && definition.resource === resource);
    if (found === undefined) throw new Error(`admission needs the resource ${resource}`);
    return found;
  };
  const namespaces = served("namespaces");
  const accounts = served("serviceaccounts");
  const storageClasses = served("storageclasses", "storage.k8s.io");
  const priorityClasses = prefixFor(served("priorityclasses", "scheduling.k8s.io"));
  const classes = async (): Promise<readonly StorageClass[]> => {
    const cache = await storage.cache(prefixFor(storageClasses));
    return [...cache.range(cache.prefix)].map(({ object }) => object as unknown as StorageClass);
  };
  return [
    namespaceLifecycle(async (name) => (await storage.cache(prefixFor(namespaces))).get(keyFor(namespaces, "", name))),
    serviceAccountAdmission(
      {
        cache: () => storage.cache(prefixFor(accounts)),
        keyFor: (namespace, name) => keyFor(accounts, namespace, name),
      },
      clock,
    ),
    taintNodesByCondition,
    priorityAdmission(async () =>
      [...(await storage.cache(priorityClasses)).range(priorityClasses)].map(({ object }) => object as never),
    ),
    defaultTolerationSeconds,
    defaultStorageClassAdmission(classes),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(classes),
  ];
}
