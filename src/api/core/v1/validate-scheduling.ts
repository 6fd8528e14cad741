// What a Pod says about where it may run (pod-lifecycle 11.4, 15.2).

import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodSchedulingGate,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from "../../generated/core-v1.ts";
import { checkName, checkOneOf } from "../../meta/field-checks.ts";
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
} from "../../meta/field-errors.ts";
import { validateLabelName, validateLabelSelector } from "../../meta/label-selector.ts";
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  labelValueProblems,
  qualifiedNameProblems,
} from "../../meta/names.ts";

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const node = affinity?.nodeAffinity;
  const nodePath = child(path, "nodeAffinity");
  if (node?.requiredDuringSchedulingIgnoredDuringExecution !== undefined) {
    const at = child(nodePath, requiredTerms);
    errors.push(...validateNodeSelector(node.requiredDuringSchedulingIgnoredDuringExecution, at));
  }
  node?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, preference }, position) => {
    const at = index(child(nodePath, preferredTerms), position);
    errors.push(...validateWeight(weight, at));
    // A preference with an impossible value only never helps.
    errors.push(...validateNodeSelectorTerm(preference, child(at, "preference"), { checkValues: false }));
  });
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    const pods = affinity?.[kind];
    pods?.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, position) => {
      errors.push(...validatePodAffinityTerm(term, index(child(path, kind, requiredTerms), position)));
    });
    pods?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, podAffinityTerm }, position) => {
      const at = index(child(path, kind, preferredTerms), position);
      errors.push(...validateWeight(weight, at));
      errors.push(...validatePodAffinityTerm(podAffinityTerm, child(at, "podAffinityTerm")));
    });
  }
  return errors;
}

const requiredTerms = "requiredDuringSchedulingIgnoredDuringExecution";
const preferredTerms = "preferredDuringSchedulingIgnoredDuringExecution";

function validateWeight(weight: number, path: string): FieldError[] {
  return weight > 0 && weight <= 100 ? [] : [invalid(child(path, "weight"), weight, "must be in the range 1-100")];
}

export function validateNodeSelector({ nodeSelectorTerms: terms }: NodeSelector, path: string): FieldError[] {
  const at = child(path, "nodeSelectorTerms");
  if (terms.length === 0) return [required(at, "must have at least one node selector term")];
  return terms.flatMap((term, position) => validateNodeSelectorTerm(term, index(at, position), { checkValues: true }));
}

function validateNodeSelectorTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  path: string,
  { checkValues }: { readonly checkValues: boolean },
): FieldError[] {
  return [
    ...matchExpressions.flatMap((requirement, position) =>
      validateExpression(requirement, index(child(path, "matchExpressions"), position), checkValues),
    ),
    ...matchFields.flatMap((requirement, position) =>
      validateFieldRequirement(requirement, index(child(path, "matchFields"), position)),
    ),
  ];
}

function validateExpression(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  checkValues: boolean,
): FieldError[] {
  const at = child(path, "values");
  return [
    ...operatorErrors(operator, values, path),
    ...validateLabelName(key, child(path, "key")),
    ...(checkValues
      ? values.flatMap((value, position) => checkName(index(at, position), value, labelValueProblems))
      : []),
  ];
}

function operatorErrors(operator: string, values: readonly string[], path: string): FieldError[] {
  const at = child(path, "values");
  switch (operator) {
    case "In":
    case "NotIn":
      return values.length > 0 ? [] : [required(at, "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist":
      if (values.length === 0) return [];
      return [forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    case "Gt":
    case "Lt":
      if (values.length === 1) return [];
      return [required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
    default:
      return [invalid(child(path, "operator"), operator, "not a valid selector operator")];
  }
}

function validateFieldRequirement({ key, operator, values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const at = child(path, "values");
  const errors: FieldError[] = [];
  if (operator !== "In" && operator !== "NotIn") {
    errors.push(invalid(child(path, "operator"), operator, "not a valid selector operator"));
  } else if (values.length !== 1) {
    const text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(at, text));
  }
  if (key !== "metadata.name") {
    return [...errors, invalid(child(path, "key"), key, "not a valid field selector key")];
  }
  return [
    ...errors,
    ...values.flatMap((value, position) => checkName(index(at, position), value, dns1123SubdomainProblems)),
  ];
}

function validatePodAffinityTerm(term: PodAffinityTerm, path: string): FieldError[] {
  const { labelSelector, namespaceSelector, namespaces = [], topologyKey } = term;
  return [
    ...validateLabelSelector(labelSelector, child(path, "labelSelector")),
    ...validateLabelSelector(namespaceSelector, child(path, "namespaceSelector")),
    ...namespaces.flatMap((name) => checkName(child(path, "namespace"), name, dns1123LabelProblems)),
    ...validateLabelKeys(term, path),
    ...(topologyKey === "" ? [required(child(path, "topologyKey"), "can not be empty")] : []),
    ...validateLabelName(topologyKey, child(path, "topologyKey")),
  ];
}

function validateLabelKeys(term: PodAffinityTerm, path: string): FieldError[] {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  const errors: FieldError[] = [];
  for (const [field, keys] of [
    ["matchLabelKeys", matchLabelKeys],
    ["mismatchLabelKeys", mismatchLabelKeys],
  ] as const) {
    if (keys.length === 0) continue;
    const at = child(path, field);
    if (labelSelector === undefined) {
      errors.push(forbidden(at, "must not be specified when labelSelector is not set"));
    } else {
      errors.push(...keys.flatMap((key, position) => validateLabelName(key, index(at, position))));
    }
  }
  matchLabelKeys.forEach((key, position) => {
    if (mismatchLabelKeys.includes(key)) {
      const text = "exists in both matchLabelKeys and mismatchLabelKeys";
      errors.push(invalid(index(child(path, "matchLabelKeys"), position), key, text));
    }
  });
  return errors;
}

export function validateTolerations(tolerations: readonly Toleration[], path: string): FieldError[] {
  return tolerations.flatMap(({ key = "", operator, value = "", effect, tolerationSeconds }, position) => {
    const at = index(path, position);
    const errors = key === "" ? [] : validateLabelName(key, child(at, "key"));
    const operatorPath = child(at, "operator");
    if (key === "" && operator !== "Exists") {
      const text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(operatorPath, operator ?? "", text));
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const text = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(invalid(child(at, "effect"), effect ?? "", text));
    }
    if (operator === undefined || operator === "Equal") {
      const problems = labelValueProblems(value);
      // Upstream names the operator here, not the value.
      if (problems.length > 0) errors.push(invalid(operatorPath, value, problems.join(";")));
    } else if (operator === "Exists") {
      if (value !== "") errors.push(invalid(operatorPath, value, "value must be empty when `operator` is 'Exists'"));
    } else {
      errors.push(notSupported(operatorPath, operator, ["Equal", "Exists"]));
    }
    return [...errors, ...checkOneOf(child(at, "effect"), effect, taintEffects)];
  });
}

export const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function validateSchedulingGates(gates: readonly PodSchedulingGate[], path: string): FieldError[] {
  const seen = new Set<string>();
  return gates.flatMap(({ name }, position) => {
    const at = index(path, position);
    const errors = checkName(at, name, qualifiedNameProblems);
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    return errors;
  });
}

export function validateReadinessGates(gates: NonNullable<PodSpec["readinessGates"]>, path: string): FieldError[] {
  return gates.flatMap(({ conditionType }, position) =>
    checkName(child(index(path, position), "conditionType"), conditionType, qualifiedNameProblems),
  );
}

export function validateTopologySpread(constraints: readonly TopologySpreadConstraint[], path: string): FieldError[] {
  return constraints.flatMap((constraint, position) => {
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    const at = index(path, position);
    const errors: FieldError[] = [];
    if (maxSkew <= 0) errors.push(invalid(child(at, "maxSkew"), maxSkew, "must be greater than zero"));
    if (topologyKey === "") errors.push(required(child(at, "topologyKey"), "can not be empty"));
    errors.push(...checkOneOf(child(at, "whenUnsatisfiable"), whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"]));
    const again = constraints
      .slice(position + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (again) {
      errors.push(duplicate(child(at, "{topologyKey, whenUnsatisfiable}"), `{${topologyKey}, ${whenUnsatisfiable}}`));
    }
    if (minDomains !== undefined) {
      const domains = child(at, "minDomains");
      if (minDomains <= 0) errors.push(invalid(domains, minDomains, "must be greater than zero"));
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const text = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(invalid(domains, minDomains, text));
      }
    }
    for (const field of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      errors.push(...checkOneOf(child(at, field), constraint[field], ["Honor", "Ignore"]));
    }
    errors.push(...validateSpreadKeys(constraint, child(at, "matchLabelKeys")));
    return [...errors, ...validateLabelSelector(constraint.labelSelector, child(at, "labelSelector"))];
  });
}

function validateSpreadKeys(
  { matchLabelKeys = [], labelSelector }: TopologySpreadConstraint,
  path: string,
): FieldError[] {
  if (matchLabelKeys.length === 0) return [];
  const selected = new Set([
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
  ]);
  return [
    ...(labelSelector === undefined ? [forbidden(path, "must not be specified when labelSelector is not set")] : []),
    ...matchLabelKeys.flatMap((key, position) => [
      ...validateLabelName(key, index(path, position)),
      ...(selected.has(key)
        ? [invalid(index(path, position), key, "exists in both matchLabelKeys and labelSelector")]
        : []),
    ]),
  ];
}
