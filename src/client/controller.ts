// The loop that every controller has: take a key, reconcile it from what is there now, and come back later if need be.

import type { Clock, Millis } from "../base/time.ts";
import { WorkQueue } from "./work-queue.ts";

/** What came of one turn. */
export type ReconcileOutcome =
  /** Nothing more to do until something wakes the key. */
  | { readonly kind: "done" }
  /** Look again after `wait`, whatever happens. */
  | { readonly kind: "after"; readonly wait: Millis }
  /** It did not work out; look again after the key's back-off. */
  | { readonly kind: "failed"; readonly error: unknown };

/** A turn that failed, for whoever keeps the log. */
export interface ControllerFailure {
  readonly controller: string;
  readonly key: string;
  readonly error: unknown;
  readonly retryAfter: Millis;
}

export interface ControllerOptions {
  readonly name: string;
  readonly clock: Clock;
  /**
   * One turn for one key; safe to run again at any moment. A turn that throws counts as failed.
   */
  readonly reconcile: (key: string) => Promise<ReconcileOutcome>;
  /** How many keys are worked on at once; one key never is twice. */
  readonly concurrency?: number;
  readonly onFailure?: (failure: ControllerFailure) => void;
  readonly firstRetryDelay?: Millis;
  readonly longestRetryDelay?: Millis;
}

export class Controller {
  readonly queue: WorkQueue;
  readonly #options: ControllerOptions;
  #started = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.queue = new WorkQueue(options);
  }

  /** Starts the workers. Keys may be added before. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (let worker = 0; worker < (this.#options.concurrency ?? 1); worker++) void this.#work();
  }

  /** Ends after the turns in progress and those already waiting. */
  stop(): Promise<void> {
    return this.#started ? this.queue.shutDown() : Promise.resolve();
  }

  async #work(): Promise<void> {
    for (let key = await this.queue.next(); key !== undefined; key = await this.queue.next()) {
      this.#settle(key, await this.#turn(key));
      this.queue.done(key);
    }
  }

  async #turn(key: string): Promise<ReconcileOutcome> {
    try {
      return await this.#options.reconcile(key);
    } catch (error) {
      return { kind: "failed", error };
    }
  }

  #settle(key: string, outcome: ReconcileOutcome): void {
    switch (outcome.kind) {
      case "done":
        this.queue.forget(key);
        return;
      case "after":
        this.queue.forget(key);
        this.queue.addAfter(key, outcome.wait);
        return;
      case "failed": {
        const retryAfter = this.queue.addRateLimited(key);
        const { name: controller, onFailure } = this.#options;
        onFailure?.({ controller, key, error: outcome.error, retryAfter });
        return;
      }
    }
  }
}

export const done: ReconcileOutcome = { kind: "done" };

/** `namespace/name`, or `name` for what lives in no namespace: how objects are called in queues. */
export function keyOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The two halves of a key; an object without a namespace has none here either. */
export function splitKey(key: string): { readonly namespace?: string; readonly name: string } {
  const slash = key.indexOf("/");
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
