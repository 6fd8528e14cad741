// What must hold between Services and the addresses and ports they have claimed, in any store at any moment.

import type { Service } from "../../src/api/index.ts";
import type { Store } from "../../src/store/store.ts";

export interface ServiceFaults {
  /** Addresses and ports that two Services have. */
  readonly shared: readonly string[];
  /** What a Service has and has not claimed. */
  readonly unclaimed: readonly string[];
  /** What is claimed and no Service has: it would be lost for ever. */
  readonly lost: readonly string[];
  readonly services: number;
}

export async function serviceFaults(store: Store): Promise<ServiceFaults> {
  const { items: stored } = await store.range({ prefix: "/registry/core/services/" });
  const { items: claims } = await store.range({ prefix: "/registry/ranges/" });
  const claimed = new Set(claims.map(({ key }) => key.slice("/registry/ranges/".length)));
  const holders = new Map<string, number>();
  for (const { value } of stored) {
    for (const held of heldBy(JSON.parse(value) as Service)) holders.set(held, (holders.get(held) ?? 0) + 1);
  }
  return {
    shared: [...holders].filter(([, count]) => count > 1).map(([held]) => held),
    unclaimed: [...holders.keys()].filter((held) => !claimed.has(held)),
    lost: [...claimed].filter((held) => !holders.has(held)),
    services: stored.length,
  };
}

function heldBy({ spec }: Service): readonly string[] {
  const addresses = (spec.clusterIPs ?? []).filter((address) => address !== "None");
  const ports = [...(spec.ports ?? []).map(({ nodePort }) => nodePort), spec.healthCheckNodePort].filter(
    (port) => port !== undefined && port !== 0,
  );
  return [
    ...addresses.map((address) => `serviceips/${address}`),
    ...new Set(ports.map((port) => `servicenodeports/${port}`)),
  ];
}
