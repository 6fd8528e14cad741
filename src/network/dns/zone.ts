// What the cluster's DNS knows, and what it answers (pod-lifecycle; the DNS-based service discovery that Kubernetes describes).

import { addressBytes, type DnsQuestion, type DnsRecord, type DnsResponse, recordTypes } from "./message.ts";

export interface Zone {
  /** `cluster.local` */
  readonly domain: string;
  /** Grows with each change. */
  readonly serial: number;
  /** Where the server itself is found. */
  readonly serverAddress: string;
  /** By name; also the names of the reverse tree. */
  readonly records: ReadonlyMap<string, readonly DnsRecord[]>;
  readonly namespaces: ReadonlySet<string>;
}

export type Resolution =
  | { readonly kind: "answer"; readonly response: DnsResponse }
  /** Not ours to say. */
  | { readonly kind: "forward" }
  /** The name is another one's, which is not ours: its records belong behind `answers`. */
  | { readonly kind: "alias"; readonly answers: readonly DnsRecord[]; readonly target: string };

/** How long others may keep what they were told: short, because Pods come and go. */
export const recordTtlSeconds = 5;

/** CNAMEs within the zone that are followed one after the other. */
const mostAliases = 8;

const internetClass = 1;

export function resolve(zone: Zone, question: DnsQuestion): Resolution {
  const { name, type } = question;
  if (question.class !== internetClass) return { kind: "forward" };
  if (!isWithin(name, zone.domain)) {
    const reverse = zone.records.get(name);
    if (reverse === undefined) return { kind: "forward" };
    return answered(zone, ofType(reverse, type), additionalFor(zone, ofType(reverse, type)));
  }
  return resolveOwn(zone, name, type);
}

function resolveOwn(zone: Zone, name: string, type: number): Resolution {
  const answers: DnsRecord[] = [];
  let current = name;
  for (let step = 0; step < mostAliases; step++) {
    const records = recordsAt(zone, current);
    if (records === undefined) break;
    const alias = records.find((record) => record.type === "CNAME");
    if (alias === undefined || alias.type !== "CNAME" || type === recordTypes.CNAME) {
      const found = ofType(records, type);
      return answered(zone, [...answers, ...found], additionalFor(zone, found));
    }
    answers.push(alias);
    if (!isWithin(alias.target, zone.domain)) return { kind: "alias", answers, target: alias.target };
    current = alias.target;
  }
  return {
    kind: "answer",
    response: { code: 3, authoritative: true, answers, authority: [startOfAuthority(zone)], additional: [] },
  };
}

/** All records of a name; none at a name that is only on the way to others; undefined if there is no such name. */
function recordsAt(zone: Zone, name: string): readonly DnsRecord[] | undefined {
  const own = zone.records.get(name);
  if (own !== undefined) return own;
  if (name === zone.domain) return [startOfAuthority(zone)];
  const labels = name
    .slice(0, -zone.domain.length - 1)
    .split(".")
    .reverse();
  const [kind = "", namespace = ""] = labels;
  if (labels.length === 1) {
    if (kind === "svc" || kind === "pod" || kind === "dns") return [];
    return kind === "dns-version" ? [{ type: "TXT", name, ttlSeconds: recordTtlSeconds, text: "1.1.0" }] : undefined;
  }
  if (kind === "dns" && name === `ns.dns.${zone.domain}`) return [addressRecord(name, zone.serverAddress)];
  if (!zone.namespaces.has(namespace)) return undefined;
  if (labels.length === 2 && (kind === "svc" || kind === "pod")) return [];
  if (kind === "pod" && labels.length === 3) return podRecord(name, labels[2] as string);
  return undefined;
}

/** `10-244-0-7.<namespace>.pod.<domain>` is the address that it spells, whether a Pod has it or not: as upstream's usual setting has it. */
function podRecord(name: string, spelled: string): readonly DnsRecord[] | undefined {
  const ipv4 = /^\d{1,3}(?:-\d{1,3}){3}$/.test(spelled);
  const address = spelled.replaceAll("-", ipv4 ? "." : ":");
  try {
    addressBytes(address);
  } catch {
    // It spells no address: there is no such name.
    return undefined;
  }
  return [addressRecord(name, address)];
}

export function addressRecord(name: string, address: string): DnsRecord {
  return { type: address.includes(":") ? "AAAA" : "A", name, ttlSeconds: recordTtlSeconds, address };
}

/** `5.0.96.10.in-addr.arpa` for `10.96.0.5`. */
export function reverseName(address: string): string {
  const bytes = addressBytes(address);
  if (bytes.length === 4) return `${bytes.toReversed().join(".")}.in-addr.arpa`;
  const nibbles = bytes.flatMap((byte) => [byte >> 4, byte & 15]);
  return `${nibbles
    .toReversed()
    .map((nibble) => nibble.toString(16))
    .join(".")}.ip6.arpa`;
}

function answered(zone: Zone, answers: readonly DnsRecord[], additional: readonly DnsRecord[]): Resolution {
  const authority = answers.length === 0 ? [startOfAuthority(zone)] : [];
  return { kind: "answer", response: { code: 0, authoritative: true, answers, authority, additional } };
}

/** The addresses of what SRV records lead to: whoever asked will ask for them next. */
function additionalFor(zone: Zone, answers: readonly DnsRecord[]): readonly DnsRecord[] {
  const targets = new Set(answers.flatMap((record) => (record.type === "SRV" ? [record.target] : [])));
  return [...targets].flatMap((target) =>
    (recordsAt(zone, target) ?? []).filter(({ type }) => type === "A" || type === "AAAA"),
  );
}

const ofType = (records: readonly DnsRecord[], type: number): readonly DnsRecord[] =>
  type === recordTypes.ANY ? records : records.filter((record) => recordTypes[record.type] === type);

const isWithin = (name: string, domain: string): boolean => name === domain || name.endsWith(`.${domain}`);

function startOfAuthority({ domain, serial }: Zone): DnsRecord {
  return {
    type: "SOA",
    name: domain,
    ttlSeconds: recordTtlSeconds,
    primary: `ns.dns.${domain}`,
    mailbox: `hostmaster.${domain}`,
    serial,
    refreshSeconds: 7200,
    retrySeconds: 1800,
    expireSeconds: 86_400,
    minimumSeconds: recordTtlSeconds,
  };
}
