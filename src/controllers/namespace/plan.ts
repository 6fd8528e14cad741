// What a namespace that is being deleted still needs, and what its status says about it (api-machinery 3.11).

import type { Namespace } from "../../api/index.ts";
import type { NamespaceCondition } from "../../api/generated/core-v1.ts";
import { type Instant, type Millis, elapsed, formatTime, parseTime, seconds } from "../../base/time.ts";

/** The finalizer that is this controller's to take away. */
export const namespaceFinalizer = "kubernetes";

/** Whether the controller has something to do for the namespace. */
export function awaitsEmptying({ metadata, spec }: Namespace): boolean {
  return metadata.deletionTimestamp !== undefined && (spec.finalizers ?? []).includes(namespaceFinalizer);
}

/** An object that is still there after its deletion was asked for. */
export interface RemainingObject {
  readonly metadata: {
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
}

/** What is left of one resource. */
export interface Remainder {
  /** `<resource>.<group>`; the core group is empty. */
  readonly resource: string;
  readonly objects: readonly RemainingObject[];
}

/** What a turn found. */
export interface Findings {
  /** What could not be deleted, and why. */
  readonly failures: readonly string[];
  readonly remainders: readonly Remainder[];
}

/** How long objects with finalizers are expected to take; nobody can know. */
export const finalizerEstimate: Millis = seconds(15);

/**
 * How long to wait before looking again: half of what the slowest object is expected to need, and a second. Zero when nothing is left.
 */
export function remainingWait({ remainders }: Findings, now: Instant): Millis {
  const objects = remainders.flatMap((remainder) => remainder.objects);
  if (objects.length === 0) return seconds(0);
  const estimates = objects.map(({ metadata }) => {
    if ((metadata.finalizers ?? []).length > 0) return finalizerEstimate;
    const end = metadata.deletionTimestamp === undefined ? undefined : parseTime(metadata.deletionTimestamp);
    return end === undefined ? seconds(0) : elapsed(now, end);
  });
  return (Math.floor(Math.max(...estimates) / 2) + 1000) as Millis;
}

/** The conditions after a turn; `undefined` if they are what they were. */
export function planConditions(
  known: readonly NamespaceCondition[],
  findings: Findings,
  now: Instant,
): readonly NamespaceCondition[] | undefined {
  const wanted = conditionsFor(findings);
  let changed = false;
  const planned = wanted.map((condition) => {
    const before = known.find(({ type }) => type === condition.type);
    if (
      before?.status === condition.status &&
      before.reason === condition.reason &&
      before.message === condition.message
    ) {
      return before;
    }
    changed = true;
    return { ...condition, lastTransitionTime: formatTime(now) };
  });
  const others = known.filter(({ type }) => !wanted.some((condition) => condition.type === type));
  return changed ? [...others, ...planned] : undefined;
}

function conditionsFor({ failures, remainders }: Findings): readonly NamespaceCondition[] {
  const finalizers = new Map<string, number>();
  for (const { metadata } of remainders.flatMap(({ objects }) => objects)) {
    for (const finalizer of metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  }
  const counts = remainders
    .filter(({ objects }) => objects.length > 0)
    .map(({ resource, objects }) => `${resource} has ${objects.length} resource instances`);
  const held = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  return [
    fine("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    fine(
      "NamespaceDeletionGroupVersionParsingFailure",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ),
    failures.length === 0
      ? fine(
          "NamespaceDeletionContentFailure",
          "ContentDeleted",
          "All content successfully deleted, may be waiting on finalization",
        )
      : trouble(
          "NamespaceDeletionContentFailure",
          "ContentDeletionFailed",
          `Failed to delete all resource types, ${failures.length} remaining: ${sorted(failures)}`,
        ),
    counts.length === 0
      ? fine("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed")
      : trouble("NamespaceContentRemaining", "SomeResourcesRemain", `Some resources are remaining: ${sorted(counts)}`),
    held.length === 0
      ? fine("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
      : trouble(
          "NamespaceFinalizersRemaining",
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${sorted(held)}`,
        ),
  ];
}

const fine = (type: string, reason: string, message: string): NamespaceCondition => ({
  type,
  status: "False",
  reason,
  message,
});

const trouble = (type: string, reason: string, message: string): NamespaceCondition => ({
  type,
  status: "True",
  reason,
  message,
});

const sorted = (texts: readonly string[]): string => [...texts].sort().join(", ");
