// `/metrics`: what the API server counts, for Prometheus (api-machinery 12.2).

import type { ApiRequest, ApiResponse } from "../../api/wire/request.ts";
import { methodNotAllowed } from "../../api/wire/status-error.ts";
import type { Instant } from "../../base/time.ts";
import type { Registry } from "../registry/registry.ts";
import { prefixFor } from "../registry/resource-definition.ts";
import type { Watches } from "../watch/watches.ts";
import { expose, expositionMediaType, type Sample } from "./exposition.ts";
import type { RequestMetrics } from "./request-metrics.ts";

export const metricsPath = "/metrics";

export interface MetricsParts {
  readonly requests: RequestMetrics;
  readonly registries: readonly Registry[];
  readonly watches: Watches;
  readonly startedAt: Instant;
}

/** @returns undefined if the path is another */
export async function answerMetrics(request: ApiRequest, parts: MetricsParts): Promise<ApiResponse | undefined> {
  if (request.path !== metricsPath) return undefined;
  if (request.method !== "GET") throw methodNotAllowed();
  const text = expose([
    ...parts.requests.families(),
    {
      name: "apiserver_longrunning_requests",
      help: "Watches that are open.",
      type: "gauge",
      samples: watchCounts(parts.watches),
    },
    {
      name: "apiserver_storage_objects",
      help: "Stored objects by resource.",
      type: "gauge",
      samples: await objectCounts(parts.registries),
    },
    {
      name: "process_start_time_seconds",
      help: "When the API server started, in seconds since 1970.",
      type: "gauge",
      samples: [{ value: parts.startedAt / 1000 }],
    },
  ]);
  return { status: 200, headers: { "content-type": expositionMediaType }, body: { kind: "text", text } };
}

function watchCounts(watches: Watches): readonly Sample[] {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { group, version, resource } of watches.resources()) {
    const key = `${group}/${version}/${resource}`;
    const known = counts.get(key);
    if (known === undefined) {
      counts.set(key, { labels: { component: "apiserver", group, resource, verb: "WATCH", version }, value: 1 });
    } else known.value++;
  }
  return [...counts.values()];
}

/** One sample for each storage, not for each version that is served from it. */
function objectCounts(registries: readonly Registry[]): Promise<readonly Sample[]> {
  const stored = registries.filter(({ definition }) => definition.storedAs === undefined);
  return Promise.all(
    stored.map(async (registry) => {
      const { group, resource } = registry.definition;
      const value = (await registry.cache()).count(prefixFor(registry.definition));
      return { labels: { resource: group === "" ? resource : `${resource}.${group}` }, value };
    }),
  );
}
