// An API server in memory on the virtual clock, and the requests that tests make of it.

import { setImmediate as turn } from "node:timers/promises";
import type { ApiRequest, ApiResponse, JsonObject, WatchEvent } from "../../src/api/wire/request.ts";
import { type ApiServer, createApiServer } from "../../src/apiserver/api-server.ts";
import type { NodeConnector } from "../../src/apiserver/node-connector.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";

export interface Answer {
  readonly status: number;
  readonly headers: ApiResponse["headers"];
  // The tests read what they know to be there.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly object: any;
  readonly text: string;
}

export interface Sent {
  readonly body?: JsonObject | readonly unknown[];
  readonly bytes?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly user?: ApiRequest["user"];
}

export const admin: ApiRequest["user"] = { username: "admin", groups: ["system:masters", "system:authenticated"] };

const noNodes: NodeConnector = {
  containerLogs: async () => ({ kind: "refused", status: 500, message: "there are no nodes" }),
  nodeUsage: async () => ({ kind: "refused", status: 500, message: "no kubelet" }),
  podStream: async () => ({ kind: "refused", status: 500, message: "there are no nodes" }),
};

export class ServerUnderTest {
  readonly clock = new VirtualClock(() => turn());
  readonly store: MemoryStore;
  readonly server: ApiServer;
  readonly errors: unknown[] = [];

  constructor(nodes: NodeConnector = noNodes, store?: MemoryStore) {
    this.store = store ?? new MemoryStore({ clock: this.clock });
    this.server = createApiServer({
      store: this.store,
      clock: this.clock,
      random: new SeededRandom(1),
      nodes,
      options: { freezeObjects: true, reportError: (error) => this.errors.push(error) },
    });
  }

  /** A started server; with the default service account, which a controller would make. */
  static async start(nodes?: NodeConnector): Promise<ServerUnderTest> {
    const test = new ServerUnderTest(nodes);
    await test.server.start();
    await test.create("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
    return test;
  }

  async send(
    method: ApiRequest["method"],
    url: string,
    { body, bytes, headers = {}, user = admin }: Sent = {},
  ): Promise<Answer> {
    const response = await this.respond(method, url, {
      ...(body && { body }),
      ...(bytes !== undefined && { bytes }),
      headers,
      user,
    });
    return answerOf(response);
  }

  respond(
    method: ApiRequest["method"],
    url: string,
    { body, bytes, headers = {}, user = admin }: Sent = {},
  ): Promise<ApiResponse> {
    const [path = "", query = ""] = url.split("?", 2);
    const sentBody: ApiRequest["body"] | undefined =
      body !== undefined
        ? { kind: "object", object: body }
        : bytes !== undefined
          ? { kind: "bytes", bytes: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes }
          : undefined;
    return this.server.handle({
      method,
      path,
      query: new URLSearchParams(query),
      headers,
      user,
      ...(sentBody === undefined ? {} : { body: sentBody }),
    });
  }

  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Answer> {
    return this.send("GET", url, headers === undefined ? {} : { headers });
  }

  create(url: string, body: JsonObject): Promise<Answer> {
    return this.send("POST", url, { body });
  }

  put(url: string, body: JsonObject): Promise<Answer> {
    return this.send("PUT", url, { body });
  }

  patch(url: string, type: "json" | "merge" | "strategic", body: JsonObject | readonly unknown[]): Promise<Answer> {
    const suffix = { json: "json-patch+json", merge: "merge-patch+json", strategic: "strategic-merge-patch+json" }[
      type
    ];
    return this.send("PATCH", url, { body, headers: { "content-type": `application/${suffix}` } });
  }

  delete(url: string, body?: JsonObject): Promise<Answer> {
    return this.send("DELETE", url, body === undefined ? {} : { body });
  }

  /** Opens a watch and records what it tells. */
  async watch(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Recording> {
    const response = await this.respond("GET", url, { headers });
    if (response.body.kind !== "watch") throw new Error(`no watch: ${answerOf(response).text}`);
    const recording = new Recording(response.body.watch);
    return recording;
  }
}

/** What one watch told so far. */
export class Recording {
  readonly events: WatchEvent[] = [];
  ended = false;
  readonly #watch: { stop(): void };

  constructor(watch: Extract<ApiResponse["body"], { kind: "watch" }>["watch"]) {
    this.#watch = watch;
    watch.start({
      event: (event) => this.events.push(event),
      ended: () => {
        this.ended = true;
      },
    });
  }

  /** `ADDED web@12`, one line an event. */
  get told(): readonly string[] {
    return this.events.map(({ type, object }) => {
      const metadata = object["metadata"] as { name?: string; resourceVersion?: string };
      if (type === "ERROR") return `ERROR ${String(object["code"])} ${String(object["message"])}`;
      return `${type}${metadata.name === undefined ? "" : ` ${metadata.name}`}@${metadata.resourceVersion ?? ""}`;
    });
  }

  /** The types and names alone. */
  get names(): readonly string[] {
    return this.told.map((line) => line.replace(/@.*/, ""));
  }

  stop(): void {
    this.#watch.stop();
  }
}

export function pod(
  name: string,
  more: { readonly spec?: JsonObject; readonly metadata?: JsonObject } = {},
): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, ...more.metadata },
    spec: { containers: [{ name: "app", image: "app:1" }], ...more.spec },
  };
}

function answerOf(response: ApiResponse): Answer {
  const text = textOf(response);
  const isJson = String(response.headers["content-type"] ?? "").startsWith("application/json");
  const object = response.body.kind === "object" ? response.body.object : isJson ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, object, text };
}

function textOf({ body }: ApiResponse): string {
  switch (body.kind) {
    case "object":
      return body.json();
    case "text":
      return body.text;
    case "bytes":
      return new TextDecoder().decode(body.bytes);
    case "empty":
    case "watch":
    case "byteStream":
    case "session":
      return "";
  }
}
