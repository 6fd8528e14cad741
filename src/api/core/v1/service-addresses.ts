// The addresses of a Service inside the cluster, and their families (pod-lifecycle 13.9).

import type { Service } from "../../generated/core-v1.ts";
import { checkName, checkOneOf } from "../../meta/field-checks.ts";
import { duplicate, type FieldError, index, invalid, required } from "../../meta/field-errors.ts";
import { ipAddressProblems, isIpv6 } from "../../meta/names.ts";
import { isHeadless } from "./service.ts";

const path = "spec.clusterIPs";

/** What is wrong with `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy`, each alone and together. */
export function validateClusterIps(service: Service): FieldError[] {
  const { spec } = service;
  if (spec.type === "ExternalName") return [];
  const ips = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  const errors: FieldError[] = [];
  if ((spec.clusterIP ?? "") !== "") {
    if (ips.length === 0) errors.push(required(path));
    else if (ips[0] !== spec.clusterIP) errors.push(invalid(path, ips, "first value must match `clusterIP`"));
  } else if (ips.length > 0) errors.push(invalid(path, ips, "must be empty when `clusterIP` is not specified"));
  families.forEach((family, i) => {
    errors.push(...checkOneOf(index("spec.ipFamilies", i), family, ["IPv4", "IPv6"]));
    if (families.indexOf(family) < i) errors.push(duplicate(index("spec.ipFamilies", i), family));
  });
  const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
  errors.push(...checkOneOf("spec.ipFamilyPolicy", spec.ipFamilyPolicy, policies));
  const faults = addressFaults(ips);
  if (ips.length > 2) errors.push(invalid(path, ips, "may only hold up to 2 values"));
  if (faults.length > 0) return [...errors, ...faults];
  if (ips.length > 1 && new Set(ips.map(isIpv6)).size < ips.length) {
    errors.push(invalid(path, ips, "may specify no more than one IP for each IP family"));
  }
  if (isHeadless(service)) return errors;
  return [...errors, ...ips.flatMap((ip, i) => familyFault(ip, families[i], i))];
}

function addressFaults(ips: readonly string[]): FieldError[] {
  return ips.flatMap((ip, i) => {
    if (i === 0 && ip === "None") {
      return ips.length > 1 ? [invalid(path, ips, "'None' must be the first and only value")] : [];
    }
    return checkName(index(path, i), ip, ipAddressProblems);
  });
}

function familyFault(ip: string, family: string | undefined, i: number): FieldError[] {
  if (family === undefined || (family === "IPv6") === isIpv6(ip)) return [];
  return [invalid(index(path, i), ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)];
}

/** The first address and the first family stay as they are. */
export function validateClusterIpsUpdate(next: Service, old: Service): FieldError[] {
  if (next.spec.type === "ExternalName" || old.spec.type === "ExternalName") return [];
  const areHeadless = isHeadless(next) && isHeadless(old);
  return [
    ...(areHeadless ? [] : changedValues(path, "clusterIP", next.spec.clusterIPs ?? [], old.spec.clusterIPs ?? [])),
    ...(isHeadless(next)
      ? []
      : changedValues("spec.ipFamilies", "ipFamily", next.spec.ipFamilies ?? [], old.spec.ipFamilies ?? [])),
  ];
}

function changedValues(field: string, what: string, next: readonly string[], old: readonly string[]): FieldError[] {
  const changed = "may not change once set";
  if (next.length === old.length) {
    return old.flatMap((value, i) => (value === next[i] ? [] : [invalid(index(field, i), next, changed)]));
  }
  if (old.length < next.length) {
    return old.length > 0 && old[0] !== next[0] ? [invalid(index(field, 0), next, changed)] : [];
  }
  if (next.length === 0) return [invalid(index(field, 0), next, `primary ${what} can not be unset`)];
  return next[0] === old[0] ? [] : [invalid(index(field, 0), next, changed)];
}
