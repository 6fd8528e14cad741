// EndpointSlices: where a Service leads, in portions (pod-lifecycle 13.9).

import { specialAddressErrors } from "../../core/v1/special-addresses.ts";
import type { Draft } from "../../draft.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "../../generated/discovery-v1.ts";
import { checkImmutable, checkName, checkRequiredOneOf } from "../../meta/field-checks.ts";
import { child, duplicate, type FieldError, index, invalid, required, tooMany } from "../../meta/field-errors.ts";
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  ipAddressProblems,
  isIpv4,
  isIpv6,
  portNumberProblems,
  qualifiedNameProblems,
} from "../../meta/names.ts";

/** How many endpoints one slice may hold. */
export const sliceCapacity = 1000;
const addressesOfEndpointLimit = 100;
const portLimit = 20_000;
const hintLimit = 8;

/** The slice with every default; what older versions of the API kept in `deprecatedTopology` this one has fields for. */
export function defaultEndpointSlice(slice: Draft<EndpointSlice>): EndpointSlice {
  return {
    ...slice,
    endpoints: (slice.endpoints ?? []).map(({ deprecatedTopology: _topology, ...endpoint }) => endpoint),
    ...(slice.ports !== undefined && {
      ports: slice.ports.map((port) => ({ ...port, name: port.name ?? "", protocol: port.protocol ?? "TCP" })),
    }),
  } as EndpointSlice;
}

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const { endpoints } = slice;
  return [
    ...checkRequiredOneOf("addressType", slice.addressType, ["FQDN", "IPv4", "IPv6"]),
    ...(endpoints.length > sliceCapacity ? [tooMany("endpoints", endpoints.length, sliceCapacity)] : []),
    ...endpoints.flatMap((endpoint, i) => validateEndpoint(endpoint, slice.addressType, index("endpoints", i))),
    ...validatePorts(slice.ports ?? []),
  ];
}

export function validateEndpointSliceUpdate(next: EndpointSlice, old: EndpointSlice): FieldError[] {
  return [...validateEndpointSlice(next), ...checkImmutable("addressType", next.addressType, old.addressType)];
}

function validateEndpoint(endpoint: Endpoint, addressType: EndpointSlice["addressType"], path: string): FieldError[] {
  const { addresses, hostname, nodeName, hints } = endpoint;
  const field = child(path, "addresses");
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(field, "must contain at least 1 address"));
  else if (addresses.length > addressesOfEndpointLimit) {
    errors.push(tooMany(field, addresses.length, addressesOfEndpointLimit));
  }
  errors.push(...addresses.flatMap((address, i) => validateAddress(address, addressType, index(field, i))));
  if (nodeName !== undefined) errors.push(...checkName(child(path, "nodeName"), nodeName, dns1123SubdomainProblems));
  if (hostname !== undefined) errors.push(...checkName(child(path, "hostname"), hostname, dns1123LabelProblems));
  errors.push(...validateHints("forZones", hints?.forZones ?? [], path));
  return [...errors, ...validateHints("forNodes", hints?.forNodes ?? [], path)];
}

function validateAddress(address: string, addressType: EndpointSlice["addressType"], path: string): FieldError[] {
  switch (addressType) {
    case "IPv4":
      if (!isIpv4(address)) return [invalid(path, address, "must be a valid IPv4 address")];
      return specialAddressErrors(address, path);
    case "IPv6":
      if (!isIpv6(address)) return [invalid(path, address, "must be a valid IPv6 address")];
      return specialAddressErrors(address, path);
    case "FQDN":
      return validateDomainName(address, path);
  }
  return ipAddressProblems(address).map((problem) => invalid(path, address, problem)); // an unknown type
}

function validateDomainName(name: string, path: string): FieldError[] {
  const errors = checkName(path, name.replace(/\.$/, ""), dns1123SubdomainProblems);
  if (errors.length > 0) return errors;
  return name.split(".").length < 2
    ? [invalid(path, name, "should be a domain with at least two segments separated by dots")]
    : [];
}

function validateHints(
  field: "forZones" | "forNodes",
  hints: readonly { readonly name: string }[],
  path: string,
): FieldError[] {
  const at = child(path, "hints", field);
  const errors = hints.length > hintLimit ? [tooMany(at, hints.length, hintLimit)] : [];
  hints.forEach(({ name }, i) => {
    if (hints.findIndex((other) => other.name === name) < i) errors.push(duplicate(child(index(at, i), "name"), name));
    errors.push(...checkName(child(index(at, i), "name"), name, dns1123SubdomainProblems));
  });
  return errors;
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  const errors = ports.length > portLimit ? [tooMany("ports", ports.length, portLimit)] : [];
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const path = index("ports", i);
    const { name = "" } = port;
    if (name !== "") errors.push(...checkName(child(path, "name"), name, dns1123LabelProblems));
    if (names.has(name)) errors.push(duplicate(child(path, "name"), name));
    names.add(name);
    errors.push(...checkRequiredOneOf(child(path, "protocol"), port.protocol, ["SCTP", "TCP", "UDP"]));
    if (port.port !== undefined) {
      errors.push(...portNumberProblems(port.port).map((problem) => invalid(child(path, "port"), port.port, problem)));
    }
    if (port.appProtocol !== undefined) {
      errors.push(...checkName(child(path, "appProtocol"), port.appProtocol, qualifiedNameProblems));
    }
  });
  return errors;
}
