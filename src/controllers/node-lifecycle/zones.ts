// How the zones are doing, and whose turn it is to be emptied.

import type { Node } from "../../api/index.ts";
import { type Instant, type Millis, after, elapsed } from "../../base/time.ts";
import { type NoExecutePolicy, type ZoneState, evictionInterval, readyCondition, zoneState } from "./plan.ts";

interface Zone {
  readonly state: ZoneState;
  readonly size: number;
}

export type Turn =
  | { readonly kind: "now"; readonly policy: NoExecutePolicy }
  /** Not yet; ask again then. */
  | { readonly kind: "later"; readonly wait: Millis };

export class Zones {
  readonly #nextTurn = new Map<string, Instant>();
  #zones: ReadonlyMap<string, Zone> | undefined;

  /** Some node changed: count again when asked next. */
  forget(): void {
    this.#zones = undefined;
  }

  /** What may be done to the node now. Takes the zone's turn if the node is to be tainted. */
  turnOf(node: Node, wantsTaint: boolean, nodes: () => readonly Node[], now: Instant): Turn {
    this.#zones ??= zonesOf(nodes());
    const states = [...this.#zones.values()].map(({ state }) => state);
    if (states.every((state) => state === "fullDisruption")) return { kind: "now", policy: "remove" };
    if (!wantsTaint) return { kind: "now", policy: "keep" };

    const name = zoneName(node);
    const zone = this.#zones.get(name);
    const interval = zone === undefined ? undefined : evictionInterval(zone.state, zone.size);
    if (interval === undefined) return { kind: "now", policy: "keep" };
    const next = this.#nextTurn.get(name);
    if (next !== undefined && next > now) return { kind: "later", wait: elapsed(now, next) };
    this.#nextTurn.set(name, after(now, interval));
    return { kind: "now", policy: "add" };
  }
}

function zonesOf(nodes: readonly Node[]): ReadonlyMap<string, Zone> {
  const counts = new Map<string, { ready: number; unready: number }>();
  for (const node of nodes) {
    const count = counts.get(zoneName(node)) ?? { ready: 0, unready: 0 };
    if (readyCondition(node)?.status === "True") count.ready++;
    else count.unready++;
    counts.set(zoneName(node), count);
  }
  return new Map(
    [...counts].map(([name, { ready, unready }]) => [
      name,
      { state: zoneState(ready, unready), size: ready + unready },
    ]),
  );
}

function zoneName({ metadata }: Node): string {
  const labels = metadata.labels ?? {};
  return `${labels["topology.kubernetes.io/region"] ?? ""}/${labels["topology.kubernetes.io/zone"] ?? ""}`;
}
