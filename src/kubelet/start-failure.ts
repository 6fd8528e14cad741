// A container could not be started: what its status says meanwhile, and when the next try may be made.

import type { Instant } from "../base/time.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";

export class StartFailure extends Error {
  /** The waiting reason (pod-lifecycle 3.2). */
  readonly reason: string;
  /** Without it, the Pod's usual retry after a failed sync. */
  readonly retryAt: Instant | undefined;
  /** The instance that was made before it failed; what comes next is a restart. */
  readonly instance: ContainerId | undefined;

  constructor(reason: string, message: string, options: { retryAt?: Instant; instance?: ContainerId } = {}) {
    super(message);
    this.name = "StartFailure";
    this.reason = reason;
    this.retryAt = options.retryAt;
    this.instance = options.instance;
  }
}
