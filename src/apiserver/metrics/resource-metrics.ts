// metrics.k8s.io/v1beta1: what nodes and Pods use, asked of the nodes when a client asks. Nothing of it is stored; it cannot be watched or written.

import type { Node, Pod } from "../../api/generated/core-v1.ts";
import type { NodeMetrics, PodMetrics } from "../../api/generated/metrics-v1beta1.ts";
import { resourceKind, type ResourceKind } from "../../api/kinds.ts";
import { formatQuantity } from "../../api/meta/quantity.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../../api/wire/request.ts";
import {
  badRequest,
  isReason,
  methodNotAllowed,
  methodNotSupported,
  notFound,
  notFoundPath,
} from "../../api/wire/status-error.ts";
import { type Clock, formatTime, type Millis } from "../../base/time.ts";
import { negotiate } from "../codec/media-types.ts";
import type { Documents, Shape } from "../documents.ts";
import type { ContainerUsageReading, NodeConnector, UsageReading } from "../node-connector.ts";
import { listPage } from "../registry/list.ts";
import type { Registry } from "../registry/registry.ts";
import { booleanParameter, listRequest } from "../request-options.ts";
import { parseResourcePath, type ResourcePath } from "../request-path.ts";
import { documentOf } from "../storage/stored-object.ts";

export interface ResourceMetricsParts {
  readonly pods: Registry;
  readonly nodes: Registry;
  readonly connector: Pick<NodeConnector, "nodeUsage">;
  readonly documents: Documents;
  readonly clock: Clock;
}

const group = "metrics.k8s.io";
const version = "v1beta1";
const apiVersion = "metrics.k8s.io/v1beta1";

/** Answers what lies below `/apis/metrics.k8s.io/v1beta1/`; undefined for all other paths. */
export function answerResourceMetrics(
  parts: ResourceMetricsParts,
): (request: ApiRequest) => Promise<ApiResponse | undefined> {
  return async (request) => {
    const path = parseResourcePath(request.path);
    if (path?.group !== group || path.version !== version) return undefined;
    const kind = resourceKind(group, version, path.resource);
    if (kind === undefined || path.subresource !== "" || kind.namespaced !== isBelowNamespace(path))
      throw notFoundPath();
    refuseAllButReading(request, path, kind);
    const measured =
      kind.resource === "pods" ? await podMetrics(parts, request, path) : await nodeMetrics(parts, request, path);
    return path.name === ""
      ? listResponse(parts, request, kind, measured)
      : objectResponse(parts, request, path, kind, measured);
  };
}

/** A Pod has a namespace, a list of Pods need not have one. */
function isBelowNamespace({ resource, namespace, name }: ResourcePath): boolean {
  return namespace !== "" || (resource === "pods" && name === "");
}

function refuseAllButReading(request: ApiRequest, path: ResourcePath, kind: ResourceKind): void {
  const groupResource = { group, resource: kind.resource };
  switch (request.method) {
    case "GET":
      if (path.isWatch || booleanParameter(request.query, "watch")) throw methodNotSupported(groupResource, "watch");
      return;
    case "POST":
      throw methodNotSupported(groupResource, "create");
    case "PUT":
      throw methodNotSupported(groupResource, "update");
    case "PATCH":
      throw methodNotSupported(groupResource, "patch");
    case "DELETE":
      throw methodNotSupported(groupResource, path.name === "" ? "deletecollection" : "delete");
    case "HEAD":
    case "OPTIONS":
      throw methodNotAllowed();
  }
}

/** The metrics of the running Pods that are asked for; of a Pod all of whose running containers have been measured. */
async function podMetrics(
  { pods, connector, clock }: ResourceMetricsParts,
  request: ApiRequest,
  path: ResourcePath,
): Promise<readonly PodMetrics[]> {
  const running = (await selected<Pod>(pods, request, path)).filter(({ status }) => status.phase === "Running");
  const nodeNames = new Set(running.map(({ spec }) => spec.nodeName ?? ""));
  const answers = await Promise.all([...nodeNames].map((name) => connector.nodeUsage(name)));
  const byPod = new Map<string, readonly ContainerUsageReading[]>();
  for (const reading of answers.flatMap((answer) => (answer.kind === "usage" ? answer.containers : []))) {
    byPod.set(reading.podUid, [...(byPod.get(reading.podUid) ?? []), reading]);
  }
  return running.flatMap((pod) => {
    const readings = byPod.get(pod.metadata.uid) ?? [];
    return isMeasured(pod, readings) ? [podMetricsOf(pod, readings, formatTime(clock.now()))] : [];
  });
}

async function nodeMetrics(
  { nodes, connector, clock }: ResourceMetricsParts,
  request: ApiRequest,
  path: ResourcePath,
): Promise<readonly NodeMetrics[]> {
  const found = await selected<Node>(nodes, request, path);
  const measured = await Promise.all(
    found.map(async ({ metadata }): Promise<readonly NodeMetrics[]> => {
      const answer = await connector.nodeUsage(metadata.name);
      if (answer.kind === "refused" || answer.node === undefined) return [];
      const { node } = answer;
      const head = metadataOf(metadata, formatTime(clock.now()));
      return [{ kind: "NodeMetrics", apiVersion, metadata: head, ...timesOf([node]), usage: usageOf(node) }];
    }),
  );
  return measured.flat();
}

async function selected<T>(
  registry: Registry,
  { query }: ApiRequest,
  { namespace, name }: ResourcePath,
): Promise<readonly T[]> {
  if (name !== "") {
    try {
      return [(await registry.get(namespace, name)).object as unknown as T];
    } catch (error) {
      if (isReason(error, "NotFound")) return [];
      throw error;
    }
  }
  if (query.has("continue")) throw badRequest("continue is not supported: these lists come as a whole");
  const parameters = new URLSearchParams({
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
  });
  const page = await listPage(registry, listRequest(parameters, namespace));
  return page.objects.map(({ object }) => object as unknown as T);
}

function isMeasured(pod: Pod, readings: readonly ContainerUsageReading[]): boolean {
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  const running = statuses.filter(({ state }) => state?.running !== undefined);
  return readings.length > 0 && running.every(({ name }) => readings.some(({ container }) => container === name));
}

function podMetricsOf(pod: Pod, readings: readonly ContainerUsageReading[], now: string): PodMetrics {
  const containers = [...readings]
    .sort((a, b) => (a.container < b.container ? -1 : 1))
    .map((reading) => ({ name: reading.container, usage: usageOf(reading) }));
  return { kind: "PodMetrics", apiVersion, metadata: metadataOf(pod.metadata, now), ...timesOf(readings), containers };
}

function metadataOf({ name, namespace, labels }: Pod["metadata"], now: string): PodMetrics["metadata"] {
  // What is measured is no stored object: it has neither uid nor version.
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    creationTimestamp: now,
    ...(labels !== undefined && { labels }),
  };
}

/** Of several readings the oldest time and its window are told. */
function timesOf(readings: readonly UsageReading[]): Pick<PodMetrics, "timestamp" | "window"> {
  const oldest = readings.reduce((a, b) => (b.at < a.at ? b : a));
  return { timestamp: formatTime(oldest.at), window: windowText(oldest.window) };
}

/** As Go prints a duration of seconds and their thousandths: `15.042s`, `1m0s`. */
function windowText(window: Millis): string {
  const rounded = Math.round(window);
  const minutes = Math.floor(rounded / 60_000);
  return `${minutes === 0 ? "" : `${minutes}m`}${(rounded % 60_000) / 1000}s`;
}

function usageOf({ cpuNanoCores, memoryBytes }: UsageReading): { readonly cpu: string; readonly memory: string } {
  return {
    cpu: formatQuantity({ nanos: cpuNanoCores, format: "DecimalSI" }),
    memory: formatQuantity({ nanos: BigInt(Math.round(memoryBytes)) * 1_000_000_000n, format: "BinarySI" }),
  };
}

function listResponse(
  { documents }: ResourceMetricsParts,
  request: ApiRequest,
  kind: ResourceKind,
  items: readonly (PodMetrics | NodeMetrics)[],
): ApiResponse {
  const shape = shapeOf(request, ["Table"]);
  const objects = items as unknown as readonly JsonObject[];
  return documents.unstoredList(kind, objects, shape);
}

function objectResponse(
  { documents }: ResourceMetricsParts,
  request: ApiRequest,
  { namespace, name }: ResourcePath,
  kind: ResourceKind,
  [found]: readonly (PodMetrics | NodeMetrics)[],
): ApiResponse {
  if (found === undefined) {
    const resource = kind.kind.toLowerCase();
    throw notFound({ group, resource }, namespace === "" ? name : `${namespace}/${name}`);
  }
  return documents.object(200, kind, documentOf(found as unknown as JsonObject), shapeOf(request, ["Table"]));
}

function shapeOf(request: ApiRequest, as: readonly "Table"[]): Shape {
  return { form: negotiate(request, { as }), includeObject: "Metadata" };
}
