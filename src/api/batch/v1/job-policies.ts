// When a failed Pod counts, and when a Job has succeeded before its end (pod-lifecycle 13.5.7).

import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from "../../generated/batch-v1.ts";
import { checkName, checkNotNegative } from "../../meta/field-checks.ts";
import {
  child,
  duplicate,
  type FieldError,
  goQuote,
  index,
  invalid,
  invalidWhole,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../../meta/field-errors.ts";
import { byteLength, qualifiedNameProblems } from "../../meta/names.ts";
import { checkIndexes, countIndexes } from "./completion-indexes.ts";

const maxRules = 20;
const maxExitCodes = 255;
const maxPatterns = 20;
const maxIndexesBytes = 64 * 1024;

const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const operators = ["In", "NotIn"];
const statuses = ["False", "True", "Unknown"];

/** `valid values: ["In" "NotIn"]`, as Go prints a list. */
const validValues = (values: readonly string[]): string => `valid values: [${values.map(goQuote).join(" ")}]`;

export function validatePodFailurePolicy(spec: JobSpec, { rules }: PodFailurePolicy, path: string): FieldError[] {
  const at = child(path, "rules");
  const { containers, initContainers = [] } = spec.template.spec;
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  return [
    ...(rules.length > maxRules ? [tooMany(at, rules.length, maxRules)] : []),
    ...rules.flatMap((rule, i) => validateRule(spec, rule, names, index(at, i))),
  ];
}

function validateRule(
  { backoffLimitPerIndex }: JobSpec,
  { action, onExitCodes, onPodConditions = [] }: PodFailurePolicyRule,
  names: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = child(path, "action");
  if (!action) errors.push(required(at, validValues(actions)));
  else if (!actions.includes(action)) errors.push(notSupported(at, action, actions));
  else if (action === "FailIndex" && backoffLimitPerIndex === undefined) {
    errors.push(invalid(at, action, "requires the backoffLimitPerIndex to be set"));
  }
  if (onExitCodes !== undefined) errors.push(...validateExitCodes(onExitCodes, names, child(path, "onExitCodes")));
  if (onPodConditions.length > 0) errors.push(...validatePatterns(onPodConditions, child(path, "onPodConditions")));
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    errors.push(invalidWhole(path, "specifying both OnExitCodes and OnPodConditions is not supported"));
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    errors.push(invalidWhole(path, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
  return errors;
}

function validateExitCodes(
  { operator, containerName, values }: PodFailurePolicyOnExitCodesRequirement,
  names: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = child(path, "values");
  if (!operator) errors.push(required(child(path, "operator"), validValues(operators)));
  else if (!operators.includes(operator)) errors.push(notSupported(child(path, "operator"), operator, operators));
  if (containerName !== undefined && !names.has(containerName)) {
    const text = "must be one of the container or initContainer names in the pod template";
    errors.push(invalid(child(path, "containerName"), containerName, text));
  }
  if (values.length === 0) errors.push(invalid(at, values, "at least one value is required"));
  else if (values.length > maxExitCodes) errors.push(tooMany(at, values.length, maxExitCodes));
  values.forEach((value, i) => {
    if (operator === "In" && value === 0) {
      errors.push(invalid(index(at, i), value, "must not be 0 for the In operator"));
    }
    if (values.indexOf(value) < i) errors.push(duplicate(index(at, i), value));
  });
  const isOrdered = values.every((value, i) => i === 0 || (values[i - 1] as number) <= value);
  if (!isOrdered) errors.push(invalid(at, values, "must be ordered"));
  return errors;
}

function validatePatterns(patterns: readonly PodFailurePolicyOnPodConditionsPattern[], path: string): FieldError[] {
  return [
    ...(patterns.length > maxPatterns ? [tooMany(path, patterns.length, maxPatterns)] : []),
    ...patterns.flatMap(({ type, status }, i) => {
      const at = child(index(path, i), "status");
      return [
        ...checkName(child(index(path, i), "type"), type, qualifiedNameProblems),
        ...(status
          ? statuses.includes(status)
            ? []
            : [notSupported(at, status, statuses)]
          : [required(at, validValues(statuses))]),
      ];
    }),
  ];
}

export function validateSuccessPolicy(spec: JobSpec, { rules }: SuccessPolicy, path: string): FieldError[] {
  const at = child(path, "rules");
  const none = "at least one rules must be specified when the successPolicy is specified";
  return [
    ...(rules.length === 0 ? [required(at, none)] : []),
    ...(rules.length > maxRules ? [tooMany(at, rules.length, maxRules)] : []),
    ...rules.flatMap((rule, i) => validateSuccessRule(spec, rule, index(at, i))),
  ];
}

function validateSuccessRule(
  { completions = 0 }: JobSpec,
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.push(required(path, "at least one of succeededCount or succeededIndexes must be specified"));
  }
  let named = 0;
  if (succeededIndexes !== undefined) {
    const at = child(path, "succeededIndexes");
    if (byteLength(succeededIndexes) > maxIndexesBytes) errors.push(tooLong(at, maxIndexesBytes));
    const checked = checkIndexes(succeededIndexes, completions);
    if (checked.kind === "indexes") named = countIndexes(checked.intervals);
    else errors.push(invalid(at, succeededIndexes, `error parsing succeededIndexes: ${checked.problem}`));
  }
  if (succeededCount === undefined) return errors;
  const at = child(path, "succeededCount");
  const refuse = (most: number, what: string): void => {
    errors.push(invalid(at, succeededCount, `must be less than or equal to ${most} (the number of ${what})`));
  };
  errors.push(...checkNotNegative(at, succeededCount));
  if (succeededCount > completions) refuse(completions, "specified completions");
  if (succeededIndexes !== undefined && succeededCount > named) {
    refuse(named, "indexes in the specified succeededIndexes field");
  }
  return errors;
}
