// Endpoints: the older list of where a Service leads (pod-lifecycle 13.9).

import type { Draft } from "../../draft.ts";
import type { EndpointAddress, EndpointPort, Endpoints, EndpointSubset } from "../../generated/core-v1.ts";
import { checkName, checkRequiredOneOf } from "../../meta/field-checks.ts";
import { child, type FieldError, index, invalid, required } from "../../meta/field-errors.ts";
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  ipAddressProblems,
  portNumberProblems,
  qualifiedNameProblems,
} from "../../meta/names.ts";
import { specialAddressErrors } from "./special-addresses.ts";

export function defaultEndpoints(endpoints: Draft<Endpoints>): Endpoints {
  if (endpoints.subsets === undefined) return endpoints as Endpoints;
  const subsets = endpoints.subsets.map((subset) =>
    subset.ports === undefined
      ? subset
      : { ...subset, ports: subset.ports.map((port) => ({ ...port, protocol: port.protocol ?? "TCP" })) },
  );
  return { ...endpoints, subsets } as Endpoints;
}

export function validateEndpoints({ subsets = [] }: Endpoints): FieldError[] {
  return subsets.flatMap((subset, i) => validateSubset(subset, index("subsets", i)));
}

function validateSubset(subset: EndpointSubset, path: string): FieldError[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const errors: FieldError[] = [];
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
  }
  const all = (field: string, list: readonly EndpointAddress[]): FieldError[] =>
    list.flatMap((address, i) => validateAddress(address, index(child(path, field), i)));
  return [
    ...errors,
    ...all("addresses", addresses),
    ...all("notReadyAddresses", notReadyAddresses),
    ...ports.flatMap((port, i) => validatePort(port, ports.length > 1, index(child(path, "ports"), i))),
  ];
}

function validateAddress({ ip, hostname = "", nodeName }: EndpointAddress, path: string): FieldError[] {
  const problems = checkName(child(path, "ip"), ip, ipAddressProblems);
  return [
    ...problems,
    ...(hostname === "" ? [] : checkName(child(path, "hostname"), hostname, dns1123LabelProblems)),
    ...(nodeName === undefined ? [] : checkName(child(path, "nodeName"), nodeName, dns1123SubdomainProblems)),
    ...(problems.length > 0 ? [] : specialAddressErrors(ip, child(path, "ip"))),
  ];
}

function validatePort(port: EndpointPort, needsName: boolean, path: string): FieldError[] {
  const { name = "" } = port;
  const errors: FieldError[] = [];
  if (name !== "") errors.push(...checkName(child(path, "name"), name, dns1123LabelProblems));
  else if (needsName) errors.push(required(child(path, "name")));
  errors.push(...portNumberProblems(port.port).map((problem) => invalid(child(path, "port"), port.port, problem)));
  errors.push(...checkRequiredOneOf(child(path, "protocol"), port.protocol, ["SCTP", "TCP", "UDP"]));
  if (port.appProtocol !== undefined) {
    errors.push(...checkName(child(path, "appProtocol"), port.appProtocol, qualifiedNameProblems));
  }
  return errors;
}
