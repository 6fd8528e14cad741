// An API server of a hundred lines, for tests of those who talk to one: it keeps objects, counts versions and tells watchers. It neither
// defaults nor validates nor admits; what depends on that is tested against the real one.

import type { ApiRequest, ApiResponse, JsonObject, WatchEventType, WatchReceiver } from "../../src/api/wire/request.ts";
import { StatusError, alreadyExists, conflict, expired, notFound } from "../../src/api/wire/status-error.ts";

export interface FakeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

interface Address {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

type Fault = (request: ApiRequest) => Promise<ApiResponse | undefined> | ApiResponse | undefined;

export class FakeApiServer {
  /** Every request that arrived, as `POST /api/v1/namespaces/default/pods`. */
  readonly log: string[] = [];
  /** Asked first; what it answers is the answer. */
  fault: Fault = () => undefined;
  readonly #objects = new Map<string, FakeObject>();
  readonly #watchers = new Set<{ resource: string; receiver: WatchReceiver }>();
  #history: { resource: string; type: WatchEventType; object: FakeObject; version: number }[] = [];
  #version = 100;
  #oldestVersion = 0;
  #made = 0;

  readonly handle = async (request: ApiRequest): Promise<ApiResponse> => {
    this.log.push(`${request.method} ${request.path}`);
    try {
      return (await this.fault(request)) ?? this.#answer(request);
    } catch (error) {
      if (error instanceof StatusError) return this.failure(error);
      throw error;
    }
  };

  failure(error: StatusError): ApiResponse {
    return objectResponse(error.code, error.status as unknown as JsonObject);
  }

  /** Puts an object there as if somebody had created or replaced it. */
  put(resource: string, object: object): FakeObject {
    const given = object as FakeObject;
    const key = keyFor(resource, given.metadata.namespace, given.metadata.name);
    const existing = this.#objects.get(key);
    const stored: FakeObject = {
      ...given,
      metadata: {
        ...given.metadata,
        uid: given.metadata.uid ?? existing?.metadata.uid ?? `uid-${++this.#made}`,
        resourceVersion: String(++this.#version),
      },
    };
    this.#objects.set(key, stored);
    this.#tell(resource, existing === undefined ? "ADDED" : "MODIFIED", stored);
    return stored;
  }

  remove(resource: string, name: string, namespace?: string): void {
    const key = keyFor(resource, namespace, name);
    const existing = this.#objects.get(key);
    if (existing === undefined) throw notFound({ group: "", resource }, name);
    this.#objects.delete(key);
    const version = String(++this.#version);
    this.#tell(resource, "DELETED", { ...existing, metadata: { ...existing.metadata, resourceVersion: version } });
  }

  get(resource: string, name: string, namespace?: string): FakeObject | undefined {
    return this.#objects.get(keyFor(resource, namespace, name));
  }

  all(resource: string, namespace?: string): FakeObject[] {
    const prefix = namespace === undefined ? `${resource}/` : `${resource}/${namespace}/`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
  }

  /** Ends all watches, as a server that is shutting down does. */
  endWatches(): void {
    for (const watcher of this.#watchers) {
      this.#watchers.delete(watcher);
      watcher.receiver.ended();
    }
  }

  /** Forgets the past: watches from an older version get Expired. */
  compact(): void {
    this.#history = [];
    this.#oldestVersion = this.#version;
  }

  #answer(request: ApiRequest): ApiResponse {
    const address = addressOf(request.path);
    const { resource, namespace, name, subresource } = address;
    switch (request.method) {
      case "GET":
        if (request.query.get("watch") === "true") return this.#watch(request, resource);
        if (name !== undefined) return objectResponse(200, this.#existing(address));
        return objectResponse(200, {
          apiVersion: "v1",
          kind: "List",
          metadata: { resourceVersion: String(this.#version) },
          items: this.all(resource, namespace),
        });
      case "POST":
        if (subresource === "binding") return this.#bind(address, bodyOf(request));
        return this.#create(address, bodyOf(request));
      case "PUT":
        return objectResponse(200, this.#replace(address, bodyOf(request)));
      case "PATCH": {
        const patched = merge(this.#existing(address), bodyOf(request)) as unknown as JsonObject;
        return objectResponse(200, this.put(resource, patched));
      }
      case "DELETE":
        this.#existing(address);
        this.remove(resource, name as string, namespace);
        return objectResponse(200, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" });
      case "HEAD":
      case "OPTIONS":
        throw new Error(`${request.method} is not for this test`);
    }
  }

  #create({ resource, namespace }: Address, body: JsonObject): ApiResponse {
    const metadata = body["metadata"] as { name: string };
    if (this.get(resource, metadata.name, namespace) !== undefined) {
      throw alreadyExists({ group: "", resource }, metadata.name);
    }
    const created = { ...body, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } };
    return objectResponse(201, this.put(resource, created));
  }

  #replace(address: Address, body: JsonObject): FakeObject {
    const existing = this.#existing(address);
    const version = (body["metadata"] as { resourceVersion?: string }).resourceVersion;
    if (version !== undefined && version !== existing.metadata.resourceVersion) {
      const why = "the object has been modified; please apply your changes to the latest version and try again";
      throw conflict({ group: "", resource: address.resource }, existing.metadata.name, why);
    }
    if (address.subresource !== "status") return this.put(address.resource, body);
    return this.put(address.resource, { ...existing, status: body["status"] });
  }

  #bind(address: Address, body: JsonObject): ApiResponse {
    const pod = this.#existing(address);
    const spec = pod["spec"] as { nodeName?: string };
    if (spec.nodeName !== undefined) {
      const why = `pod ${pod.metadata.name} is already assigned to node "${spec.nodeName}"`;
      throw conflict({ group: "", resource: "pods/binding" }, pod.metadata.name, why);
    }
    const { name: nodeName } = body["target"] as { name: string };
    const condition = { type: "PodScheduled", status: "True" };
    this.put("pods", merge(pod, { spec: { nodeName }, status: { conditions: [condition] } }) as object);
    return objectResponse(201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" });
  }

  #watch(request: ApiRequest, resource: string): ApiResponse {
    const from = Number(request.query.get("resourceVersion") ?? "0");
    const watchers = this.#watchers;
    let watcher: { resource: string; receiver: WatchReceiver } | undefined;
    const start = (receiver: WatchReceiver): void => {
      if (from < this.#oldestVersion) {
        const { status } = expired(`too old resource version: ${from} (${this.#oldestVersion})`);
        receiver.event(watchEvent("ERROR", status as unknown as JsonObject));
        receiver.ended();
        return;
      }
      for (const past of this.#history) {
        if (past.resource === resource && past.version > from) receiver.event(watchEvent(past.type, past.object));
      }
      watcher = { resource, receiver };
      watchers.add(watcher);
    };
    const stop = (): void => {
      if (watcher !== undefined) watchers.delete(watcher);
    };
    return { status: 200, headers: {}, body: { kind: "watch", watch: { start, stop } } };
  }

  #existing({ resource, namespace, name }: Address): FakeObject {
    const object = this.get(resource, name as string, namespace);
    if (object === undefined) throw notFound({ group: "", resource }, name as string);
    return object;
  }

  #tell(resource: string, type: WatchEventType, object: FakeObject): void {
    this.#history.push({ resource, type, object, version: Number(object.metadata.resourceVersion) });
    for (const { resource: watched, receiver } of this.#watchers) {
      if (watched === resource) receiver.event(watchEvent(type, object));
    }
  }
}

export function objectResponse(status: number, object: JsonObject): ApiResponse {
  const body = { kind: "object", object, json: () => JSON.stringify(object) } as const;
  return { status, headers: { "content-type": "application/json" }, body };
}

function watchEvent(type: WatchEventType, object: JsonObject) {
  return { type, object, line: () => `${JSON.stringify({ type, object })}\n` };
}

function bodyOf(request: ApiRequest): JsonObject {
  if (request.body?.kind !== "object") throw new TypeError("in one process objects are handed over as objects");
  return request.body.object as JsonObject;
}

function addressOf(path: string): Address {
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const rest = parts.slice(parts[0] === "api" ? 2 : 3);
  if (rest[0] === "namespaces" && rest.length > 2 && rest[2] !== "finalize" && rest[2] !== "status") {
    return { namespace: rest[1], resource: rest[2] as string, name: rest[3], subresource: rest[4] };
  }
  return { namespace: undefined, resource: rest[0] as string, name: rest[1], subresource: rest[2] };
}

function keyFor(resource: string, namespace: string | undefined, name: string): string {
  return namespace === undefined ? `${resource}/${name}` : `${resource}/${namespace}/${name}`;
}

/** Merges as a strategic patch does for what the tests send: objects by field, lists of conditions by type, everything else replaces. */
function merge(target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) {
    if (!Array.isArray(target) || !patch.every((item) => typeof item === "object" && item !== null && "type" in item)) {
      return patch;
    }
    const byType = new Map(target.map((item: { type: string }) => [item.type, item as unknown]));
    for (const item of patch as { type: string }[]) byType.set(item.type, merge(byType.get(item.type), item));
    return [...byType.values()];
  }
  if (typeof patch !== "object" || patch === null) return patch;
  const merged: Record<string, unknown> = { ...(target as object | undefined) };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = merge(merged[field], value);
  }
  return merged;
}
