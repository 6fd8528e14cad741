// The plugins in upstream's order (api-machinery 9.5).

import type { Clock } from "../../base/time.ts";
import { keyFor, prefixFor, type ResourceDefinition } from "../registry/resource-definition.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { priorityAdmission } from "./priority.ts";
import { serviceAccountAdmission } from "./service-account.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export interface AdmissionParts {
  readonly storage: ObjectStorage;
  readonly clock: Clock;
  readonly definitions: readonly ResourceDefinition[];
}

export function admissionPlugins({ storage, clock, definitions }: AdmissionParts): readonly AdmissionPlugin[] {
  const core = (resource: string): ResourceDefinition => {
    const found = definitions.find((definition) => definition.group === "" && definition.resource === resource);
    if (found === undefined) throw new Error(`admission needs the resource ${resource}`);
    return found;
  };
  const namespaces = core("namespaces");
  const accounts = core("serviceaccounts");
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
    priorityAdmission,
    defaultTolerationSeconds,
  ];
}
