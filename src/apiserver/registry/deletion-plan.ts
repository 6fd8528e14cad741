// What a DELETE does to an object: a pure decision (api-machinery 6, pod-lifecycle 8.1).

import { sameJson } from "../../api/meta/json-object.ts";
import { after, formatTime, type Instant, parseTime, seconds } from "../../base/time.ts";
import { type ApiObject, withMetadata } from "./api-object.ts";
import type { Strategy } from "./strategy.ts";

export interface DeletionOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  /** The old form of `propagationPolicy`. */
  readonly orphanDependents?: boolean;
}

export type DeletionPlan =
  /** Its deletion is under way and this request does not hasten it. */
  | { readonly kind: "pending" }
  /** Store this object; it stays until somebody lets it go. */
  | { readonly kind: "mark"; readonly object: ApiObject }
  /** Store this object, so that watchers see it end, then remove it. */
  | { readonly kind: "markAndRemove"; readonly object: ApiObject }
  | { readonly kind: "remove" }
  /** It is already being deleted, and asking again is refused. */
  | { readonly kind: "held" };

export function planDeletion(
  object: ApiObject,
  strategy: Strategy,
  options: DeletionOptions,
  now: Instant,
): DeletionPlan {
  if (strategy.isHeld !== undefined) return planHeldDeletion(object, strategy, options, now);
  const graceful = strategy.gracePeriodSeconds === undefined ? undefined : gracefulMark(object, strategy, options, now);
  if (graceful === "pending") return { kind: "pending" };

  const finalizers = finalizersFor(object, options, strategy);
  if (graceful !== undefined) {
    const marked = withMetadata(graceful.object, { finalizers: finalizers.length > 0 ? finalizers : undefined });
    const stays = finalizers.length > 0 || graceful.gracePeriodSeconds > 0;
    return { kind: stays ? "mark" : "markAndRemove", object: marked };
  }
  if (finalizers.length === 0) return { kind: "remove" };
  const marked = markedAsDeleting(withMetadata(object, { finalizers }), strategy, now);
  return sameJson(marked, object) ? { kind: "pending" } : { kind: "mark", object: marked };
}

/** The finalizers after the wish about dependents is written into them (api-machinery 6, step 5). */
export function finalizersFor(
  object: ApiObject,
  options: DeletionOptions,
  { orphansDependents = false }: Pick<Strategy, "orphansDependents"> = {},
): readonly string[] {
  const present = object.metadata.finalizers ?? [];
  const orphan =
    wants(options, "Orphan") ??
    (present.includes("orphan") || (orphansDependents && !present.includes("foregroundDeletion")));
  const foreground = wants(options, "Foreground") ?? present.includes("foregroundDeletion");
  const others = present.filter((finalizer) => finalizer !== "orphan" && finalizer !== "foregroundDeletion");
  const kept = present.filter(
    (finalizer) => (finalizer === "orphan" && orphan) || (finalizer === "foregroundDeletion" && foreground),
  );
  if (others.length + kept.length === present.length && kept.length > 0) return present;
  return [...others, ...(orphan ? ["orphan"] : []), ...(foreground ? ["foregroundDeletion"] : [])];
}

/** Whether the request asks for this policy; undefined if it says nothing about dependents. */
function wants(options: DeletionOptions, policy: "Orphan" | "Foreground"): boolean | undefined {
  if (options.orphanDependents !== undefined) return policy === "Orphan" ? options.orphanDependents : false;
  return options.propagationPolicy === undefined ? undefined : options.propagationPolicy === policy;
}

interface GracefulMark {
  readonly object: ApiObject;
  readonly gracePeriodSeconds: number;
}

/** The object marked for a graceful end; `undefined` if its grace is over and it may go at once. */
function gracefulMark(
  object: ApiObject,
  strategy: Strategy,
  options: DeletionOptions,
  now: Instant,
): GracefulMark | "pending" | undefined {
  const requested =
    options.gracePeriodSeconds === undefined ? undefined : atLeastOneIfNegative(options.gracePeriodSeconds);
  const { deletionTimestamp, deletionGracePeriodSeconds: current, generation } = object.metadata;
  if (deletionTimestamp === undefined) {
    const period =
      strategy.gracePeriodSeconds?.(object, requested === undefined ? {} : { gracePeriodSeconds: requested }) ?? 0;
    const marked = withMetadata(object, {
      deletionTimestamp: formatTime(after(now, seconds(period))),
      deletionGracePeriodSeconds: period,
      ...(generation === undefined ? {} : { generation: generation + 1 }),
    });
    return { object: marked, gracePeriodSeconds: period };
  }
  if (current === undefined || current === 0) return undefined;
  if (requested === undefined || requested >= current) return "pending";
  return shortened(object, current, requested, now);
}

/** A later request may only shorten the wait, and not into the past: then the object is due now. */
function shortened(object: ApiObject, current: number, requested: number, now: Instant): GracefulMark {
  const old = parseTime(object.metadata.deletionTimestamp ?? "") ?? now;
  const moved = after(old, seconds(requested - current));
  const isPast = moved < now;
  const period = isPast && requested > 0 ? 1 : requested;
  const marked = withMetadata(object, {
    deletionTimestamp: formatTime(isPast ? now : moved),
    deletionGracePeriodSeconds: period,
  });
  return { object: marked, gracePeriodSeconds: period };
}

/** An object without grace that finalizers hold. */
function markedAsDeleting(object: ApiObject, strategy: Strategy, now: Instant): ApiObject {
  const { deletionTimestamp, generation } = object.metadata;
  if (deletionTimestamp !== undefined) return withMetadata(object, { deletionGracePeriodSeconds: 0 });
  const marked = withMetadata(object, {
    deletionTimestamp: formatTime(now),
    deletionGracePeriodSeconds: 0,
    ...(generation === undefined ? {} : { generation: generation + 1 }),
  });
  return strategy.beginDeletion?.(marked, now) ?? marked;
}

/** A Namespace: its content holds it, whatever the finalizers in its metadata say (api-machinery 3.11). */
function planHeldDeletion(object: ApiObject, strategy: Strategy, options: DeletionOptions, now: Instant): DeletionPlan {
  const held = strategy.isHeld?.(object) === true;
  const finalizers = finalizersFor(object, options);
  if (object.metadata.deletionTimestamp !== undefined) {
    if (held) return { kind: "held" };
    return finalizers.length > 0 ? { kind: "pending" } : { kind: "remove" };
  }
  if (!held && finalizers.length === 0) return { kind: "remove" };
  const marked = withMetadata(object, {
    deletionTimestamp: formatTime(now),
    finalizers: finalizers.length > 0 ? finalizers : undefined,
  });
  return { kind: "mark", object: strategy.beginDeletion?.(marked, now) ?? marked };
}

const atLeastOneIfNegative = (period: number): number => (period < 0 ? 1 : period);
