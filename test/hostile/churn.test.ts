// Many at once over the network: what a watcher pieces together is what a list says in the end, and of two writers one always learns of the other.

import type { ClientHttp2Session } from "node:http2";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ServedApi } from "./served-api.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";

let api: ServedApi;
beforeAll(async () => {
  api = await ServedApi.start();
});
afterAll(() => api.stop());

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}
interface ConfigMapList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly ConfigMap[];
}

const list = async (): Promise<ConfigMapList> => (await api.good("GET", configMaps)) as unknown as ConfigMapList;
const byName = (items: Iterable<ConfigMap>): ReadonlyMap<string, string> =>
  new Map([...items].map(({ metadata }) => [metadata.name, metadata.resourceVersion]));

/** What an informer does: list, watch from there, begin again where it was when the connection breaks. */
class Follower {
  readonly present = new Map<string, ConfigMap>();
  readonly breaks: number;
  #revision = "";
  #session: ClientHttp2Session | undefined;
  #isOver = false;
  #changed = (): void => undefined;
  #sessions = 0;

  /** @param breaks how often it throws its own connection away, after ten events each */
  constructor(breaks: number) {
    this.breaks = breaks;
  }

  async start(): Promise<void> {
    const { items, metadata } = await list();
    for (const item of items) this.present.set(item.metadata.name, item);
    this.#revision = metadata.resourceVersion;
    this.#watch();
  }

  stop(): void {
    this.#isOver = true;
    this.#session?.destroy();
  }

  async until(revision: number): Promise<void> {
    while (Number(this.#revision) < revision) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  #watch(): void {
    const session = api.session();
    this.#session = session;
    this.#sessions += 1;
    let events = 0;
    let rest = "";
    session.on("close", () => {
      if (!this.#isOver) this.#watch();
    });
    const stream = session.request({ ":path": `${configMaps}?watch=1&resourceVersion=${this.#revision}` });
    stream.setEncoding("utf8");
    stream.on("error", () => session.destroy());
    stream.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) {
        this.#take(JSON.parse(line) as { readonly type: string; readonly object: ConfigMap });
        events += 1;
      }
      if (events >= 10 && this.#sessions <= this.breaks) session.destroy();
    });
  }

  #take({ type, object }: { readonly type: string; readonly object: ConfigMap }): void {
    const { name, resourceVersion } = object.metadata;
    const isThere = this.present.has(name);
    if (type === "ADDED" ? isThere : !isThere)
      throw new Error(`${type} of ${name}, which is ${isThere ? "" : "not "}there`);
    if (Number(resourceVersion) <= Number(this.#revision)) throw new Error(`${name} came twice or out of order`);
    this.#revision = resourceVersion;
    if (type === "DELETED") this.present.delete(name);
    else this.present.set(name, object);
    this.#changed();
  }
}

it("lets every watcher see what a list says in the end, also over connections that break", async () => {
  const followers = [0, 0, 5, 10].map((breaks) => new Follower(breaks));
  await Promise.all(followers.map((follower) => follower.start()));
  const write = async (worker: number): Promise<void> => {
    for (let round = 0; round < 60; round++) {
      const name = `item-${worker}-${round % 7}`;
      const path = `${configMaps}/${name}`;
      const headers = { "content-type": "application/merge-patch+json" };
      const patched = await api.http2({
        method: "PATCH",
        path,
        headers,
        body: JSON.stringify({ data: { round: `${round}` } }),
      });
      if (patched.status === 404)
        await api.good("POST", configMaps, { metadata: { name }, data: { round: `${round}` } });
      else if (round % 3 === 0) await api.good("DELETE", path);
    }
  };
  await Promise.all([0, 1, 2, 3].map(write));
  await api.good("POST", configMaps, { metadata: { name: "last" } });
  const final = await list();
  for (const follower of followers) {
    await follower.until(Number(final.metadata.resourceVersion));
    follower.stop();
    expect(byName(follower.present.values())).toEqual(byName(final.items));
  }
});

it("tells one of two writers of the other, so that no change is lost", async () => {
  await api.good("POST", configMaps, { metadata: { name: "counter" }, data: { count: "0" } });
  const path = `${configMaps}/counter`;
  const headers = { "content-type": "application/json" };
  let conflicts = 0;
  const increment = async (): Promise<void> => {
    for (;;) {
      const current = (await api.good("GET", path)) as unknown as ConfigMap;
      const data = { count: `${Number(current.data?.["count"]) + 1}` };
      const { status } = await api.http2({ method: "PUT", path, headers, body: JSON.stringify({ ...current, data }) });
      if (status === 200) return;
      if (status !== 409) throw new Error(`answered ${status}`);
      conflicts += 1;
    }
  };
  await Promise.all(
    [0, 1, 2, 3].map(async () => {
      for (let turn = 0; turn < 10; turn++) await increment();
    }),
  );
  expect((await api.good("GET", path))["data"]).toEqual({ count: "40" });
  expect(conflicts).toBeGreaterThan(0);
});
