// Nodes: taints, addresses, amounts, and what of them stays once it is set (pod-lifecycle 11.4).

import type { Draft } from "../../draft.ts";
import type { Node, Taint } from "../../generated/core-v1.ts";
import { checkRequiredOneOf } from "../../meta/field-checks.ts";
import { child, duplicate, type FieldError, forbidden, goValue, index, invalid } from "../../meta/field-errors.ts";
import { sameJson } from "../../meta/json-object.ts";
import { validateLabelName } from "../../meta/label-selector.ts";
import { isIpv4, isIpv6, labelValueProblems } from "../../meta/names.ts";
import { roundedList } from "./default-resources.ts";
import { validateResourceAmount } from "./validate-resources.ts";
import { taintEffects } from "./validate-scheduling.ts";

/** The Node with its defaults: what it has is there for Pods unless it says otherwise. */
export function defaultNode(node: Draft<Node>): Node {
  const { capacity, allocatable = capacity } = node.status ?? {};
  return {
    ...node,
    spec: node.spec ?? {},
    status: {
      ...node.status,
      ...(capacity === undefined ? {} : { capacity: roundedList(capacity) }),
      ...(allocatable === undefined ? {} : { allocatable: roundedList(allocatable) }),
    },
  } as Node;
}

export function validateNode(node: Node): FieldError[] {
  return [
    ...validateTaints(node.spec.taints ?? []),
    ...validateAmounts(node),
    ...validatePodCidrs(node.spec.podCIDRs ?? []),
  ];
}

/** Also for updates of the status. */
export function validateNodeUpdate(next: Node, old: Node): FieldError[] {
  const errors = validateAmounts(next);
  const addresses = next.status.addresses ?? [];
  addresses.forEach((address, position) => {
    const first = addresses.findIndex((other) => sameJson(other, address));
    if (first < position) errors.push(duplicate(index("status.addresses", position), address));
  });
  const oldCidrs = old.spec.podCIDRs ?? [];
  if (oldCidrs.length > 0 && !sameJson(oldCidrs, next.spec.podCIDRs ?? [])) {
    errors.push(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  }
  if ((old.spec.providerID ?? "") !== "" && old.spec.providerID !== next.spec.providerID) {
    errors.push(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  }
  errors.push(...validateTaints(next.spec.taints ?? []));
  if ((next.spec.externalID ?? "") !== (old.spec.externalID ?? "")) {
    errors.push(forbidden("spec.externalID", "may not be updated"));
  }
  return errors;
}

/** Upstream looks for the taints in the metadata. */
const taintsPath = "metadata.taints";

function validateTaints(taints: readonly Taint[]): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, position) => {
    const at = index(taintsPath, position);
    const errors = validateLabelName(taint.key, child(at, "key"));
    const problems = labelValueProblems(taint.value ?? "");
    if (problems.length > 0) errors.push(invalid(child(at, "value"), taint.value, problems.join(";")));
    errors.push(...checkRequiredOneOf(child(at, "effect"), taint.effect, taintEffects));
    const name = `${taint.effect}/${taint.key}`;
    if (seen.has(name)) {
      const text = "taints must be unique by key and effect pair";
      errors.push({ ...duplicate(at, taint), body: `Duplicate value: ${goValue(taint)}: ${text}` });
    }
    seen.add(name);
    return errors;
  });
}

function validateAmounts({ status }: Node): FieldError[] {
  return (["capacity", "allocatable"] as const).flatMap((field) =>
    Object.entries(status[field] ?? {}).flatMap(([name, amount]) =>
      validateResourceAmount(name, amount, child("status", field, name)),
    ),
  );
}

function validatePodCidrs(cidrs: readonly string[]): FieldError[] {
  const path = "spec.podCIDRs";
  const errors = cidrs.flatMap((cidr, position) => {
    if (cidrFamily(cidr) !== undefined) return [];
    return [invalid(index(path, position), cidr, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
  });
  if (cidrs.length < 2 || errors.length > 0) return errors;
  if (cidrs.length > 2 || cidrFamily(cidrs[0] ?? "") === cidrFamily(cidrs[1] ?? "")) {
    errors.push(invalid(path, cidrs, "may specify no more than one CIDR for each IP family"));
  }
  cidrs.forEach((cidr, position) => {
    if (cidrs.indexOf(cidr) < position) errors.push(duplicate(index(path, position), cidr));
  });
  return errors;
}

function cidrFamily(cidr: string): 4 | 6 | undefined {
  const match = /^(.+)\/(0|[1-9]\d{0,2})$/.exec(cidr);
  const [address = "", bits] = [match?.[1], Number(match?.[2])];
  if (isIpv4(address) && bits <= 32) return 4;
  return isIpv6(address) && bits <= 128 ? 6 : undefined;
}
