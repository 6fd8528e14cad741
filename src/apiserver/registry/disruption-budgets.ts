// What disruption budgets say about evicting a Pod, and how an eviction is booked in them (pod-lifecycle 12.5). The booking is written before the Pod is
// deleted: a server that ends in between has lost a disruption for two minutes, never granted one too many.

import type { PodDisruptionBudget } from "../../api/index.ts";
import { labelSelectorMatches } from "../../api/meta/label-selector.ts";
import { verdictOn, withDisruptionVerdict } from "../../api/policy/v1/pod-disruption-budget.ts";
import { forbidden, StatusError, timeout, tooManyRequests, isReason } from "../../api/wire/status-error.ts";
import { type Clock, formatTime, type Instant } from "../../base/time.ts";
import { type ApiObject, listAt, objectAt, withField } from "./api-object.ts";
import type { Registry } from "./registry.ts";
import type { RequestContext } from "./request-context.ts";
import { prefixFor } from "./resource-definition.ts";

/** More evictions than this that no controller has confirmed are a sign that none is at work. */
export const disruptedPodsLimit = 2000;

/** Under what condition the Pod may go. */
export type EvictionPermit =
  | { readonly kind: "granted" }
  /** Only as it is now, not ready: ready it would count. */
  | { readonly kind: "whileNotReady"; readonly budget: string };

export class DisruptionBudgets {
  readonly #registry: Registry;
  readonly #clock: Clock;

  constructor(registry: Registry, clock: Clock) {
    this.#registry = registry;
    this.#clock = clock;
  }

  /**
   * Asks the budgets of the Pod, and books the eviction in the one that grants it.
   * @throws StatusError TooManyRequests, Forbidden, Timeout; without a reason if there are several budgets
   */
  async permit(pod: ApiObject, context: RequestContext): Promise<EvictionPermit> {
    const budgets = await this.#budgetsOf(pod);
    const [budget] = budgets;
    if (budget === undefined) return { kind: "granted" };
    if (budgets.length > 1) throw severalBudgets();
    const { name } = budget.metadata;
    if (!isReady(pod) && mayLoseUnready(budget)) return { kind: "whileNotReady", budget: name };
    await this.#book(budget, pod, context);
    return { kind: "granted" };
  }

  async #budgetsOf({ metadata }: ApiObject): Promise<readonly PodDisruptionBudget[]> {
    const { namespace = "", labels = {} } = metadata;
    if (Object.keys(labels).length === 0) return [];
    const cache = await this.#registry.cache();
    return [...cache.range(prefixFor(this.#registry.definition, namespace))]
      .map(({ object }) => object as unknown as PodDisruptionBudget)
      .filter(({ spec }) => labelSelectorMatches(spec.selector, labels));
  }

  async #book({ metadata }: PodDisruptionBudget, pod: ApiObject, context: RequestContext): Promise<void> {
    const { name, namespace = "" } = metadata;
    const transform = (present: ApiObject): ApiObject => booked(present, pod.metadata.name ?? "", this.#clock.now());
    try {
      await this.#registry.update({ namespace, name, subresource: "status", transform, replaces: false }, context);
    } catch (error) {
      if (!isReason(error, "ServerTimeout")) throw error;
      throw timeout(`couldn't update PodDisruptionBudget ${JSON.stringify(name)} due to conflicts`, 10);
    }
  }
}

/** The 429 of a budget that does not know yet how many Pods it may lose. */
export function budgetIsBeingProcessed(name: string): StatusError {
  const message = `The disruption budget ${name} is still being processed by the server.`;
  return tooManyRequests(violation, 10, [{ reason: "DisruptionBudget", message, field: "" }]);
}

const violation = "Cannot evict pod as it would violate the pod's disruption budget.";

/** @throws StatusError TooManyRequests, Forbidden */
function booked(present: ApiObject, podName: string, now: Instant): ApiObject {
  const { metadata, status } = present as unknown as PodDisruptionBudget;
  const { name, generation = 0 } = metadata;
  const { observedGeneration = 0, disruptionsAllowed, disruptedPods = {}, conditions = [] } = status;
  if (observedGeneration < generation) throw budgetIsBeingProcessed(name);
  if (Object.keys(disruptedPods).length > disruptedPodsLimit) {
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw forbidden({ group: "policy", resource: "poddisruptionbudget" }, name, why);
  }
  if (disruptionsAllowed <= 0) {
    throw tooManyRequests(violation, 0, [{ reason: "DisruptionBudget", message: whyNone(name, status), field: "" }]);
  }
  const left = disruptionsAllowed - 1;
  return withField(present, "status", {
    ...status,
    disruptionsAllowed: left,
    disruptedPods: { ...disruptedPods, [podName]: formatTime(now) },
    ...(left === 0 && { conditions: withDisruptionVerdict(conditions, verdictOn(left), { observedGeneration, now }) }),
  });
}

function whyNone(name: string, { conditions = [], desiredHealthy, currentHealthy }: PodDisruptionBudget["status"]) {
  const failed = conditions.find(({ type, reason }) => type === "DisruptionAllowed" && reason === "SyncFailed");
  if (failed !== undefined) {
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${failed.message}`;
  }
  return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
}

/** Whether a Pod that is not ready may go without being counted. */
function mayLoseUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  return status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0;
}

function isReady(pod: ApiObject): boolean {
  const conditions = listAt(objectAt(pod, "status"), "conditions") as readonly { type: string; status: string }[];
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

function severalBudgets(): StatusError {
  const message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
  return new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
}
