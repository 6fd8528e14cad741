// The door: every request enters here, whether it came through a socket or from a caller in the same process, and every answer leaves here. A bad
// request is an answer with a Status, never an exception.

import type { ApiRequest, ApiResponse, RequestHandler } from "../api/wire/request.ts";
import { internalError, StatusError, unauthorized } from "../api/wire/status-error.ts";
import type { RandomStream } from "../base/random.ts";
import type { Clock } from "../base/time.ts";
import { isAllowed } from "./access.ts";
import { statusResponse, warningHeaders } from "./codec/encode.ts";
import { pageNotFound } from "./discovery/discovery-response.ts";
import { answerHealth, type HealthCheck } from "./health.ts";
import { checkInFlight, inTime } from "./request-limits.ts";
import { parseResourcePath } from "./request-path.ts";
import type { RequestMetrics } from "./metrics/request-metrics.ts";
import { StoreWriteError } from "../store/store.ts";
import { Warnings } from "./registry/request-context.ts";
import type { ResourceHandler } from "./resource-handler.ts";

/** Answers paths that lead to no resource: discovery, OpenAPI. Undefined for a path that is not its own. */
export type DocumentHandler = (request: ApiRequest) => ApiResponse | undefined | Promise<ApiResponse | undefined>;

export interface DoorParts {
  readonly resources: ResourceHandler;
  readonly documents: readonly DocumentHandler[];
  readonly healthChecks: readonly HealthCheck[];
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  readonly random: RandomStream;
  /** Told of failures that are the server's own. */
  readonly reportError: (error: unknown, request: ApiRequest) => void;
}

export function requestHandler(parts: DoorParts): RequestHandler {
  return async (request) => {
    const warnings = new Warnings();
    const answered = parts.metrics.begin(request);
    const response = await limited(parts, request, warnings).catch((error: unknown) => failed(parts, request, error));
    answered(response.status);
    return dressed(parts, request, response, warnings);
  };
}

async function limited(parts: DoorParts, request: ApiRequest, warnings: Warnings): Promise<ApiResponse> {
  checkInFlight(request, parts.metrics.inFlight);
  return inTime(request, parts.clock, () => answer(parts, request, warnings));
}

async function answer(parts: DoorParts, request: ApiRequest, warnings: Warnings): Promise<ApiResponse> {
  if (!isAllowed(request.user, request.path)) throw unauthorized();
  const health = await answerHealth(request, parts.healthChecks);
  if (health !== undefined) return health;
  const path = parseResourcePath(request.path);
  if (path !== undefined && parts.resources.serves(path)) return parts.resources.handle(request, path, warnings);
  for (const handle of parts.documents) {
    const document = await handle(request);
    if (document !== undefined) return document;
  }
  return pageNotFound();
}

function failed(parts: DoorParts, request: ApiRequest, error: unknown): ApiResponse {
  if (error instanceof StatusError) return statusResponse(error);
  // A disk that is full is nobody's mistake here, and whoever keeps the store has said so.
  if (!(error instanceof StoreWriteError)) parts.reportError(error, request);
  return statusResponse(internalError(error instanceof Error ? error.message : String(error)));
}

/** Headers that every answer has (api-machinery 2.3, 3.6, 12.3). */
function dressed(parts: DoorParts, request: ApiRequest, response: ApiResponse, warnings: Warnings): ApiResponse {
  const { texts } = warnings;
  const auditId = request.headers["audit-id"];
  const headers = {
    "audit-id": auditId !== undefined && /^[\x21-\x7e]{1,64}$/.test(auditId) ? auditId : parts.random.uuid(),
    ...response.headers,
    ...(texts.length === 0 ? {} : { warning: warningHeaders(texts) }),
  };
  return { ...response, headers };
}
