// From Services and EndpointSlices to DNS records, as the description of Kubernetes' DNS-based service discovery has it.

import type { Service } from "../api/generated/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../api/generated/discovery-v1.ts";
import type { DnsRecord } from "../network/dns/message.ts";
import { addressRecord, recordTtlSeconds, reverseName } from "../network/dns/zone.ts";

const serviceNameLabel = "kubernetes.io/service-name";

/** The records of all names, also of those that have none and lead only to others. */
export function planRecords(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  domain: string,
): ReadonlyMap<string, readonly DnsRecord[]> {
  const records = new RecordSet();
  const slicesByService = slicesOfServices(slices);
  for (const service of services) {
    const { name, namespace = "" } = service.metadata;
    const at = `${name}.${namespace}.svc.${domain}`.toLowerCase();
    const { type, externalName = "", clusterIP = "" } = service.spec;
    if (type === "ExternalName") {
      records.add({
        type: "CNAME",
        name: at,
        ttlSeconds: recordTtlSeconds,
        target: externalName.toLowerCase().replace(/\.$/, ""),
      });
    } else if (clusterIP === "None") {
      addHeadless(records, at, slicesByService.get(`${namespace}/${name}`) ?? []);
    } else if (clusterIP !== "") {
      addClusterIp(records, at, service);
    }
  }
  return records.all;
}

function addClusterIp(records: RecordSet, at: string, { spec }: Service): void {
  const addresses = spec.clusterIPs ?? [spec.clusterIP as string];
  for (const address of addresses) {
    records.add(addressRecord(at, address));
    records.add({ type: "PTR", name: reverseName(address), ttlSeconds: recordTtlSeconds, target: at });
  }
  for (const port of spec.ports ?? []) {
    if (port.name !== undefined && port.name !== "") addService(records, at, port.name, port.protocol, port.port, at);
  }
}

function addHeadless(records: RecordSet, at: string, slices: readonly EndpointSlice[]): void {
  for (const { endpoints = [], ports = [], addressType } of slices) {
    if (addressType === "FQDN") continue;
    for (const endpoint of endpoints) {
      const address = endpoint.addresses[0];
      if (address === undefined || !(endpoint.conditions?.ready ?? true)) continue;
      const own = `${hostnameOf(endpoint, address)}.${at}`;
      records.add(addressRecord(at, address));
      records.add(addressRecord(own, address));
      records.add({ type: "PTR", name: reverseName(address), ttlSeconds: recordTtlSeconds, target: own });
      for (const { name = "", protocol = "TCP", port } of ports ?? []) {
        if (name !== "" && port !== undefined) addService(records, at, name, protocol, port, own);
      }
    }
  }
}

/** The Pod's hostname if its subdomain is this Service, else its address spelled with dashes. */
function hostnameOf({ hostname }: Endpoint, address: string): string {
  if (hostname !== undefined && hostname !== "") return hostname.toLowerCase();
  return address.replaceAll(/[.:]+/g, "-");
}

function addService(
  records: RecordSet,
  at: string,
  portName: string,
  protocol: string,
  port: number,
  target: string,
): void {
  const name = `_${portName}._${protocol}.${at}`.toLowerCase();
  records.add({ type: "SRV", name, ttlSeconds: recordTtlSeconds, priority: 0, weight: 100, port, target });
  // The name between, `_tcp.<service>`, exists and has nothing.
  records.add(undefined, `_${protocol}.${at}`.toLowerCase());
}

function slicesOfServices(slices: readonly EndpointSlice[]): ReadonlyMap<string, readonly EndpointSlice[]> {
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const service = slice.metadata.labels?.[serviceNameLabel];
    if (service === undefined) continue;
    const key = `${slice.metadata.namespace ?? ""}/${service}`;
    byService.set(key, [...(byService.get(key) ?? []), slice]);
  }
  return byService;
}

/** Records by name, each once. */
class RecordSet {
  readonly all = new Map<string, readonly DnsRecord[]>();
  readonly #known = new Set<string>();

  add(record: DnsRecord | undefined, name: string = record?.name ?? ""): void {
    const records = this.all.get(name) ?? [];
    const text = JSON.stringify(record);
    const isNew = record !== undefined && !this.#known.has(text);
    this.#known.add(text);
    this.all.set(name, isNew ? [...records, record] : records);
  }
}
