// Lists: order, pages, states (api-machinery 3.7-3.9).

import { describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import type { Revision } from "../../src/store/store.ts";
import { type Answer, pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";
const maps = "/api/v1/namespaces/default/configmaps";

const names = ({ object }: Answer): string[] =>
  object.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
const encoded = (token: string): string => encodeURIComponent(token);

async function withMaps(...all: readonly string[]): Promise<ServerUnderTest> {
  const test = await ServerUnderTest.start();
  for (const name of all) await test.create(maps, { metadata: { name }, data: { made: "here" } });
  return test;
}

it("answers with everything in the order of the keys, and the revision it shows", async () => {
  const test = await withMaps("c", "a", "b");
  const list = await test.get(maps);
  expect(list.object).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1" });
  expect(names(list)).toEqual(["a", "b", "c"]);
  expect(list.object.metadata).toEqual({ resourceVersion: String(test.store.revision()) });
  expect(JSON.parse(list.text)).toEqual(list.object);
});

it("answers with an empty list, never with null, also for a namespace that does not exist", async () => {
  const test = await ServerUnderTest.start();
  const list = await test.get("/api/v1/namespaces/nowhere/configmaps");
  expect(list.object.items).toEqual([]);
  expect(list.text).toContain('"items":[]');
});

it("lists all namespaces, namespace by namespace", async () => {
  const test = await withMaps("b");
  await test.create("/api/v1/namespaces", { metadata: { name: "another" } });
  await test.create("/api/v1/namespaces/another/configmaps", { metadata: { name: "z" } });
  expect(names(await test.get("/api/v1/configmaps"))).toEqual(["z", "b"]);
});

it("pages through one state, whatever happens meanwhile", async () => {
  const test = await withMaps("a", "b", "c", "d", "e");

  const first = await test.get(`${maps}?limit=2`);
  await test.create(maps, { metadata: { name: "aa" } });
  await test.delete(`${maps}/d`);
  const second = await test.get(`${maps}?limit=2&continue=${encoded(first.object.metadata.continue)}`);
  const third = await test.get(`${maps}?limit=2&continue=${encoded(second.object.metadata.continue)}`);

  expect([first, second, third].map(names)).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  expect(first.object.metadata.remainingItemCount).toBe(3);
  expect(second.object.metadata.remainingItemCount).toBe(1);
  expect(third.object.metadata).toEqual({ resourceVersion: first.object.metadata.resourceVersion });
});

it("pages through what a selector takes, without counting the rest", async () => {
  const test = await ServerUnderTest.start();
  for (const name of ["a", "b", "c", "d", "e", "f"]) {
    await test.create(maps, { metadata: { name, labels: { odd: String("ace".includes(name)) } } });
  }
  const seen: string[] = [];
  let next = "";
  for (let page = 0; page < 10; page++) {
    const list = await test.get(`${maps}?limit=1&labelSelector=odd%3Dtrue&continue=${encoded(next)}`);
    seen.push(...names(list));
    expect(list.object.metadata).not.toHaveProperty("remainingItemCount");
    next = list.object.metadata.continue ?? "";
    if (next === "") break;
  }
  expect(seen).toEqual(["a", "c", "e"]);
});

it("says that a token ran out and offers a fresh one that goes on with the newest state", async () => {
  const test = await withMaps("a", "b", "c");
  const first = await test.get(`${maps}?limit=1`);
  await test.create(maps, { metadata: { name: "bb" } });
  await test.store.compact(test.store.revision());

  const late = await test.get(`${maps}?limit=1&continue=${encoded(first.object.metadata.continue)}`);
  const rest = await test.get(`${maps}?continue=${encoded(late.object.metadata.continue)}`);

  expect(late.object).toMatchObject({
    code: 410,
    reason: "Expired",
    message: expect.stringMatching(/^The provided continue parameter is too old to display a consistent list result\./),
  });
  expect(names(rest)).toEqual(["b", "bb", "c"]);
});

describe("resourceVersion", () => {
  /** `a` at `early`, then `b`. */
  async function history() {
    const test = await withMaps("a");
    const early = String(test.store.revision());
    await test.create(maps, { metadata: { name: "b" } });
    const now = test.store.revision();
    return { test, early, ahead: String(now + 5), now: String(now) };
  }

  it.each<[string, string, string[]]>([
    ["nothing: the newest", "", ["a", "b"]],
    ["0: any", "resourceVersion=0", ["a", "b"]],
    ["0 with a limit: any", "resourceVersion=0&limit=5", ["a", "b"]],
    ["n: not older than n", "resourceVersion=EARLY", ["a", "b"]],
    ["n with a limit: exactly n", "resourceVersion=EARLY&limit=5", ["a"]],
    ["Exact n", "resourceVersion=EARLY&resourceVersionMatch=Exact", ["a"]],
    ["NotOlderThan n", "resourceVersion=EARLY&resourceVersionMatch=NotOlderThan", ["a", "b"]],
    ["NotOlderThan n with a limit", "resourceVersion=EARLY&resourceVersionMatch=NotOlderThan&limit=5", ["a", "b"]],
    ["NotOlderThan 0", "resourceVersion=0&resourceVersionMatch=NotOlderThan", ["a", "b"]],
  ])("%s", async (_rule, query, want) => {
    const { test, early } = await history();
    expect(names(await test.get(`${maps}?${query.replace("EARLY", early)}`))).toEqual(want);
  });

  it.each<[string, number, string]>([
    [
      "resourceVersionMatch=Exact",
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      "resourceVersionMatch=Exact&resourceVersion=0",
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      "resourceVersionMatch=Roughly&resourceVersion=1",
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Roughly": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      "sendInitialEvents=true",
      422,
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
    ["continue=abc&resourceVersion=4", 400, "specifying resource version is not allowed when using continue"],
    ["continue=abc", 400, "continue key is not valid: "],
    ["resourceVersion=abc", 400, "Invalid value"],
    ["limit=many", 400, "invalid syntax"],
    ["labelSelector=a%3D%3D%3Db", 400, "unable to parse requirement"],
    [
      "fieldSelector=spec.foo%3Dx",
      400,
      '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
  ])("refuses ?%s", async (query, code, message) => {
    const { test } = await history();
    expect((await test.get(`${maps}?${query}`)).object).toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it("waits three seconds for a state that lies ahead, then gives up", async () => {
    const { test, ahead, now } = await history();
    const answer = test.get(`${maps}?resourceVersion=${ahead}`);
    await test.clock.advance(seconds(3));
    expect((await answer).object).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: `Too large resource version: ${ahead}, current: ${now}`,
      reason: "Timeout",
      details: {
        causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
        retryAfterSeconds: 1,
      },
      code: 504,
    });
    expect((await answer).headers["retry-after"]).toBe("1");
  });

  it("answers as soon as the state is reached", async () => {
    const { test, now } = await history();
    const answer = test.get(`${maps}/a?resourceVersion=${Number(now) + 1}`);
    await test.create(maps, { metadata: { name: "c" } });
    expect((await answer).status).toBe(200);
  });

  it("says Expired for an exact state that is gone", async () => {
    const { test, early, now } = await history();
    await test.store.compact(Number(now) as Revision);
    expect((await test.get(`${maps}?resourceVersion=${early}&resourceVersionMatch=Exact`)).object).toMatchObject({
      code: 410,
      reason: "Expired",
    });
  });
});

describe("selectors", () => {
  it.each([
    ["labelSelector=app%3Dweb", ["a"]],
    ["labelSelector=app!%3Dweb", ["b", "c"]],
    ["labelSelector=app+in+(web,db)", ["a", "b"]],
    ["labelSelector=!app", ["c"]],
    ["fieldSelector=metadata.name%3Db", ["b"]],
    ["fieldSelector=spec.nodeName%3D", ["b", "c"]],
    ["fieldSelector=spec.nodeName%3Dnode-a,status.phase!%3DSucceeded", ["a"]],
    ["fieldSelector=metadata.name%3Dnone", []],
  ])("?%s selects %j", async (query, want) => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("a", { metadata: { labels: { app: "web" } } }));
    await test.create(pods, pod("b", { metadata: { labels: { app: "db" } } }));
    await test.create(pods, pod("c"));
    await test.create(`${pods}/a/binding`, { metadata: { name: "a" }, target: { kind: "Node", name: "node-a" } });
    expect(names(await test.get(`${pods}?${query}`))).toEqual(want);
  });

  it("finds one object by its name also across namespaces", async () => {
    const test = await withMaps("a");
    expect(
      names(await test.get("/api/v1/configmaps?fieldSelector=metadata.name%3Da,metadata.namespace%3Ddefault")),
    ).toEqual(["a"]);
    expect(
      names(await test.get("/api/v1/configmaps?fieldSelector=metadata.name%3Da,metadata.namespace%3Dkube-system")),
    ).toEqual([]);
  });
});

it("shows bare metadata to those who ask for it", async () => {
  const test = await withMaps("a");
  const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
  const list = await test.get(maps, { accept });
  expect(list.object).toMatchObject({
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1",
    items: [{ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: { name: "a" } }],
  });
  expect(list.object.items[0]).not.toHaveProperty("data");
});

it("writes YAML for those who ask for it", async () => {
  const test = await withMaps("a");
  const one = await test.get(`${maps}/a`, { accept: "application/yaml" });
  expect(one.headers["content-type"]).toBe("application/yaml");
  expect(one.text).toContain("kind: ConfigMap\n");
});
