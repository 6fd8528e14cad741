// Why a state could not be read.

import { StatusError } from "../../api/wire/status-error.ts";
import type { Revision } from "../../store/store.ts";

/** The 504 for a state that the server has not reached. */
export function tooLargeResourceVersion(asked: Revision, current: Revision): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `Too large resource version: ${asked}, current: ${current}`,
    reason: "Timeout",
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
    code: 504,
  });
}
