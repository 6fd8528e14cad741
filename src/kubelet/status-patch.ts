// The difference between two statuses as a strategic merge patch (pod-lifecycle 2.9): only what changed travels, so that conditions which others own
// are never overwritten.

import type { PodCondition, PodStatus } from "../api/generated/core-v1.ts";
import { sameJson } from "../api/meta/json-object.ts";

/** Lists that the API merges by a key; the kubelet knows them whole and replaces them. */
const mergedLists = new Set(["podIPs", "hostIPs", "resourceClaimStatuses"]);

/** `undefined` if nothing changed. */
export function statusPatch(from: PodStatus, to: PodStatus): Readonly<Record<string, unknown>> | undefined {
  const before = from as unknown as Readonly<Record<string, unknown>>;
  const after = to as unknown as Readonly<Record<string, unknown>>;
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value = after[key];
    if (sameJson(before[key], value)) continue;
    if (value === undefined) patch[key] = null;
    else if (key === "conditions") addConditions(patch, from.conditions ?? [], to.conditions ?? []);
    else if (mergedLists.has(key)) patch[key] = [...(value as readonly unknown[]), { $patch: "replace" }];
    else patch[key] = value;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function addConditions(
  patch: Record<string, unknown>,
  before: readonly PodCondition[],
  after: readonly PodCondition[],
): void {
  const changed = after.flatMap((condition) => {
    const old = before.find((each) => each.type === condition.type);
    return sameJson(old, condition) ? [] : [withRemovals(old, condition)];
  });
  const removed = before
    .filter((condition) => !after.some((each) => each.type === condition.type))
    .map(({ type }) => ({ type, $patch: "delete" }));
  patch["$setElementOrder/conditions"] = after.map(({ type }) => ({ type }));
  patch["conditions"] = [...changed, ...removed];
}

/** A merge keeps what it is not told to remove. */
function withRemovals(old: PodCondition | undefined, condition: PodCondition): Readonly<Record<string, unknown>> {
  const gone = Object.keys(old ?? {}).filter((key) => !(key in condition));
  return { ...condition, ...Object.fromEntries(gone.map((key) => [key, null])) };
}
