// How long a request may take, and how many may be in hand at once (api-machinery 12.3).

import type { ApiRequest, ApiResponse } from "../api/wire/request.ts";
import { badRequest, timeout, tooManyRequests } from "../api/wire/status-error.ts";
import { type Clock, type Millis, millis, seconds } from "../base/time.ts";
import { booleanParameter } from "./request-options.ts";

/** The longest that a request may take, unless it is answered by a stream. */
export const longestRequest: Millis = seconds(60);

export interface InFlight {
  readonly readOnly: number;
  readonly mutating: number;
}

/** Upstream's defaults. */
export const inFlightLimits: InFlight = { readOnly: 400, mutating: 200 };

/** So long a client that is turned away should wait. */
const retryAfterSeconds = 1;

/** Administrators are never turned away, as upstream has it: they may have come to set things right. */
const exemptGroup = "system:masters";

export function isReading({ method }: Pick<ApiRequest, "method">): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/**
 * @param inFlight the requests in hand, this one included
 * @throws StatusError TooManyRequests
 */
export function checkInFlight(request: ApiRequest, inFlight: InFlight): void {
  const kind = isReading(request) ? "readOnly" : "mutating";
  if (inFlight[kind] <= inFlightLimits[kind] || request.user.groups.includes(exemptGroup) || isLongRunning(request))
    return;
  throw tooManyRequests("Too many requests, please try again later.", retryAfterSeconds);
}

/**
 * The answer, or a time-out if it takes longer than the client (`?timeout=`) or the server allows; what was begun goes on behind it. Callers in the same
 * process, which cannot hang up, wait as long as it takes.
 * @throws StatusError Timeout, BadRequest
 */
export async function inTime(
  request: ApiRequest,
  clock: Clock,
  answer: () => Promise<ApiResponse>,
): Promise<ApiResponse> {
  if (isLongRunning(request)) return answer();
  const allowed = allowedTime(request.query.get("timeout") ?? "");
  // Whether there is a signal: making one costs, and is left to those who listen to it.
  if (!("signal" in request)) return answer();
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(
      allowed,
      () => reject(timeout("request did not complete within the allotted timeout")),
      "request time-out",
    );
    void answer()
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

/** @throws StatusError BadRequest */
function allowedTime(text: string): Millis {
  if (text === "") return longestRequest;
  const asked = parseDuration(text);
  if (asked === undefined) throw badRequest(`invalid timeout specified in the request URL: ${JSON.stringify(text)}`);
  return asked > 0 && asked < longestRequest ? asked : longestRequest;
}

const streams = /\/(?:log|exec|attach|portforward)$/;

/** Answered by a stream, which may last. */
function isLongRunning({ path, query }: ApiRequest): boolean {
  return booleanParameter(query, "watch") || /^\/apis?\/(?:[^/]+\/){1,2}watch\//.test(path) || streams.test(path);
}

const unitMillis: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as Go writes it: `32s`, `1m30s`, `0`. Undefined if it is none. */
export function parseDuration(text: string): Millis | undefined {
  const [, sign = "", size = ""] = /^([+-]?)(.*)$/.exec(text) ?? [];
  if (size === "0") return millis(0);
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(size)) return undefined;
  let total = 0;
  for (const [, number = "", unit = ""] of size.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(number) * (unitMillis[unit] as number);
  }
  return millis(sign === "-" ? -total : total);
}
