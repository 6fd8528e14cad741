// Gives Services their addresses and their ports on the nodes (pod-lifecycle 13.9).

import type { Service, ServicePort } from "../../api/index.ts";
import { isHeadless, needsHealthCheck, needsNodePorts } from "../../api/core/v1/service.ts";
import { validateClusterIps } from "../../api/core/v1/service-addresses.ts";
import { alignClusterIps, keepAllocatedValues } from "../../api/core/v1/service-update.ts";
import { type FieldError, fieldCauses, index, invalid as invalidField } from "../../api/meta/field-errors.ts";
import { isIpv6 } from "../../api/meta/names.ts";
import { internalError, invalid } from "../../api/wire/status-error.ts";
import type { RandomStream } from "../../base/random.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import type { ResourceCache } from "../storage/resource-cache.ts";
import type { Allocator } from "./allocator.ts";
import type { ApiObject } from "./api-object.ts";
import { addressAt, type Ipv4Range, placeOf } from "./ipv4-range.ts";
import { freeNumber, type NumberPool, reservedPart } from "./number-pool.ts";

/** Where Services get their numbers from. */
export interface ServiceRanges {
  readonly addresses: Ipv4Range;
  readonly nodePorts: { readonly first: number; readonly last: number };
}

const addressClaims = "/registry/ranges/serviceips/";
const nodePortClaims = "/registry/ranges/servicenodeports/";

export class ServiceAllocator implements Allocator {
  readonly #ranges: ServiceRanges;
  readonly #storage: ObjectStorage;
  readonly #random: RandomStream;
  readonly #addressPool: NumberPool;
  readonly #portPool: NumberPool;

  constructor(ranges: ServiceRanges, storage: ObjectStorage, random: RandomStream) {
    this.#ranges = ranges;
    this.#storage = storage;
    this.#random = random;
    const hosts = ranges.addresses.size - 2;
    this.#addressPool = { first: 1, size: hosts, reserved: reservedPart(hosts, { step: 16, most: 256 }) };
    const ports = ranges.nodePorts.last - ranges.nodePorts.first + 1;
    const reserved = reservedPart(ports, { step: 32, most: 128 });
    this.#portPool = { first: ranges.nodePorts.first, size: ports, reserved };
  }

  async allocate(next: ApiObject, old: ApiObject | undefined): Promise<ApiObject> {
    const before = old === undefined ? undefined : asService(old);
    const kept = before === undefined ? asService(next) : keepAllocatedValues(asService(next), before);
    const named = alignClusterIps(kept, before);
    const withFamilies = this.#families(named, before);
    const withAddress = await this.#address(withFamilies, before);
    return (await this.#nodePorts(withAddress, before)) as unknown as ApiObject;
  }

  claims(object: ApiObject): readonly string[] {
    const service = asService(object);
    return [...addressesOf(service).map(addressClaim), ...nodePortsOf(service).map(nodePortClaim)];
  }

  /** This cluster has IPv4 alone. A headless Service without a selector lists whatever its owner writes, so it may have both families. */
  #families(service: Service, old: Service | undefined): Service {
    const { spec } = service;
    if (spec.type === "ExternalName") return service;
    const anything = spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;
    const policy = spec.ipFamilyPolicy ?? old?.spec.ipFamilyPolicy ?? (anything ? "RequireDualStack" : "SingleStack");
    const decided: Service = { ...service, spec: { ...spec, ipFamilyPolicy: policy } };
    refuse(service, validateClusterIps(decided));
    const addresses = (spec.clusterIPs ?? []).filter((address) => address !== "None");
    const errors: FieldError[] = [];
    if (policy === "SingleStack") {
      const otherwise = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
      if ((spec.clusterIPs ?? []).length === 2) {
        errors.push(invalidField("spec.ipFamilyPolicy", policy, `${otherwise} cluster IPs are specified`));
      }
      if ((spec.ipFamilies ?? []).length === 2) {
        errors.push(invalidField("spec.ipFamilyPolicy", policy, `${otherwise} IP families are specified`));
      }
    }
    const named = spec.ipFamilies ?? [];
    addresses.forEach((address, i) => {
      if (i < named.length || !isIpv6(address)) return;
      const text = "IPv6 is not configured on this cluster";
      errors.push(invalidField(index("spec.clusterIPs", i), spec.clusterIPs, text));
    });
    refuse(service, errors);
    if (anything) {
      const first = named[0] ?? "IPv4";
      const both = first === "IPv4" ? ["IPv4", "IPv6"] : ["IPv6", "IPv4"];
      const families = named.length >= 2 ? named : policy === "SingleStack" ? [first] : both;
      return { ...decided, spec: { ...decided.spec, ipFamilies: families } };
    }
    if (policy === "RequireDualStack") {
      const text = "this cluster is not configured for dual-stack services";
      errors.push(invalidField("spec.ipFamilyPolicy", policy, text));
    }
    named.forEach((family, i) => {
      if (family === "IPv4") return;
      errors.push(invalidField(index("spec.ipFamilies", i), family, "not configured on this cluster"));
    });
    refuse(service, errors);
    return { ...decided, spec: { ...decided.spec, ipFamilies: ["IPv4"] } };
  }

  async #address(service: Service, old: Service | undefined): Promise<Service> {
    if (service.spec.type === "ExternalName" || isHeadless(service)) return service;
    // Validation says what may change in a Service that has an address, and what may not.
    if (old !== undefined && old.spec.type !== "ExternalName") return service;
    const { spec } = service;
    const wanted = spec.clusterIPs?.[0];
    const taken = await this.#cache(addressClaims);
    if (wanted !== undefined) {
      const fault = this.#addressFault(wanted, taken);
      if (fault === undefined) return service;
      const text = `failed to allocate IP ${wanted}: ${fault}`;
      throw refusal(service, [invalidField("spec.clusterIPs", spec.clusterIPs, text)]);
    }
    const { addresses } = this.#ranges;
    const isTaken = (place: number): boolean => taken.get(addressClaim(addressAt(addresses, place))) !== undefined;
    const place = freeNumber(this.#addressPool, this.#random, isTaken);
    if (place === undefined) throw internalError("failed to allocate a serviceIP: range is full");
    const address = addressAt(addresses, place);
    return { ...service, spec: { ...spec, clusterIP: address, clusterIPs: [address] } };
  }

  #addressFault(address: string, taken: ResourceCache): string | undefined {
    if (placeOf(this.#ranges.addresses, address) === undefined) {
      return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${this.#ranges.addresses.text}`;
    }
    return taken.get(addressClaim(address)) === undefined ? undefined : "provided IP is already allocated";
  }

  async #nodePorts(service: Service, old: Service | undefined): Promise<Service> {
    const needsPorts = needsNodePorts(service.spec.type);
    const needsCheck = needsHealthCheck(service);
    if (!needsPorts && !needsCheck) return service;
    const own = new Set(old === undefined ? [] : nodePortsOf(old));
    const taken = await this.#cache(nodePortClaims);
    const take = new PortTaker({
      pool: this.#portPool,
      random: this.#random,
      isTaken: (port) => !own.has(port) && taken.get(nodePortClaim(port)) !== undefined,
    });
    let { spec } = service;
    if (needsPorts && spec.ports !== undefined) {
      const chooses = spec.type === "NodePort" || spec.allocateLoadBalancerNodePorts !== false;
      spec = { ...spec, ports: takePorts(service, spec.ports, chooses, own, take) };
    }
    if (needsCheck) {
      const wanted = spec.healthCheckNodePort ?? 0;
      if (wanted === 0) spec = { ...spec, healthCheckNodePort: take.any("HealthCheck NodePort 0") };
      else if (!own.has(wanted)) {
        const fault = take.one(wanted);
        if (fault !== undefined) {
          throw internalError(`failed to allocate requested HealthCheck NodePort ${wanted}: ${fault}`);
        }
      }
    }
    return { ...service, spec };
  }

  #cache(prefix: string): Promise<ResourceCache> {
    return this.#storage.cache(prefix);
  }
}

interface PortTakerOptions {
  readonly pool: NumberPool;
  readonly random: RandomStream;
  /** Whether another Service has the port. */
  readonly isTaken: (port: number) => boolean;
}

/** Hands out the ports of one Service; what it has handed out is taken. */
class PortTaker {
  readonly #options: PortTakerOptions;
  readonly #given = new Set<number>();

  constructor(options: PortTakerOptions) {
    this.#options = options;
  }

  /** Takes this port. @returns why that is not possible */
  one(port: number): string | undefined {
    const { pool, isTaken } = this.#options;
    const last = pool.first + pool.size - 1;
    if (port < pool.first || port > last) {
      return `provided port is not in the valid range. The range of valid ports is ${pool.first}-${last}`;
    }
    if (isTaken(port) || this.#given.has(port)) return "provided port is already allocated";
    this.#given.add(port);
    return undefined;
  }

  /** Takes a free port. @throws StatusError InternalError when none is left */
  any(what: string): number {
    const { pool, random, isTaken } = this.#options;
    const port = freeNumber(pool, random, (number) => isTaken(number) || this.#given.has(number));
    if (port === undefined) throw internalError(`failed to allocate a ${what}: range is full`);
    this.#given.add(port);
    return port;
  }

  has(port: number): boolean {
    return this.#given.has(port);
  }
}

/** A number on the nodes for every port. The same port under two protocols shares one. */
function takePorts(
  service: Service,
  ports: readonly ServicePort[],
  chooses: boolean,
  own: ReadonlySet<number>,
  take: PortTaker,
): readonly ServicePort[] {
  const numbers = ports.map(({ nodePort = 0 }) => nodePort);
  // First the numbers that are asked for, so that chance does not take one of them.
  numbers.forEach((wanted, i) => {
    if (wanted === 0 || take.has(wanted)) return;
    const fault = take.one(wanted);
    if (fault !== undefined && !own.has(wanted)) {
      throw refusal(service, [invalidField(`${index("spec.ports", i)}.nodePort`, wanted, fault)]);
    }
  });
  return ports.map((port, i) => {
    if ((numbers[i] ?? 0) !== 0 || !chooses) return port;
    const twin = ports.findIndex((other, j) => j !== i && other.port === port.port && (numbers[j] ?? 0) !== 0);
    const number = twin === -1 ? take.any("nodePort") : (numbers[twin] ?? 0);
    numbers[i] = number;
    return { ...port, nodePort: number };
  });
}

const addressClaim = (address: string): string => `${addressClaims}${address}`;
const nodePortClaim = (port: number): string => `${nodePortClaims}${port}`;

function addressesOf({ spec }: Service): readonly string[] {
  if (spec.type === "ExternalName") return [];
  return (spec.clusterIPs ?? []).filter((address) => address !== "None" && address !== "");
}

function nodePortsOf(service: Service): readonly number[] {
  const { spec } = service;
  const ports = needsNodePorts(spec.type) ? (spec.ports ?? []).map(({ nodePort = 0 }) => nodePort) : [];
  const check = needsHealthCheck(service) ? [spec.healthCheckNodePort ?? 0] : [];
  return [...new Set([...ports, ...check].filter((port) => port !== 0))];
}

function refuse(service: Service, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw refusal(service, errors);
}

function refusal(service: Service, errors: readonly FieldError[]): Error {
  return invalid({ group: "", kind: "Service" }, service.metadata.name, fieldCauses(errors));
}

const asService = (object: ApiObject): Service => object as unknown as Service;
