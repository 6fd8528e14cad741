// The strategy of every served resource: together with its row in the table of kinds this is all that a kind needs.

import { validateControllerRevision, validateControllerRevisionUpdate } from "../../api/apps/v1/controller-revision.ts";
import { validateLease } from "../../api/coordination/v1/lease.ts";
import { validateConfigMap, validateConfigMapUpdate } from "../../api/core/v1/config-map.ts";
import { defaultSecret, validateSecret, validateSecretUpdate } from "../../api/core/v1/secret.ts";
import { prepareServiceAccount, serviceAccountWarnings } from "../../api/core/v1/service-account.ts";
import { kinds, type ResourceKind } from "../../api/kinds.ts";
import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import type { ApiObject } from "./api-object.ts";
import { autoscalerConversion, autoscalerStrategy } from "./autoscaler-strategy.ts";
import { coreEventStrategy, eventConversion, eventStrategy } from "./event-strategy.ts";
import { endpointSliceStrategy, endpointsStrategy, serviceStrategy } from "./service-strategy.ts";
import { namespaceStrategy } from "./namespace-strategy.ts";
import { cronJobStrategy, jobStrategy } from "./batch-strategies.ts";
import { nodeStrategy } from "./node-strategy.ts";
import { podDisruptionBudgetStrategy, priorityClassStrategy } from "./policy-strategies.ts";
import { podStrategy } from "./pod-strategy.ts";
import type { ResourceDefinition, VersionConversion } from "./resource-definition.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";
import { persistentVolumeClaimStrategy, persistentVolumeStrategy, storageClassStrategy } from "./volume-strategies.ts";
import {
  daemonSetStrategy,
  deploymentStrategy,
  replicaSetStrategy,
  replicationControllerStrategy,
  statefulSetStrategy,
} from "./workload-strategies.ts";

const ordinary: Strategy = { ...ordinaryStrategy, nameProblems: dns1123SubdomainProblems };

/** After decoding and defaulting, the objects of a resource have the shape of their type. */
const as = <T>(object: ApiObject): T => object as unknown as T;

const configMapStrategy: Strategy = {
  ...ordinary,
  validate: (map) => validateConfigMap(as(map)),
  update: { prepare: (next) => next, validate: (next, old) => validateConfigMapUpdate(as(next), as(old)) },
};

const secretStrategy: Strategy = {
  ...ordinary,
  default: (secret) => defaultSecret(as(secret)) as unknown as ApiObject,
  validate: (secret) => validateSecret(as(secret)),
  update: { prepare: (next) => next, validate: (next, old) => validateSecretUpdate(as(next), as(old)) },
};

const serviceAccountStrategy: Strategy = {
  ...ordinary,
  returnsDeletedObject: true,
  prepareForCreate: (account) => prepareServiceAccount(as(account)) as unknown as ApiObject,
  warnings: (account) => serviceAccountWarnings(as(account)),
  update: {
    prepare: (next) => prepareServiceAccount(as(next)) as unknown as ApiObject,
    validate: () => [],
    warnings: (next, old) => serviceAccountWarnings(as(next), as(old)),
  },
};

/** Leader election relies on conflicts being exact (api-machinery 12.5). */
const leaseStrategy: Strategy = {
  ...ordinary,
  createsOnUpdate: true,
  allowsUnconditionalUpdate: false,
  validate: (lease) => validateLease(as(lease)),
  update: { prepare: (next) => next, validate: (next) => validateLease(as(next)) },
};

const controllerRevisionStrategy: Strategy = {
  ...ordinary,
  validate: (revision) => validateControllerRevision(as(revision)),
  update: { prepare: (next) => next, validate: (next, old) => validateControllerRevisionUpdate(as(next), as(old)) },
};

const strategies: ReadonlyMap<string, Strategy> = new Map([
  ["/configmaps", configMapStrategy],
  ["/endpoints", endpointsStrategy],
  ["/events", coreEventStrategy],
  ["/namespaces", namespaceStrategy],
  ["/nodes", nodeStrategy],
  ["/persistentvolumeclaims", persistentVolumeClaimStrategy],
  ["/persistentvolumes", persistentVolumeStrategy],
  ["/pods", podStrategy],
  ["/replicationcontrollers", replicationControllerStrategy],
  ["/secrets", secretStrategy],
  ["/serviceaccounts", serviceAccountStrategy],
  ["/services", serviceStrategy],
  ["apps/controllerrevisions", controllerRevisionStrategy],
  ["apps/daemonsets", daemonSetStrategy],
  ["apps/deployments", deploymentStrategy],
  ["apps/replicasets", replicaSetStrategy],
  ["apps/statefulsets", statefulSetStrategy],
  ["batch/cronjobs", cronJobStrategy],
  ["batch/jobs", jobStrategy],
  ["events.k8s.io/events", eventStrategy],
  ["storage.k8s.io/storageclasses", storageClassStrategy],
  ["autoscaling/horizontalpodautoscalers", autoscalerStrategy],
  ["coordination.k8s.io/leases", leaseStrategy],
  ["discovery.k8s.io/endpointslices", endpointSliceStrategy],
  ["policy/poddisruptionbudgets", podDisruptionBudgetStrategy],
  ["scheduling.k8s.io/priorityclasses", priorityClassStrategy],
]);

/** Versions that are served but not stored. */
const conversions: ReadonlyMap<string, VersionConversion> = new Map([
  ["events.k8s.io/v1/events", eventConversion],
  ["autoscaling/v1/horizontalpodautoscalers", autoscalerConversion],
]);

/** The stored resources of the table of kinds with their strategies. */
export function resourceDefinitions(): readonly ResourceDefinition[] {
  return kinds.flatMap((kind) => {
    const strategy = strategies.get(`${kind.group}/${kind.resource}`);
    return strategy === undefined ? [] : [definitionOf(kind, strategy)];
  });
}

function definitionOf(kind: ResourceKind, strategy: Strategy): ResourceDefinition {
  const conversion = conversions.get(`${kind.group}/${kind.version}/${kind.resource}`);
  return conversion === undefined ? { ...kind, strategy } : { ...kind, strategy, conversion };
}
