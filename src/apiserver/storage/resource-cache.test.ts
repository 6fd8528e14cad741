import { expect, it } from "vitest";
import type { KeyValue, RangeResult, Revision, Store, StoreEvent } from "../../store/store.ts";
import type { Change } from "./change.ts";
import { ResourceCache } from "./resource-cache.ts";
import type { StoredObject } from "./stored-object.ts";

const prefix = "/registry/core/pods/";
const revision = (n: number): Revision => n as Revision;

const held = (name: string, at: number): KeyValue => ({
  key: `${prefix}${name}`,
  value: JSON.stringify({ kind: "Pod", apiVersion: "v1", metadata: { name } }),
  createRevision: revision(at),
  modRevision: revision(at),
});
const put = (name: string, at: number, previous?: KeyValue): StoreEvent => ({
  kind: "put",
  key: `${prefix}${name}`,
  current: held(name, at),
  previous,
});
const removed = (previous: KeyValue, at: number): StoreEvent => ({
  kind: "delete",
  key: previous.key,
  revision: revision(at),
  previous,
});

/** A store whose first read answers when the test says so. */
function slowStore() {
  const waiting: { resolve(result: RangeResult): void; reject(error: Error): void }[] = [];
  const store = {
    range: () => new Promise<RangeResult>((resolve, reject) => waiting.push({ resolve, reject })),
  } as unknown as Store;
  const answer = (at: number, ...items: readonly KeyValue[]): void =>
    waiting.shift()?.resolve({ items, more: false, count: items.length, revision: revision(at) });
  return { store, answer, fail: (error: Error) => waiting.shift()?.reject(error) };
}

const names = (cache: ResourceCache, from?: string): string[] =>
  [...cache.range(prefix, from)].map(({ object }) => `${object.metadata.name}@${object.metadata.resourceVersion}`);

it("takes in what happens while it is being read: nothing lost, nothing twice", async () => {
  const { store, answer } = slowStore();
  const cache = new ResourceCache(prefix, store, true);
  const loading = cache.load();

  cache.apply(revision(5), put("b", 5)); // the read below shows this already
  cache.apply(revision(6), put("c", 6));
  answer(5, held("a", 3), held("b", 5));
  await loading;

  expect(names(cache)).toEqual(["a@3", "b@5", "c@6"]);
  expect(cache.lastChange).toBe(6);
});

it("ignores a resource that nobody has asked for", () => {
  const { store } = slowStore();
  const cache = new ResourceCache(prefix, store, true);
  cache.apply(revision(5), put("b", 5));
  expect(cache.lastChange).toBe(0);
});

it("reads again after a failed read", async () => {
  const { store, answer, fail } = slowStore();
  const cache = new ResourceCache(prefix, store, true);
  const failing = cache.load();
  fail(new Error("disk gone"));
  await expect(failing).rejects.toThrow("disk gone");

  const loading = cache.load();
  answer(5, held("a", 3));
  await loading;

  expect(names(cache)).toEqual(["a@3"]);
});

async function loaded(...items: readonly KeyValue[]): Promise<ResourceCache> {
  const { store, answer } = slowStore();
  const cache = new ResourceCache(prefix, store, true);
  const loading = cache.load();
  answer(9, ...items);
  await loading;
  return cache;
}

it("keeps its objects in the order of their keys", async () => {
  const cache = await loaded(held("b", 2), held("d", 3));
  cache.apply(revision(10), put("c", 10));
  cache.apply(revision(11), put("a", 11));
  cache.apply(revision(12), put("e", 12));
  cache.apply(revision(13), removed(held("d", 3), 13));
  expect(names(cache)).toEqual(["a@11", "b@2", "c@10", "e@12"]);
  expect(names(cache, `${prefix}b\u0001`)).toEqual(["c@10", "e@12"]);
  expect([cache.count(prefix), cache.count(prefix, `${prefix}c`)]).toEqual([4, 2]);
});

it("tells a change to those who listened when it began, with the state before it", async () => {
  const cache = await loaded(held("a", 2));
  const told: string[] = [];
  const describe = ({ current, previous }: Change): string =>
    `${previous?.revision ?? "-"} > ${current?.revision ?? "-"}`;
  const late = (change: Change): void => void told.push(`late ${describe(change)}`);
  const first = (change: Change): void => {
    told.push(describe(change));
    cache.unsubscribe(first);
    cache.subscribe(late);
  };
  cache.subscribe(first);

  cache.apply(revision(10), put("a", 10, held("a", 2)));
  cache.apply(revision(11), removed(held("a", 10), 11));

  expect(told).toEqual(["2 > 10", "late 10 > -"]);
});

it("knows a change again that comes a second time, from the history", async () => {
  const cache = await loaded();
  let live: Change | undefined;
  cache.subscribe((change) => (live = change));
  cache.apply(revision(10), put("a", 10));
  expect(cache.changeOf(revision(10), put("a", 10))).toBe(live);
});

it("tells a listener with a trigger what concerns it, before or after, and nothing else", async () => {
  const cache = await loaded();
  const trigger = {
    index: "name length",
    value: "1",
    valueOf: ({ key }: StoredObject) => String(key.length - prefix.length),
  };
  const told: string[] = [];
  const listener = ({ key, revision: at }: Change): void => void told.push(`${key.slice(prefix.length)}@${at}`);
  cache.subscribe(listener, trigger);

  cache.apply(revision(10), put("a", 10));
  cache.apply(revision(11), put("long", 11));
  cache.apply(revision(12), removed(held("a", 10), 12));
  cache.unsubscribe(listener, trigger);
  cache.apply(revision(13), put("b", 13));

  expect(told).toEqual(["a@10", "a@12"]);
});
