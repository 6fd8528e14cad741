// A container could not be started: what its status says meanwhile, and when the next try may be made.

import type { Instant } from "../base/time.ts";

export class StartFailure extends Error {
  /** The waiting reason (pod-lifecycle 3.2). */
  readonly reason: string;
  /** Without it, the Pod's usual retry after a failed sync. */
  readonly retryAt: Instant | undefined;

  constructor(reason: string, message: string, { retryAt }: { retryAt?: Instant } = {}) {
    super(message);
    this.name = "StartFailure";
    this.reason = reason;
    this.retryAt = retryAt;
  }
}
