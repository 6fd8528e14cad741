// One resource's calls as requests, and the answers as objects or StatusErrors.

import type { Status } from "../api/index.ts";
import type { ApiRequest, ApiResponse, JsonObject, WatchStream } from "../api/wire/request.ts";
import { StatusError, unknownError } from "../api/wire/status-error.ts";
import type { ClientOptions } from "./client.ts";
import type {
  DeleteOptions,
  ListOptions,
  ListResult,
  PatchType,
  ResourceClient,
  ResourceRef,
  StoredObject,
  TypedWatchEvent,
} from "./resource-client.ts";
import { retryWhenAsked } from "./retry.ts";

type Body = JsonObject | readonly unknown[];

interface Call {
  readonly method: ApiRequest["method"];
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: Body;
  readonly contentType?: string;
}

export class TransportResourceClient<T extends StoredObject> implements ResourceClient<T> {
  readonly ref: ResourceRef;
  readonly #options: ClientOptions;
  readonly #root: string;

  constructor(ref: ResourceRef, options: ClientOptions) {
    this.ref = ref;
    this.#options = options;
    this.#root = ref.group === "" ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  }

  get(name: string, namespace?: string): Promise<T> {
    return this.#object<T>({ method: "GET", path: this.#path(namespace, name) });
  }

  async list({ namespace, ...query }: ListOptions = {}): Promise<ListResult<T>> {
    const list = await this.#object<ListDocument<T>>({
      method: "GET",
      path: this.#collection(namespace),
      query: { ...query, limit: query.limit?.toString() },
    });
    const { resourceVersion, continue: next } = list.metadata;
    const items = (list.items ?? []).map((item) => this.#complete(item));
    return { items, resourceVersion, ...(next === undefined || next === "" ? {} : { continue: next }) };
  }

  create(object: JsonObject, namespace?: string): Promise<T> {
    return this.#object<T>({ method: "POST", path: this.#path(namespace), body: this.#typed(object) });
  }

  update(object: T): Promise<T> {
    return this.#replace(object);
  }

  updateStatus(object: T): Promise<T> {
    return this.#replace(object, "status");
  }

  patch(
    name: string,
    namespace: string | undefined,
    type: PatchType,
    patch: unknown,
    subresource?: string,
  ): Promise<T> {
    return this.#object<T>({
      method: "PATCH",
      path: this.#path(namespace, name, subresource),
      body: patch as Body,
      contentType: patchContentTypes[type],
    });
  }

  async delete(name: string, namespace?: string, options: DeleteOptions = {}): Promise<void> {
    await this.#object({
      method: "DELETE",
      path: this.#path(namespace, name),
      body: { kind: "DeleteOptions", apiVersion: "v1", ...options },
    });
  }

  createSubresource(
    name: string,
    namespace: string | undefined,
    subresource: string,
    body: JsonObject,
  ): Promise<JsonObject> {
    return this.#object<JsonObject>({ method: "POST", path: this.#path(namespace, name, subresource), body });
  }

  updateSubresource(name: string, namespace: string | undefined, subresource: string, body: JsonObject): Promise<T> {
    return this.#object<T>({ method: "PUT", path: this.#path(namespace, name, subresource), body });
  }

  async watch(
    {
      namespace,
      ...query
    }: { namespace?: string; labelSelector?: string; fieldSelector?: string; resourceVersion?: string },
    receiver: { event(event: TypedWatchEvent<T>): void; closed(): void },
  ): Promise<{ stop(): void }> {
    const response = await retryWhenAsked(this.#options.clock, () =>
      this.#send({
        method: "GET",
        path: this.#collection(namespace),
        query: { ...query, watch: "true", allowWatchBookmarks: "true" },
      }),
    );
    if (response.body.kind !== "watch") {
      throw unknownError(`a watch of ${this.ref.resource} was answered with a ${response.body.kind} body`);
    }
    return receive(response.body.watch, receiver);
  }

  #replace(object: T, subresource?: string): Promise<T> {
    const { name, namespace } = object.metadata;
    const path = this.#path(namespace, name, subresource);
    return this.#object<T>({ method: "PUT", path, body: object as unknown as JsonObject });
  }

  async #object<R>(call: Call): Promise<R> {
    const response = await retryWhenAsked(this.#options.clock, () => this.#send(call));
    return documentOf(response) as R;
  }

  /** One request. @throws StatusError for every answer that is not a success */
  async #send({ method, path, query = {}, body, contentType }: Call): Promise<ApiResponse> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
    const response = await this.#options.transport({
      method,
      path,
      query: parameters,
      headers: {
        accept: "application/json",
        "user-agent": this.#options.userAgent,
        ...(body === undefined ? {} : { "content-type": contentType ?? "application/json" }),
      },
      user: this.#options.user,
      ...(body === undefined ? {} : { body: { kind: "object", object: body } }),
    });
    if (response.status >= 200 && response.status < 300) return response;
    throw failureOf(response);
  }

  /** Lists leave out what all their items have in common. */
  #complete(item: T): T {
    return item.kind === undefined ? this.#typed(item) : item;
  }

  #typed<O extends object>(object: O): O {
    if ("kind" in object && "apiVersion" in object) return object;
    const { group, version, kind } = this.ref;
    return { apiVersion: group === "" ? version : `${group}/${version}`, kind, ...object };
  }

  #collection(namespace: string | undefined): string {
    const { resource } = this.ref;
    if (namespace === undefined) return `${this.#root}/${resource}`;
    return `${this.#root}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
  }

  #path(namespace: string | undefined, name?: string, subresource?: string): string {
    const { namespaced, resource } = this.ref;
    if (namespaced && namespace === undefined) throw new TypeError(`${resource} live in a namespace: name one`);
    const parts = [this.#collection(namespaced ? namespace : undefined)];
    if (name !== undefined) parts.push(encodeURIComponent(name));
    if (subresource !== undefined) parts.push(subresource);
    return parts.join("/");
  }
}

interface ListDocument<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly T[];
}

const patchContentTypes: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

/** Hands a stream's events on until either side ends it. */
function receive<T>(
  stream: WatchStream,
  receiver: { event(event: TypedWatchEvent<T>): void; closed(): void },
): { stop(): void } {
  let open = true;
  stream.start({
    event(event) {
      if (open) receiver.event(event as unknown as TypedWatchEvent<T>);
    },
    ended() {
      if (!open) return;
      open = false;
      receiver.closed();
    },
  });
  return {
    stop() {
      open = false;
      stream.stop();
    },
  };
}

function documentOf(response: ApiResponse): JsonObject {
  switch (response.body.kind) {
    case "object":
      return response.body.object;
    case "text":
      return parse(response.body.text);
    case "bytes":
      return parse(new TextDecoder().decode(response.body.bytes));
    case "empty":
      return {};
    case "watch":
      response.body.watch.stop();
      throw unknownError("a plain request was answered with a watch");
    case "byteStream":
    case "session":
      throw unknownError("a plain request was answered with a stream of bytes");
  }
}

/** The failure an answer stands for. A body that is no Status still tells its text and its code (api-machinery 7.1). */
function failureOf(response: ApiResponse): StatusError {
  const status = statusIn(response);
  const base: Status = status ?? {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `the server answered with code ${response.status}${textIn(response)}`,
    code: response.status,
  };
  const header = response.headers["retry-after"];
  const asked = typeof header === "string" ? Number.parseInt(header, 10) : Number.NaN;
  if (!(asked > 0) || base.details?.retryAfterSeconds !== undefined) return new StatusError(base);
  return new StatusError({ ...base, details: { ...base.details, retryAfterSeconds: asked } });
}

function statusIn(response: ApiResponse): Status | undefined {
  const { kind } = response.body;
  if (kind === "watch" || kind === "byteStream" || kind === "session") return undefined;
  let document: JsonObject;
  try {
    document = documentOf(response);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // not JSON: a proxy's page, `404 page not found`
    throw error;
  }
  return document["kind"] === "Status" ? (document as unknown as Status) : undefined;
}

function textIn(response: ApiResponse): string {
  switch (response.body.kind) {
    case "text":
      return `: ${response.body.text.slice(0, 256).trim()}`;
    case "bytes":
      return `: ${new TextDecoder().decode(response.body.bytes.slice(0, 256)).trim()}`;
    case "empty":
    case "object":
    case "watch":
    case "byteStream":
    case "session":
      return "";
  }
}

function parse(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}
