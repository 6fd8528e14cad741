// One HTTP/2 connection to an API server, as thin as it can be: what the benchmarks ask and watch with.

import { type ClientHttp2Session, connect } from "node:http2";
import { credentials } from "./kubeconfig-credentials.ts";

export interface WatchedObject {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly phase?: string;
    readonly availableReplicas?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export class ApiConnection {
  readonly #session: ClientHttp2Session;

  constructor(server: { readonly url: string; readonly kubeconfig: string }) {
    this.#session = connect(server.url, credentials(server.kubeconfig));
  }

  /** @throws Error with the server's answer if it refuses */
  async call(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const stream = this.#session.request({
      ":method": method,
      ":path": path,
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
    });
    stream.end(body === undefined ? undefined : JSON.stringify(body));
    const status = await new Promise<number>((resolve, reject) => {
      stream.once("response", (headers) => resolve(headers[":status"] ?? 0));
      stream.once("error", reject);
    });
    stream.setEncoding("utf8");
    let text = "";
    for await (const chunk of stream) text += chunk as string;
    if (status >= 300) throw new Error(`${method} ${path} was answered with ${status}: ${text}`);
    return JSON.parse(text);
  }

  /** The revision of a collection now: what a watch without initial events starts from. */
  async revision(path: string): Promise<string> {
    const list = (await this.call("GET", `${path}?limit=1`)) as { metadata: { resourceVersion: string } };
    return list.metadata.resourceVersion;
  }

  /** Resolves when the watch is open; `event` is called with every change after that. */
  async watch(path: string, event: (type: string, object: WatchedObject) => void): Promise<{ stop(): void }> {
    const stream = this.#session.request({
      ":path": `${path}?watch=true&resourceVersion=${await this.revision(path)}`,
      accept: "application/json",
    });
    stream.setEncoding("utf8");
    let rest = "";
    stream.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const { type, object } = JSON.parse(line) as { type: string; object: WatchedObject };
        event(type, object);
      }
    });
    await new Promise<void>((resolve, reject) => {
      stream.once("response", () => resolve());
      stream.once("error", reject);
    });
    return { stop: () => stream.close() };
  }

  close(): void {
    this.#session.destroy();
  }
}
