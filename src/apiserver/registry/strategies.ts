// The strategy of every served resource: together with its row in the table of kinds this is all that a kind needs.

import { kinds, type ResourceKind } from "../../api/kinds.ts";
import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import { coreEventStrategy, eventConversion, eventStrategy } from "./event-strategy.ts";
import { namespaceStrategy } from "./namespace-strategy.ts";
import { nodeStrategy } from "./node-strategy.ts";
import { podStrategy } from "./pod-strategy.ts";
import type { ResourceDefinition, VersionConversion } from "./resource-definition.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";

const ordinary: Strategy = { ...ordinaryStrategy, nameProblems: dns1123SubdomainProblems };

/** Leader election relies on conflicts being exact (api-machinery 12.5). */
const leaseStrategy: Strategy = { ...ordinary, createsOnUpdate: true, allowsUnconditionalUpdate: false };

const strategies: ReadonlyMap<string, Strategy> = new Map([
  ["/configmaps", ordinary],
  ["/events", coreEventStrategy],
  ["/namespaces", namespaceStrategy],
  ["/nodes", nodeStrategy],
  ["/pods", podStrategy],
  ["/secrets", ordinary],
  ["/serviceaccounts", { ...ordinary, returnsDeletedObject: true }],
  ["/services", { ...ordinary, returnsDeletedObject: true }],
  ["events.k8s.io/events", eventStrategy],
  ["coordination.k8s.io/leases", leaseStrategy],
]);

/** Versions that are served but not stored. */
const conversions: ReadonlyMap<string, VersionConversion> = new Map([["events.k8s.io/events", eventConversion]]);

/** The stored resources of the table of kinds with their strategies. */
export function resourceDefinitions(): readonly ResourceDefinition[] {
  return kinds.flatMap((kind) => {
    const strategy = strategies.get(`${kind.group}/${kind.resource}`);
    return strategy === undefined ? [] : [definitionOf(kind, strategy)];
  });
}

function definitionOf(kind: ResourceKind, strategy: Strategy): ResourceDefinition {
  const conversion = conversions.get(`${kind.group}/${kind.resource}`);
  return conversion === undefined ? { ...kind, strategy } : { ...kind, strategy, conversion };
}
