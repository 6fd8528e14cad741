// What makes one kind different from the next: the generic registry asks its strategy. Everything here is pure; objects come in and new ones go out.

import type { FieldError } from "../../api/meta/field-errors.ts";
import type { NameCheck } from "../../api/meta/names.ts";
import type { Instant, Millis } from "../../base/time.ts";
import type { RandomStream } from "../../base/random.ts";
import type { ApiObject } from "./api-object.ts";

/** What a preparing step may use beside the object. */
export interface PrepareContext {
  readonly now: Instant;
  readonly random: RandomStream;
}

/** One way of updating an object: the main resource, `status`, `finalize`, … It decides what of the sent object counts. */
export interface UpdateStrategy {
  /** Takes from `old` what this way of updating may not change. */
  prepare(next: ApiObject, old: ApiObject): ApiObject;
  validate(next: ApiObject, old: ApiObject): readonly FieldError[];
  warnings?(next: ApiObject, old: ApiObject): readonly string[];
  /** Changes of the spec by this way do not count in `metadata.generation` (a binding; pod-lifecycle 2.8). */
  readonly leavesGeneration?: boolean;
  /** A change of the annotations counts in `metadata.generation` like one of the spec (Deployments). */
  readonly generationCountsAnnotations?: boolean;
}

export interface DeleteRequest {
  /** What the client asked for, already without negative values; absent: the kind's own. */
  readonly gracePeriodSeconds?: number;
}

export interface Strategy {
  /** The grammar of `metadata.name`. */
  readonly nameProblems: NameCheck;
  /** Fills in what may be left out. Called for everything that is written, also for the result of a patch. */
  default(object: ApiObject): ApiObject;
  /** Resets what a client may not set on creation (status), computes what depends on the rest. */
  prepareForCreate(object: ApiObject, context: PrepareContext): ApiObject;
  validate(object: ApiObject): readonly FieldError[];
  /** Advice for the client that does not stop the request. */
  warnings?(object: ApiObject): readonly string[];
  readonly update: UpdateStrategy;
  /** Subresources that are updated like the object itself: `status`, `finalize`. */
  readonly subresources: Readonly<Record<string, UpdateStrategy>>;
  /** A PUT without resourceVersion overwrites whatever is there (api-machinery 3.4). */
  readonly allowsUnconditionalUpdate: boolean;
  /** A PUT to a missing object creates it. */
  readonly createsOnUpdate: boolean;
  /** Answers a completed DELETE with the object instead of a Status (api-machinery 6). */
  readonly returnsDeletedObject: boolean;
  /**
   * The grace period of a deletion in seconds, for kinds that are deleted gracefully.
   * @returns undefined for an object that goes at once
   */
  gracePeriodSeconds?(object: ApiObject, request: DeleteRequest): number;
  /** What changes in the object when its deletion begins (a Namespace becomes Terminating). */
  beginDeletion?(object: ApiObject, now: Instant): ApiObject;
  /** Whether the object must stay although no finalizer in `metadata` holds it (a Namespace's `spec.finalizers`). */
  isHeld?(object: ApiObject): boolean;
  /** A deletion that says nothing about dependents leaves them behind. */
  readonly orphansDependents?: boolean;
  /** Objects go by themselves this long after their last write. */
  readonly timeToLive?: Millis;
}

/** The parts of a strategy that most kinds share. */
export const ordinaryStrategy = {
  default: (object: ApiObject): ApiObject => object,
  prepareForCreate: (object: ApiObject): ApiObject => object,
  validate: (): readonly FieldError[] => [],
  update: { prepare: (next: ApiObject): ApiObject => next, validate: (): readonly FieldError[] => [] },
  subresources: {},
  allowsUnconditionalUpdate: true,
  createsOnUpdate: false,
  returnsDeletedObject: false,
} as const;
