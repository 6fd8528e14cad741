// What a Pod's failure means for its Job (pod-lifecycle 13.5.7).

import type { batchV1, ContainerStatus, Pod } from "../../api/index.ts";

export type FailureVerdict =
  /** It counts towards the limits. */
  | { readonly kind: "count" }
  /** It is as if it had not been. */
  | { readonly kind: "ignore" }
  /** The Pod's index is not tried again. */
  | { readonly kind: "failIndex" }
  /** The Job is not tried again. */
  | { readonly kind: "failJob"; readonly message: string };

/** The first rule that matches decides; without one the failure counts. */
export function judgeFailure(policy: batchV1.PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const match = matchOf(rule, pod);
    if (match === undefined) continue;
    switch (rule.action) {
      case "Ignore":
        return { kind: "ignore" };
      case "FailIndex":
        return { kind: "failIndex" };
      case "FailJob":
        return { kind: "failJob", message: `${match} matching FailJob rule at index ${index}` };
      case "Count":
        return { kind: "count" };
    }
  }
  return { kind: "count" };
}

/** What about the Pod the rule matches, in words. */
function matchOf({ onExitCodes, onPodConditions = [] }: batchV1.PodFailurePolicyRule, pod: Pod): string | undefined {
  const { metadata, status } = pod;
  const name = `${metadata.namespace}/${metadata.name}`;
  if (onExitCodes !== undefined) {
    const containers = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
    const container = containers.find((one) => matchesExitCode(onExitCodes, one));
    const exitCode = container?.state?.terminated?.exitCode;
    return container && `Container ${container.name} for pod ${name} failed with exit code ${exitCode}`;
  }
  const condition = (status.conditions ?? []).find((one) =>
    onPodConditions.some((pattern) => pattern.type === one.type && pattern.status === one.status),
  );
  return condition && `Pod ${name} has condition ${condition.type}`;
}

/** Success matches nothing, whatever the rule says. */
function matchesExitCode(
  { containerName, operator, values }: batchV1.PodFailurePolicyOnExitCodesRequirement,
  { name, state }: ContainerStatus,
): boolean {
  const exitCode = state?.terminated?.exitCode ?? 0;
  if (exitCode === 0 || (containerName !== undefined && containerName !== name)) return false;
  return values.includes(exitCode) === (operator === "In");
}
