// Spreads endpoints over EndpointSlices with as few writes as possible. Whoever owns slices, the controller for Services or the one that mirrors Endpoints,
// decides with this what to create, update and delete (pod-lifecycle 13.9).

import type { Endpoint, EndpointSlice, ObjectMeta, OwnerReference } from "../api/index.ts";
import { sameJson } from "../api/meta/json-object.ts";

export type SlicePort = NonNullable<EndpointSlice["ports"]>[number];

/** Endpoints that answer on the same ports, and so share slices. */
export interface EndpointGroup {
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly Endpoint[];
}

/** What all slices of one owner have in common. */
export interface SliceOwner {
  readonly namespace: string;
  readonly generateName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly reference: OwnerReference;
}

/** A slice that does not exist yet. */
export type NewSlice = Pick<EndpointSlice, "addressType" | "endpoints" | "ports"> & {
  readonly metadata: Partial<ObjectMeta> & { readonly generateName: string };
};

export interface SlicePlan {
  readonly create: readonly NewSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

export interface SliceRules {
  /** How many endpoints go into one slice. */
  readonly capacity: number;
  /** Keep one empty slice when there is nothing to list, so that the absence of endpoints is told, too. */
  readonly keepsEmptySlice: boolean;
}

export function planSlices(
  owner: SliceOwner,
  groups: readonly EndpointGroup[],
  existing: readonly EndpointSlice[],
  rules: SliceRules,
): SlicePlan {
  const usable = existing.filter(({ addressType }) => addressType === "IPv4");
  const foreign = existing.filter(({ addressType }) => addressType !== "IPv4");
  const filled: Contents[] = [];
  const spare: EndpointSlice[] = [];
  const left = new Set(usable);
  const wanted = groups.length === 0 && rules.keepsEmptySlice ? [{ ports: [], endpoints: [] }] : groups;
  for (const group of wanted) {
    const same = usable.filter((slice) => samePorts(slice.ports ?? [], group.ports));
    for (const slice of same) left.delete(slice);
    const outcome = fill(group, same, rules);
    filled.push(...outcome.filled);
    spare.push(...outcome.spare);
  }
  spare.push(...left);
  const update: EndpointSlice[] = [];
  const create: NewSlice[] = [];
  for (const { slice, ports, endpoints } of filled) {
    // A slice that would go takes the place of one that would come.
    const base = slice ?? spare.shift();
    if (base === undefined) {
      const { namespace, generateName, labels, annotations, reference } = owner;
      const metadata = { namespace, generateName, labels, annotations, ownerReferences: [reference] };
      create.push({ metadata, addressType: "IPv4", endpoints, ports });
    } else if (differs(base, owner, ports, endpoints)) update.push(withContents(base, owner, ports, endpoints));
  }
  return { create, update, delete: [...spare, ...foreign] };
}

/** What a slice is to hold; one without `slice` is new. */
interface Contents {
  readonly slice: EndpointSlice | undefined;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly Endpoint[];
}

interface Filling {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
  isTouched: boolean;
}

/** Endpoints stay where they are. New ones go first into slices that are written anyway, then into one that has room for all of them, then into new ones. */
function fill(
  { ports, endpoints }: EndpointGroup,
  slices: readonly EndpointSlice[],
  { capacity }: SliceRules,
): { readonly filled: readonly Contents[]; readonly spare: readonly EndpointSlice[] } {
  const missing = new Map(endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  const fillings: Filling[] = slices.map((slice) => {
    const kept: Endpoint[] = [];
    let isTouched = false;
    for (const endpoint of slice.endpoints) {
      const identity = identityOf(endpoint);
      const wanted = missing.get(identity);
      if (wanted === undefined) isTouched = true;
      else {
        if (!sameJson(wanted, endpoint)) isTouched = true;
        kept.push(wanted);
        missing.delete(identity);
      }
    }
    return { slice, endpoints: kept, isTouched };
  });
  const rest = [...missing.values()];
  const pourInto = (filling: Filling): void => {
    filling.endpoints.push(...rest.splice(0, Math.max(0, capacity - filling.endpoints.length)));
    filling.isTouched = true;
  };
  const fullestFirst = fillings
    .filter(({ isTouched, endpoints: kept }) => isTouched && kept.length > 0)
    .toSorted((a, b) => b.endpoints.length - a.endpoints.length);
  for (const filling of fullestFirst) if (rest.length > 0) pourInto(filling);
  if (rest.length > 0) {
    const roomy = fillings
      .filter(({ isTouched, endpoints: kept }) => !isTouched && kept.length + rest.length <= capacity)
      .toSorted((a, b) => b.endpoints.length - a.endpoints.length)[0];
    if (roomy !== undefined) pourInto(roomy);
  }
  const filled: Contents[] = fillings
    .filter(({ endpoints: kept }) => kept.length > 0)
    .map(({ slice, endpoints: kept }) => ({ slice, ports, endpoints: kept }));
  const spare = fillings.filter(({ endpoints: kept }) => kept.length === 0).map(({ slice }) => slice);
  while (rest.length > 0) filled.push({ slice: spare.shift(), ports, endpoints: rest.splice(0, capacity) });
  if (filled.length === 0) filled.push({ slice: spare.shift(), ports, endpoints: [] });
  return { filled, spare };
}

function differs(
  slice: EndpointSlice,
  owner: SliceOwner,
  ports: readonly SlicePort[],
  endpoints: readonly Endpoint[],
): boolean {
  return (
    !sameJson(slice.endpoints, endpoints) ||
    !samePorts(slice.ports ?? [], ports) ||
    !sameJson(slice.metadata.labels ?? {}, owner.labels)
  );
}

function withContents(
  slice: EndpointSlice,
  owner: SliceOwner,
  ports: readonly SlicePort[],
  endpoints: readonly Endpoint[],
): EndpointSlice {
  const metadata = { ...slice.metadata, labels: owner.labels, annotations: owner.annotations };
  return { ...slice, metadata, ports, endpoints };
}

/** Two Pods may show one address (those on the node's network); one Pod may change what is said about it and stays the same endpoint. */
function identityOf({ addresses, targetRef, hostname = "" }: Endpoint): string {
  return `${addresses.join(",")} ${targetRef?.kind ?? ""} ${targetRef?.name ?? ""} ${hostname}`;
}

function samePorts(a: readonly SlicePort[], b: readonly SlicePort[]): boolean {
  return sameJson(inOrder(a), inOrder(b));
}

function inOrder(ports: readonly SlicePort[]): readonly SlicePort[] {
  if (ports.length < 2) return ports;
  return ports.toSorted((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
}
