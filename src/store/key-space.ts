// The keys as they are now and the way back to what they were. Every backing holds one of these in memory; a durable one writes each commit
// down before it is applied here.

import { OrderedKeys } from "../base/ordered-keys.ts";
import type { Commit } from "./history.ts";
import { History } from "./history.ts";
import type { KeyValue, RangeRequest, RangeResult, Revision } from "./store.ts";
import { CompactedError, FutureRevisionError } from "./store.ts";

/** The revision of a store that was never written. */
const emptyRevision = 1 as Revision;

export class KeySpace {
  readonly history = new History();
  readonly #live = new Map<string, KeyValue>();
  readonly #keys = new OrderedKeys();
  #revision: Revision = emptyRevision;
  #compacted: Revision | 0 = 0;

  get revision(): Revision {
    return this.#revision;
  }

  get compacted(): Revision | 0 {
    return this.#compacted;
  }

  /** What a key holds now. */
  current(key: string): KeyValue | undefined {
    return this.#live.get(key);
  }

  /** All keys as they are now, in no particular order. */
  values(): IterableIterator<KeyValue> {
    return this.#live.values();
  }

  /** @throws CompactedError, FutureRevisionError */
  get(key: string, revision?: Revision): KeyValue | undefined {
    const now = this.#live.get(key);
    if (revision === undefined) return now;
    this.assertReadable(revision);
    if (now !== undefined && now.modRevision <= revision) return now;
    for (const commit of this.history.since(revision)) {
      const event = commit.events.find((change) => change.key === key);
      if (event !== undefined) return event.previous;
    }
    return undefined;
  }

  /** @throws CompactedError, FutureRevisionError */
  range(request: RangeRequest): RangeResult {
    const revision = request.revision ?? this.#revision;
    this.assertReadable(revision);
    const limit = request.limit ?? Number.POSITIVE_INFINITY;
    return revision === this.#revision ? this.#rangeNow(request, limit) : this.#rangeThen(request, limit, revision);
  }

  /** Applies a commit whose revision is the next one. */
  apply(commit: Commit): void {
    for (const event of commit.events) {
      switch (event.kind) {
        case "put":
          this.restore(event.current);
          break;
        case "delete":
          this.#live.delete(event.key);
          this.#keys.remove(event.key);
          break;
      }
    }
    this.#revision = commit.revision;
    this.history.append(commit);
  }

  /** Puts a key in place without history, as a durable backing does when it is opened. */
  restore(current: KeyValue): void {
    if (!this.#live.has(current.key)) this.#keys.add(current.key);
    this.#live.set(current.key, current);
  }

  /** Begins where another life of the store had compacted to. Only for a key space without history. */
  resumeFrom(compacted: Revision | 0): void {
    this.#compacted = compacted;
    this.#revision = Math.max(this.#revision, compacted) as Revision;
  }

  /**
   * Forgets the history up to and including `revision`; returns the commits that were forgotten.
   * @throws CompactedError when that was done before; FutureRevisionError
   */
  compact(revision: Revision): Commit[] {
    this.assertCompactable(revision);
    this.#compacted = revision;
    return this.history.forgetThrough(revision);
  }

  /** @throws CompactedError, FutureRevisionError */
  assertCompactable(revision: Revision): void {
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision <= this.#compacted) throw new CompactedError(revision, this.#compacted as Revision);
  }

  /**
   * The newest revision is no history and can be read even right after it was compacted.
   * @throws CompactedError, FutureRevisionError
   */
  assertReadable(revision: Revision): void {
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision <= this.#compacted && revision !== this.#revision) {
      throw new CompactedError(revision, this.#compacted as Revision);
    }
  }

  /** @throws CompactedError, FutureRevisionError when the changes after `revision` are not all known. */
  assertWatchable(revision: Revision): void {
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision < this.#compacted) throw new CompactedError(revision, this.#compacted as Revision);
  }

  #rangeNow({ prefix, from }: RangeRequest, limit: number): RangeResult {
    const count = this.#keys.countWithPrefix(prefix, from);
    const items: KeyValue[] = [];
    if (limit > 0) {
      for (const key of this.#keys.withPrefix(prefix, from)) {
        items.push(this.#live.get(key) as KeyValue);
        if (items.length >= limit) break;
      }
    }
    return { items, more: items.length < count, count, revision: this.#revision };
  }

  /** An old revision is the newest one with all later changes undone. */
  #rangeThen({ prefix, from }: RangeRequest, limit: number, revision: Revision): RangeResult {
    const undone = new Map<string, KeyValue | undefined>();
    for (const commit of this.history.since(revision)) {
      for (const event of commit.events) {
        const inRange =
          event.key.startsWith(prefix) && (from === undefined || this.#keys.compare(event.key, from) >= 0);
        if (inRange && !undone.has(event.key)) undone.set(event.key, event.previous);
      }
    }
    let count = this.#keys.countWithPrefix(prefix, from);
    const vanished: KeyValue[] = [];
    for (const [key, previous] of undone) {
      const isLive = this.#live.has(key);
      count += (previous === undefined ? 0 : 1) - (isLive ? 1 : 0);
      if (previous !== undefined && !isLive) vanished.push(previous);
    }
    vanished.sort((a, b) => this.#keys.compare(a.key, b.key));

    const items: KeyValue[] = [];
    let next = 0;
    const takeVanishedBefore = (key: string | undefined): void => {
      for (; items.length < limit; next++) {
        const item = vanished[next];
        if (item === undefined || (key !== undefined && this.#keys.compare(item.key, key) > 0)) return;
        items.push(item);
      }
    };
    for (const key of this.#keys.withPrefix(prefix, from)) {
      takeVanishedBefore(key);
      if (items.length >= limit) break;
      const item = undone.has(key) ? undone.get(key) : this.#live.get(key);
      if (item !== undefined) items.push(item);
    }
    takeVanishedBefore(undefined);
    return { items, more: items.length < count, count, revision };
  }
}
