// What may be asked for and limited (pod-lifecycle 15.2).

import type { PodSpec, ResourceRequirements } from "../../generated/core-v1.ts";
import { checkName } from "../../meta/field-checks.ts";
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  goQuote,
  index,
  invalid,
  key,
  notSupported,
  required,
} from "../../meta/field-errors.ts";
import { dns1123LabelProblems, qualifiedNameProblems } from "../../meta/names.ts";
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  zeroQuantity,
} from "../../meta/quantity.ts";
import { aggregateContainers, isPodLevelResource } from "./pod-requests.ts";
import {
  isExtendedResource,
  isHugePages,
  isNativeResource,
  isOvercommitAllowed,
  isStandardContainerResource,
  isStandardResource,
  isWholeHugePages,
  isWholeResource,
} from "./resource-names.ts";

/** Checks a container's resources. `claimNames` are those of `spec.resourceClaims`. */
export function validateContainerResources(
  resources: ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  return validateRequirements(resources ?? {}, containerResourceNameErrors, claimNames, path);
}

/** Checks the resources of the Pod as a whole, also against those of its containers. */
export function validatePodLevelResources(spec: PodSpec, path: string): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  const errors: FieldError[] = [];
  if (resources.claims !== undefined) {
    errors.push(forbidden(child(path, "claims"), "claims cannot be set for Resources at pod-level"));
  }
  errors.push(...validateRequirements(resources, podResourceNameErrors, new Set(), path));
  for (const [name, needed] of Object.entries(aggregateContainers({ spec }, "requests"))) {
    const requested = parseQuantity(amountIn(resources.requests, name) ?? "0");
    if (compareQuantities(needed, requested) > 0) {
      const text = `must be greater than or equal to aggregate container requests of ${formatQuantity(needed)}`;
      errors.push(invalid(key(child(path, "requests"), name), formatQuantity(requested), text));
    }
  }
  spec.containers.forEach((container, position) => {
    for (const [name, limit] of Object.entries(container.resources.limits ?? {})) {
      const podLimit = amountIn(resources.limits, name);
      if (podLimit === undefined || compareQuantities(parseQuantity(limit), parseQuantity(podLimit)) <= 0) continue;
      const at = child(key(index(child(path, "containers"), position), name), "limits");
      errors.push(invalid(at, limit, `must be less than or equal to pod limits of ${podLimit}`));
    }
  });
  return errors;
}

/** Checks a resource list that limits nothing: `spec.overhead`. */
export function validateOverhead(overhead: Readonly<Record<string, string>>, path: string): FieldError[] {
  return validateRequirements({ limits: overhead }, containerResourceNameErrors, new Set(), path);
}

/** An amount must not be negative, and whole where only whole units exist. */
export function validateResourceAmount(name: string, amount: string, path: string): FieldError[] {
  const quantity = parseQuantity(amount);
  const errors: FieldError[] = [];
  if (compareQuantities(quantity, zeroQuantity) < 0) {
    errors.push(invalid(path, amount, "must be greater than or equal to 0"));
  }
  if (isWholeResource(name) && quantityMilliValue(quantity) % 1000n !== 0n) {
    errors.push(invalid(path, amount, "must be an integer"));
  }
  return errors;
}

/** A list's own entry: a resource may be called like something that every object inherits. */
function amountIn(list: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return list !== undefined && Object.hasOwn(list, name) ? list[name] : undefined;
}

type NameErrors = (name: string, path: string) => FieldError[];

function validateRequirements(
  { requests = {}, limits = {}, claims = [] }: ResourceRequirements,
  nameErrors: NameErrors,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const amountErrors = (name: string, amount: string, at: string): FieldError[] => [
    ...nameErrors(name, at),
    ...validateResourceAmount(name, amount, at),
    ...(isHugePages(name) && !isWholeHugePages(name, amount)
      ? [invalid(at, amount, `${amount} is not positive integer multiple of ${name}`)]
      : []),
  ];
  const limitsPath = child(path, "limits");
  const requestsPath = child(path, "requests");
  for (const [name, limit] of Object.entries(limits)) errors.push(...amountErrors(name, limit, key(limitsPath, name)));
  for (const [name, request] of Object.entries(requests)) {
    errors.push(...amountErrors(name, request, key(requestsPath, name)));
    errors.push(...requestAgainstLimit(name, request, amountIn(limits, name), path));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    errors.push(forbidden(path, "HugePages require cpu or memory"));
  }
  errors.push(...validateClaims(claims, claimNames, child(path, "claims")));
  return errors;
}

function requestAgainstLimit(name: string, request: string, limit: string | undefined, path: string): FieldError[] {
  if (limit === undefined) {
    if (isOvercommitAllowed(name)) return [];
    return [required(child(path, "limits"), "Limit must be set for non overcommitable resources")];
  }
  const comparison = compareQuantities(parseQuantity(request), parseQuantity(limit));
  if (comparison !== 0 && !isOvercommitAllowed(name)) {
    return [invalid(child(path, "requests"), request, `must be equal to ${name} limit of ${limit}`)];
  }
  if (comparison > 0) {
    return [invalid(child(path, "requests"), request, `must be less than or equal to ${name} limit of ${limit}`)];
  }
  return [];
}

function resourceNameErrors(name: string, path: string): FieldError[] {
  const errors = checkName(path, name, qualifiedNameProblems);
  if (errors.length === 0 && !name.includes("/") && !isStandardResource(name)) {
    errors.push(invalid(path, name, "must be a standard resource type or fully qualified"));
  }
  return errors;
}

function containerResourceNameErrors(name: string, path: string): FieldError[] {
  const errors = resourceNameErrors(name, path);
  if (!name.includes("/")) {
    if (!isStandardContainerResource(name)) {
      errors.push(invalid(path, name, "must be a standard resource for containers"));
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

function podResourceNameErrors(name: string, path: string): FieldError[] {
  const errors = resourceNameErrors(name, path);
  if (errors.length > 0 || isPodLevelResource(name)) return errors;
  return [notSupported(path, name, ["cpu", "hugepages-", "memory"])];
}

function validateClaims(
  claims: NonNullable<ResourceRequirements["claims"]>,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  claims.forEach(({ name, request }, position) => {
    const at = index(path, position);
    if (name === "") {
      errors.push(required(at));
      return;
    }
    if (request !== undefined) errors.push(...checkName(child(at, "request"), request, dns1123LabelProblems));
    const full = request === undefined ? name : `${name}/${request}`;
    const overlaps = request === undefined && [...seen].some((other) => other.startsWith(`${name}/`));
    if (seen.has(name) || seen.has(full) || overlaps) errors.push(duplicate(at, seen.has(name) ? name : full));
    seen.add(full);
    if (!claimNames.has(name)) {
      const known = claimNames.size === 0 ? " which is empty" : `: ${[...claimNames].toSorted().join(", ")}`;
      const body = `Not found: ${goQuote(name)}: must be one of the names in pod.spec.resourceClaims${known}`;
      errors.push({ type: "FieldValueNotFound", field: at, body, badValue: name });
    }
  });
  return errors;
}
