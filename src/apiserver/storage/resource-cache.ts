// All current objects of one resource, in key order, kept up to date by the store's watch. A store tells its watchers before it acknowledges a write, so
// whoever reads here after an acknowledged write sees it: reads from this cache are consistent reads (api-machinery 3.7).

import type { Revision, Store, StoreEvent } from "../../store/store.ts";
import { Change } from "./change.ts";
import { type StoredObject, storedObjectOf } from "./stored-object.ts";

/** How many changes are remembered, so that watchers who resume from the store's history share what was already decoded. */
const recentChangesLimit = 1024;

/** Receives every change of the resource, in order. Must not throw. One that unsubscribes while it is told may be told once more. */
export type ChangeListener = (change: Change) => void;

/**
 * What a listener waits for: changes of objects that have, or had, this value in one field. A change then costs nothing for the thousand
 * kubelets whose Pods it does not concern.
 */
export interface Trigger {
  /** Listeners with the same index look at the same field in the same way. */
  readonly index: string;
  readonly value: string;
  readonly valueOf: (stored: StoredObject) => string;
}

interface TriggerIndex {
  readonly valueOf: Trigger["valueOf"];
  readonly byValue: Map<string, readonly ChangeListener[]>;
}

export class ResourceCache {
  readonly prefix: string;
  readonly #store: Store;
  readonly #freeze: boolean;
  readonly #objects = new Map<string, StoredObject>();
  /** The keys of `#objects`, sorted. */
  #keys: string[] = [];
  /** Replaced when it changes, never changed: a round of telling goes on over those who were there when it began. */
  #listeners: readonly ChangeListener[] = [];
  readonly #indexes = new Map<string, TriggerIndex>();
  readonly #recent = new Map<string, Change>();
  #loading: Promise<void> | undefined;
  #loaded = false;
  /** What the store told while the first read was under way. */
  #early: { readonly revision: Revision; readonly event: StoreEvent }[] = [];
  #lastChange = 0 as Revision;

  constructor(prefix: string, store: Store, freeze: boolean) {
    this.prefix = prefix;
    this.#store = store;
    this.#freeze = freeze;
  }

  /** Changes after this revision are known here one by one; 0 before the cache is loaded. */
  get lastChange(): Revision {
    return this.#lastChange;
  }

  /** Reads the resource once. Everything else here may be used only after that. */
  load(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined; // the next request tries again
      this.#early = [];
      throw error;
    });
    return this.#loading;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** The objects whose keys begin with `prefix`, in key order, from the key `from` on (inclusive). */
  *range(prefix: string, from: string = prefix): Generator<StoredObject> {
    for (let i = this.#position(from > prefix ? from : prefix); i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      if (!key.startsWith(prefix)) return;
      yield this.#objects.get(key) as StoredObject;
    }
  }

  /** How many keys begin with `prefix`, from the key `from` on. */
  count(prefix: string, from: string = prefix): number {
    return this.#position(`${prefix}\u{10ffff}`) - this.#position(from > prefix ? from : prefix);
  }

  /** @param trigger tells the listener only what concerns it */
  subscribe(listener: ChangeListener, trigger?: Trigger): void {
    if (trigger === undefined) {
      this.#listeners = [...this.#listeners, listener];
      return;
    }
    let index = this.#indexes.get(trigger.index);
    if (index === undefined) {
      index = { valueOf: trigger.valueOf, byValue: new Map() };
      this.#indexes.set(trigger.index, index);
    }
    index.byValue.set(trigger.value, [...(index.byValue.get(trigger.value) ?? []), listener]);
  }

  /** Takes the same arguments as `subscribe` did. */
  unsubscribe(listener: ChangeListener, trigger?: Trigger): void {
    const without = (listeners: readonly ChangeListener[]) => listeners.filter((other) => other !== listener);
    if (trigger === undefined) {
      this.#listeners = without(this.#listeners);
      return;
    }
    const index = this.#indexes.get(trigger.index);
    if (index === undefined) return;
    const left = without(index.byValue.get(trigger.value) ?? []);
    if (left.length > 0) index.byValue.set(trigger.value, left);
    else index.byValue.delete(trigger.value);
    if (index.byValue.size === 0) this.#indexes.delete(trigger.index);
  }

  /** Takes one change in from the store and passes it on. */
  apply(revision: Revision, event: StoreEvent): void {
    if (this.#loading === undefined) return; // nobody has asked for this resource yet
    if (!this.#loaded) {
      this.#early.push({ revision, event });
      return;
    }
    const change = this.changeOf(revision, event);
    if (change.current === undefined) this.#remove(event.key);
    else this.#put(change.current);
    this.#lastChange = revision;
    // Chosen before anybody is told: a listener that comes while others are told has already seen this change.
    const concerned = this.#concernedBy(change);
    for (const listener of this.#listeners) listener(change);
    for (const listeners of concerned) for (const listener of listeners) listener(change);
  }

  /** The change that a store event tells: one object for all who come across it, live or from the store's history. */
  changeOf(revision: Revision, event: StoreEvent): Change {
    const id = `${revision} ${event.key}`;
    const known = this.#recent.get(id);
    if (known !== undefined) return known;
    const current = event.kind === "put" ? storedObjectOf(event.current, this.#freeze) : undefined;
    const change = new Change(event.key, revision, current, this.#previousOf(event));
    this.#recent.set(id, change);
    if (this.#recent.size > recentChangesLimit) {
      const oldest = this.#recent.keys().next().value as string;
      this.#recent.delete(oldest);
    }
    return change;
  }

  #concernedBy({ current, previous }: Change): (readonly ChangeListener[])[] {
    const concerned: (readonly ChangeListener[])[] = [];
    for (const { valueOf, byValue } of this.#indexes.values()) {
      const now = current === undefined ? undefined : valueOf(current);
      const before = previous === undefined ? undefined : valueOf(previous);
      if (now !== undefined) concerned.push(byValue.get(now) ?? []);
      if (before !== undefined && before !== now) concerned.push(byValue.get(before) ?? []);
    }
    return concerned;
  }

  #previousOf(event: StoreEvent): StoredObject | undefined {
    if (event.previous === undefined) return undefined;
    const held = this.#objects.get(event.key);
    return held?.revision === event.previous.modRevision ? held : storedObjectOf(event.previous, this.#freeze);
  }

  async #load(): Promise<void> {
    const { items, revision } = await this.#store.range({ prefix: this.prefix });
    for (const item of items) {
      this.#objects.set(item.key, storedObjectOf(item, this.#freeze));
      this.#keys.push(item.key);
    }
    this.#keys.sort();
    this.#lastChange = revision;
    this.#loaded = true;
    const early = this.#early;
    this.#early = [];
    for (const { revision: at, event } of early) if (at > revision) this.apply(at, event);
  }

  #put(stored: StoredObject): void {
    if (!this.#objects.has(stored.key)) this.#keys.splice(this.#position(stored.key), 0, stored.key);
    this.#objects.set(stored.key, stored);
  }

  #remove(key: string): void {
    if (!this.#objects.delete(key)) return;
    this.#keys.splice(this.#position(key), 1);
  }

  /** Where `key` is or would be among the sorted keys. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
