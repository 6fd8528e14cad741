// Watches: where they begin, what they tell, how they end (api-machinery 4).

import { describe, expect, it } from "vitest";
import { minutes, seconds } from "../../src/base/time.ts";
import { pod, type Recording, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";
const maps = "/api/v1/namespaces/default/configmaps";

const label = (test: ServerUnderTest, name: string, value: string | null) =>
  test.patch(`${maps}/${name}`, "merge", { metadata: { labels: { app: value } } });

async function withMaps(...all: readonly string[]): Promise<ServerUnderTest> {
  const test = await ServerUnderTest.start();
  for (const name of all) await test.create(maps, { metadata: { name } });
  return test;
}

describe("beginning", () => {
  it.each([
    ["without a version tells what is there", "", ["ADDED a", "ADDED b", "ADDED c"]],
    ["at 0 tells what is there", "&resourceVersion=0", ["ADDED a", "ADDED b", "ADDED c"]],
    ["at n tells what changed since", "&resourceVersion=SINCE", ["ADDED b", "ADDED c"]],
    [
      "without initial events tells only what changes from now on",
      "&sendInitialEvents=false&resourceVersionMatch=NotOlderThan",
      ["ADDED c"],
    ],
    [
      "with initial events marks their end",
      "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
      ["ADDED a", "ADDED b", "BOOKMARK", "ADDED c"],
    ],
    [
      "with initial events from n tells everything all the same",
      "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=SINCE",
      ["ADDED a", "ADDED b", "BOOKMARK", "ADDED c"],
    ],
  ])("%s", async (_rule, query, want) => {
    const test = await withMaps("a");
    const since = test.store.revision();
    await test.create(maps, { metadata: { name: "b" } });

    const watch = await test.watch(`${maps}?watch=true${query.replace("SINCE", String(since))}`);
    await test.create(maps, { metadata: { name: "c" } });

    expect(watch.names).toEqual(want);
  });

  it("says in the bookmark which state the initial events showed", async () => {
    const test = await withMaps("a");
    const watch = await test.watch(
      `${maps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    expect(watch.events[1]?.object).toEqual({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: {
        resourceVersion: String(test.store.revision()),
        creationTimestamp: null,
        annotations: { "k8s.io/initial-events-end": "true" },
      },
    });
  });

  it("ends at once with an ERROR when the history is gone", async () => {
    const test = await withMaps("a", "b");
    await test.store.compact(test.store.revision());
    const watch = await test.watch(`${maps}?watch=true&resourceVersion=2`);
    expect(watch.told).toEqual([`ERROR 410 too old resource version: 2 (${test.store.revision()})`]);
    expect(watch.events[0]?.object).toMatchObject({ kind: "Status", reason: "Expired", status: "Failure" });
    expect(watch.ended).toBe(true);
  });

  it("waits three seconds for a state that lies ahead, then ends with an ERROR", async () => {
    const test = await withMaps("a");
    const ahead = test.store.revision() + 9;
    const watch = await test.watch(`${maps}?watch=true&resourceVersion=${ahead}`);
    await test.clock.advance(seconds(2));
    expect(watch.told).toEqual([]);
    await test.clock.advance(seconds(1));
    expect(watch.told).toEqual([`ERROR 504 Too large resource version: ${ahead}, current: ${test.store.revision()}`]);
    expect(watch.ended).toBe(true);
  });

  it("begins as soon as the state is reached", async () => {
    const test = await withMaps("a");
    const watch = await test.watch(`${maps}?watch=true&resourceVersion=${test.store.revision() + 1}`);
    await test.create(maps, { metadata: { name: "b" } });
    await test.create(maps, { metadata: { name: "c" } });
    await test.clock.settle();
    expect(watch.names).toEqual(["ADDED c"]);
  });

  it.each([
    [
      "sendInitialEvents=true",
      "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ],
    [
      "resourceVersionMatch=NotOlderThan",
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    ],
  ])("refuses ?%s", async (query, message) => {
    const test = await withMaps();
    expect((await test.get(`${maps}?watch=true&${query}`)).object).toMatchObject({
      code: 422,
      message: `ListOptions.meta.k8s.io "" is invalid: ${message}`,
    });
  });

  it("takes a named object and the old form of the path for the same", async () => {
    const test = await withMaps("a", "b");
    const named = await test.watch(`${maps}/a?watch=true`);
    const old = await test.watch("/api/v1/watch/namespaces/default/configmaps/a");
    await label(test, "a", "x");
    await label(test, "b", "x");
    expect(named.names).toEqual(["ADDED a", "MODIFIED a"]);
    expect(old.names).toEqual(["ADDED a", "MODIFIED a"]);
  });
});

describe("telling", () => {
  it("tells every change once, in order, with the revision of the change", async () => {
    const test = await withMaps();
    const watch = await test.watch(`${maps}?watch=true&resourceVersion=${test.store.revision()}`);
    const start = test.store.revision();
    await test.create(maps, { metadata: { name: "a" } });
    await label(test, "a", "1");
    await label(test, "a", "2");
    await test.delete(`${maps}/a`);
    expect(watch.told).toEqual([
      `ADDED a@${start + 1}`,
      `MODIFIED a@${start + 2}`,
      `MODIFIED a@${start + 3}`,
      `DELETED a@${start + 4}`,
    ]);
  });

  it("shows a removed object as it last was", async () => {
    const test = await withMaps("a");
    await label(test, "a", "last");
    const watch = await test.watch(`${maps}?watch=true`);
    await test.delete(`${maps}/a`);
    expect(watch.events[1]).toMatchObject({ type: "DELETED", object: { metadata: { labels: { app: "last" } } } });
  });

  it("tells objects that come into the selection as ADDED, and those that leave it as DELETED", async () => {
    const test = await withMaps("a");
    const watch = await test.watch(`${maps}?watch=true&labelSelector=app%3Dweb`);
    await label(test, "a", "db"); // not before, not after
    await label(test, "a", "web"); // comes
    await test.patch(`${maps}/a`, "merge", { data: { x: "1" } }); // stays
    await label(test, "a", "db"); // goes
    const gone = test.store.revision();
    await test.delete(`${maps}/a`); // was not there any more
    expect(watch.names).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
    expect(watch.events[2]?.object).toMatchObject({
      metadata: { labels: { app: "web" }, resourceVersion: String(gone) },
      data: { x: "1" },
    });
  });

  it("follows Pods onto their node by a field selector", async () => {
    const test = await ServerUnderTest.start();
    const kubelet = await test.watch("/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dnode-a");
    await test.create(pods, pod("web"));
    await test.create(pods, pod("other"));
    for (const [name, node] of [
      ["web", "node-a"],
      ["other", "node-b"],
    ] as const) {
      await test.create(`${pods}/${name}/binding`, { metadata: { name }, target: { kind: "Node", name: node } });
    }
    expect(kubelet.names).toEqual(["ADDED web"]);
  });

  it("shares one event and one line among all who watch the same way", async () => {
    const test = await withMaps();
    const watches: Recording[] = [];
    for (const query of ["", "&labelSelector=!nothing", ""])
      watches.push(await test.watch(`${maps}?watch=true${query}`));
    await test.create(maps, { metadata: { name: "a" } });
    const [event, ...others] = watches.map((watch) => watch.events[0]);
    expect(others.every((other) => other === event)).toBe(true);
    expect(event?.line()).toBe(`{"type":"ADDED","object":${JSON.stringify(event?.object)}}\n`);
  });

  it("stays inside its namespace", async () => {
    const test = await withMaps();
    const watch = await test.watch(`${maps}?watch=true`);
    await test.create("/api/v1/namespaces/kube-system/configmaps", { metadata: { name: "elsewhere" } });
    expect(watch.events).toEqual([]);
  });

  it("tells bare metadata to those who ask for it", async () => {
    const test = await withMaps();
    const accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    const watch = await test.watch(`${maps}?watch=true`, { accept });
    await test.create(maps, { metadata: { name: "a" }, data: { x: "1" } });
    expect(watch.events[0]?.object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "a" } });
    expect(watch.events[0]?.object).not.toHaveProperty("data");
  });
});

describe("resuming", () => {
  it("goes on where another watch ended: nothing left out, nothing twice", async () => {
    const test = await withMaps();
    const whole = await test.watch(`${maps}?watch=true`);
    const told: string[] = [];
    let version = String(test.store.revision());
    for (let round = 0; round < 6; round++) {
      const part = await test.watch(`${maps}?watch=true&resourceVersion=${version}`);
      await test.create(maps, { metadata: { name: `m-${round}` } });
      part.stop();
      told.push(...part.told);
      version = part.told.at(-1)?.split("@")[1] ?? version;
      await label(test, `m-${round}`, "unseen");
      await test.create(`/api/v1/namespaces/kube-system/configmaps`, { metadata: { name: `other-${round}` } });
    }
    const rest = await test.watch(`${maps}?watch=true&resourceVersion=${version}`);
    await test.delete(`${maps}/m-0`);
    expect([...told, ...rest.told]).toEqual(whole.told);
    expect(whole.told).toHaveLength(13);
  });

  it("joins those who watch live once it has caught up", async () => {
    const test = await withMaps();
    const version = test.store.revision();
    await test.create(maps, { metadata: { name: "a" } });
    const live = await test.watch(`${maps}?watch=true`);
    const resumed = await test.watch(`${maps}?watch=true&resourceVersion=${version}`);
    await test.create(maps, { metadata: { name: "b" } });
    expect(resumed.told).toEqual(live.told);
    expect(resumed.events[1]).toBe(live.events[1]);
  });
});

describe("ending", () => {
  it("ends when its time is over, with a bookmark for those who want one", async () => {
    const test = await withMaps();
    const plain = await test.watch(`${maps}?watch=true&timeoutSeconds=10`);
    const marked = await test.watch(`${maps}?watch=true&timeoutSeconds=10&allowWatchBookmarks=true`);
    await test.clock.advance(seconds(9));
    expect([plain.ended, marked.ended]).toEqual([false, false]);
    await test.clock.advance(seconds(1));
    expect([plain.ended, marked.ended]).toEqual([true, true]);
    expect([plain.told, marked.told]).toEqual([[], [`BOOKMARK@${test.store.revision()}`]]);
  });

  it("ends by itself after 30 to 60 minutes", async () => {
    const test = await withMaps();
    const watch = await test.watch(`${maps}?watch=true`);
    await test.clock.advance(minutes(29));
    expect(watch.ended).toBe(false);
    await test.clock.advance(minutes(32));
    expect(watch.ended).toBe(true);
  });

  it("sends bookmarks every minute, though nothing of this resource changes", async () => {
    const test = await withMaps();
    const watch = await test.watch(`${maps}?watch=true&allowWatchBookmarks=true`);
    await test.create("/api/v1/nodes", { metadata: { name: "node-a" } });
    await test.clock.advance(minutes(1));
    expect(watch.told).toEqual([`BOOKMARK@${test.store.revision()}`]);
    expect(watch.events[0]?.object).toMatchObject({ kind: "ConfigMap", apiVersion: "v1" });
  });

  it("tells nothing more to those who stopped it", async () => {
    const test = await withMaps();
    const watch = await test.watch(`${maps}?watch=true`);
    watch.stop();
    await test.create(maps, { metadata: { name: "a" } });
    await test.clock.advance(minutes(61));
    expect(watch.events).toEqual([]);
    expect(watch.ended).toBe(false);
  });

  it("ends all when the server stops", async () => {
    const test = await withMaps();
    const watches = [await test.watch(`${maps}?watch=true`), await test.watch("/api/v1/pods?watch=true")];
    await test.server.stop();
    expect(watches.map(({ ended }) => ended)).toEqual([true, true]);
  });
});
