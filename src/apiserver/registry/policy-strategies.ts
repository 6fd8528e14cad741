// Who may be driven out: PodDisruptionBudgets say how many of some Pods must stay, PriorityClasses who goes for whom (pod-lifecycle 11.5, 12.5).

import type { PodDisruptionBudget, PriorityClass } from "../../api/index.ts";
import { dns1123SubdomainProblems, pathSegmentProblems } from "../../api/meta/names.ts";
import {
  validatePodDisruptionBudget,
  validatePodDisruptionBudgetStatus,
} from "../../api/policy/v1/pod-disruption-budget.ts";
import {
  defaultPriorityClass,
  validatePriorityClass,
  validatePriorityClassUpdate,
} from "../../api/scheduling/v1/priority-class.ts";
import { type ApiObject, withField } from "./api-object.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";

/** After decoding the objects have the shape of their type, with an empty spec where none was sent. */
const as = (object: ApiObject): PodDisruptionBudget => object as unknown as PodDisruptionBudget;

const noStatus = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

export const podDisruptionBudgetStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: pathSegmentProblems,
  allowsUnconditionalUpdate: false,
  default: (budget) => withField(budget, "spec", budget["spec"] ?? {}),
  prepareForCreate: (budget) => withField(budget, "status", noStatus),
  validate: (budget) => validatePodDisruptionBudget(as(budget)),
  update: {
    prepare: (next, old) => withField(next, "status", old["status"]),
    validate: (next) => validatePodDisruptionBudget(as(next)),
  },
  subresources: {
    status: {
      prepare: (next, old) => withField(next, "spec", old["spec"]),
      validate: (next) => validatePodDisruptionBudgetStatus(as(next)),
    },
  },
};

const asClass = (object: ApiObject): PriorityClass => object as unknown as PriorityClass;

/** Its number is for good, so its generation never moves. */
export const priorityClassStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  default: (object) => defaultPriorityClass(asClass(object)) as unknown as ApiObject,
  validate: (object) => validatePriorityClass(asClass(object)),
  update: {
    prepare: (next) => next,
    validate: (next, old) => validatePriorityClassUpdate(asClass(next), asClass(old)),
    leavesGeneration: true,
  },
};
