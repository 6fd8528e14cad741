// Objects over the store: one store watch feeds the caches of all resources; writes are compare-and-swap on one key.
// Keys are `/registry/<group, or core>/<resource>/<namespace>/<name>`; without the namespace for cluster-scoped resources.

import { type Clock, type Millis, seconds, type Timer } from "../../base/time.ts";
import { type KeyValue, type Revision, type Store, type StoreBatch, type StoreWatch } from "../../store/store.ts";
import type { ApiObject } from "../registry/api-object.ts";
import { type Change } from "./change.ts";
import { ResourceCache } from "./resource-cache.ts";
import { serialize, StoredObject, storedObjectOf } from "./stored-object.ts";

/** How long a request for a state that lies ahead waits for it (api-machinery 3.7). */
export const futureRevisionWait = seconds(3);

const root = "/registry/";

export type WriteResult =
  | { readonly kind: "written"; readonly stored: StoredObject }
  /** Somebody else wrote first; `current` is what is there now. */
  | { readonly kind: "conflict"; readonly current: StoredObject | undefined };

/** Keys of which each has one holder (`registry/allocator.ts`). */
export interface ClaimChanges {
  readonly take: readonly string[];
  readonly giveBack: readonly string[];
}

const noClaims: ClaimChanges = { take: [], giveBack: [] };

export interface RangeAt {
  readonly objects: readonly StoredObject[];
  readonly more: boolean;
  /** How many the range holds from its beginning on, regardless of the limit. */
  readonly count: number;
  readonly revision: Revision;
}

export class ObjectStorage {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #freeze: boolean;
  readonly #caches = new Map<string, ResourceCache>();
  readonly #waiters = new Set<{ readonly revision: Revision; reached(): void }>();
  #watch: StoreWatch | undefined;
  #revision = 0 as Revision;

  constructor(store: Store, clock: Clock, freeze: boolean) {
    this.#store = store;
    this.#clock = clock;
    this.#freeze = freeze;
  }

  start(): void {
    this.#revision = this.#store.revision();
    this.#watch = this.#store.watch({ prefix: root, after: this.#revision }, { batch: (batch) => this.#take(batch) });
  }

  stop(): void {
    this.#watch?.cancel();
    this.#watch = undefined;
  }

  /** The newest revision that all caches have taken in. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The cache of the resource whose keys begin with `prefix`, loaded. */
  async cache(prefix: string): Promise<ResourceCache> {
    const cache = this.cacheFor(prefix);
    await cache.load();
    return cache;
  }

  cacheFor(prefix: string): ResourceCache {
    let cache = this.#caches.get(prefix);
    if (cache === undefined) {
      cache = new ResourceCache(prefix, this.#store, this.#freeze);
      this.#caches.set(prefix, cache);
    }
    return cache;
  }

  /**
   * Writes the object if the key still is at `expected` (0: does not exist), and takes and gives back its claims with it, if nobody else has them.
   * @param ttl the key goes by itself after this time
   */
  async write(
    key: string,
    expected: Revision | 0,
    object: ApiObject,
    { ttl, claims = noClaims }: { readonly ttl?: Millis | undefined; readonly claims?: ClaimChanges } = {},
  ): Promise<WriteResult> {
    const value = serialize(object);
    const put = { kind: "put", key, value, ...(ttl === undefined ? {} : { ttl }) } as const;
    const result = await this.#store.txn(
      [{ key, modRevision: expected }, ...claims.take.map((claim) => ({ key: claim, modRevision: 0 }) as const)],
      [
        put,
        ...claims.take.map((claim) => ({ kind: "put", key: claim, value: JSON.stringify({ holder: key }) }) as const),
        ...claims.giveBack.map((claim) => ({ kind: "delete", key: claim }) as const),
      ],
    );
    if (result.kind === "conflict") return { kind: "conflict", current: this.#storedOf(result.current[0]) };
    const cached = this.#caches.get(prefixOf(key))?.get(key);
    const stored =
      cached?.revision === result.revision ? cached : new StoredObject(key, result.revision, value, this.#freeze);
    return { kind: "written", stored };
  }

  /** Removes the key, and these claims with it, if it still is at `expected`. `stored` is the last state with the revision of the removal. */
  async remove(stored: StoredObject, claims: readonly string[] = []): Promise<WriteResult> {
    const { key, revision } = stored;
    const deletes = [key, ...claims].map((gone) => ({ kind: "delete", key: gone }) as const);
    const result = await this.#store.txn([{ key, modRevision: revision }], deletes);
    if (result.kind === "conflict") return { kind: "conflict", current: this.#storedOf(result.current[0]) };
    return { kind: "written", stored: stored.asDeletedAt(result.revision) };
  }

  /** Reads a range as it was at `revision`. @throws CompactedError, FutureRevisionError */
  async rangeAt(prefix: string, from: string, limit: number | undefined, revision: Revision): Promise<RangeAt> {
    const range = await this.#store.range({ prefix, from, revision, ...(limit === undefined ? {} : { limit }) });
    const cache = this.#caches.get(prefixOf(prefix));
    const objects = range.items.map((item) => {
      const cached = cache?.get(item.key);
      return cached?.revision === item.modRevision ? cached : storedObjectOf(item, this.#freeze);
    });
    return { objects, more: range.more, count: range.count, revision: range.revision };
  }

  /**
   * Delivers the changes of a resource after `revision` from the store's history, then the new ones, revision by revision.
   * @throws CompactedError
   */
  watchHistory(
    cache: ResourceCache,
    revision: Revision,
    listener: (revision: Revision, changes: readonly Change[]) => void,
  ): StoreWatch {
    const batch = ({ revision: at, events }: StoreBatch): void =>
      listener(
        at,
        events.map((event) => cache.changeOf(at, event)),
      );
    return this.#store.watch({ prefix: cache.prefix, after: revision }, { batch });
  }

  /** Waits until the caches have reached `revision`, at most `futureRevisionWait`. @returns whether they have */
  waitFor(revision: Revision): Promise<boolean> {
    if (revision <= this.#revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const waiter = {
        revision,
        reached: () => {
          timer?.cancel();
          resolve(true);
        },
      };
      this.#waiters.add(waiter);
      timer = this.#clock.setTimer(
        futureRevisionWait,
        () => {
          this.#waiters.delete(waiter);
          resolve(false);
        },
        "wait for a resource version",
      );
    });
  }

  /** Asks the store for one key, to see that it answers. */
  async probe(): Promise<void> {
    await this.#store.get(`${root}health`);
  }

  #take(batch: StoreBatch): void {
    this.#revision = batch.revision;
    for (const event of batch.events) this.#caches.get(prefixOf(event.key))?.apply(batch.revision, event);
    for (const waiter of this.#waiters) {
      if (waiter.revision > batch.revision) continue;
      this.#waiters.delete(waiter);
      waiter.reached();
    }
  }

  #storedOf(entry: KeyValue | undefined): StoredObject | undefined {
    return entry === undefined ? undefined : storedObjectOf(entry, this.#freeze);
  }
}

/** The prefix of all keys of a resource. */
export function resourcePrefix(group: string, resource: string): string {
  return `${root}${group === "" ? "core" : group}/${resource}/`;
}

/** `/registry/core/pods/default/web` → `/registry/core/pods/`. */
function prefixOf(key: string): string {
  const group = key.indexOf("/", root.length);
  const resource = key.indexOf("/", group + 1);
  return key.slice(0, resource + 1);
}
