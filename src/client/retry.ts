// When a call is tried again without its caller noticing, and the loop for those who write what others write too.

import { StatusError, isReason } from "../api/wire/status-error.ts";
import { type Clock, type Millis, seconds } from "../base/time.ts";

/** How often one call is repeated because the server asked for it (api-machinery 7.1). */
export const retryAfterLimit = 10;

/** How often a read-change-write loop starts over after a conflict. */
export const conflictRetryLimit = 5;

/**
 * Makes the call, and makes it again as long as the server says when to come back (429 and 5xx with a Retry-After; nothing else).
 * @throws StatusError the last answer, when it says nothing about trying again or the limit is reached
 */
export async function retryWhenAsked<T>(clock: Clock, call: () => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await call();
    } catch (error) {
      const wait = retryAfterOf(error);
      if (wait === undefined || retries >= retryAfterLimit) throw error;
      await clock.sleep(wait);
    }
  }
}

/**
 * Runs `turn` (read, change, write) until it meets no conflict. Each turn must read anew; it is started over at once, because whoever was
 * faster has already finished.
 * @throws StatusError the conflict of the last turn, after `conflictRetryLimit` of them
 */
export async function retryOnConflict<T>(turn: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await turn();
    } catch (error) {
      if (!isReason(error, "Conflict") || attempt >= conflictRetryLimit) throw error;
    }
  }
}

/** How long the server asked to wait, if it asked. */
export function retryAfterOf(error: unknown): Millis | undefined {
  if (!(error instanceof StatusError)) return undefined;
  if (error.code !== 429 && error.code < 500) return undefined;
  const asked = error.status.details?.retryAfterSeconds ?? 0;
  return asked > 0 ? seconds(asked) : undefined;
}
