// What the store promises, and no more: revisioned keys, compare-and-swap, range reads at a revision, watch from a revision, compaction,
// keys that expire. It is what etcd promises; memory and LMDB keep the same promises, and `contract.ts` is the suite that says so.
// Keys and values are opaque here: the store has never heard of Kubernetes.

import type { Instant, Millis } from "../base/time.ts";

/**
 * The store's counter: every committed transaction that changes something takes the next one. Starts at 1 (an empty store), only grows, survives
 * restarts. Not the API's resourceVersion (which is its text form), though the numbers are the same.
 */
export type Revision = number & { readonly __unit: "revision" };

export interface KeyValue {
  /** UTF-8 text without NUL, at most 1024 bytes; ranges order keys bytewise (which for valid UTF-8 is code-point order). */
  readonly key: string;
  /** Any text; the API server keeps JSON here. */
  readonly value: string;
  /** Revision of the transaction that made the key (anew, if it was deleted before). */
  readonly createRevision: Revision;
  /** Revision of the last transaction that wrote the key. */
  readonly modRevision: Revision;
  /** When the key goes by itself, if it was put with a time to live. */
  readonly expiresAt?: Instant;
}

/** A condition of a transaction. `modRevision: 0` means: the key does not exist. */
export interface Compare {
  readonly key: string;
  readonly modRevision: Revision | 0;
}

export type Operation =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly ttl?: Millis }
  | { readonly kind: "delete"; readonly key: string };

export type TxnResult =
  | {
      readonly kind: "committed";
      /** The revision of this transaction; the store's present revision if nothing changed (only deletes of absent keys). */
      readonly revision: Revision;
    }
  | {
      readonly kind: "conflict";
      readonly revision: Revision;
      /** What the compared keys hold now, in the order of the comparisons; `undefined` where there is nothing. */
      readonly current: readonly (KeyValue | undefined)[];
    };

export interface RangeRequest {
  /** All keys that begin with this text. */
  readonly prefix: string;
  /** Begin at this key instead of at the prefix (inclusive); for paging. */
  readonly from?: string;
  /** At most this many; no limit if absent. */
  readonly limit?: number;
  /** Read as of this revision; the newest if absent. */
  readonly revision?: Revision;
}

export interface RangeResult {
  readonly items: readonly KeyValue[];
  /** True if the limit cut the answer. */
  readonly more: boolean;
  /** How many keys the whole range holds, regardless of the limit, from `from` on. */
  readonly count: number;
  /** The revision that was read. */
  readonly revision: Revision;
}

export type StoreEvent =
  | { readonly kind: "put"; readonly key: string; readonly current: KeyValue; readonly previous: KeyValue | undefined }
  | { readonly kind: "delete"; readonly key: string; readonly revision: Revision; readonly previous: KeyValue };

/** All changes of one transaction that fall under the watch, in the order of its operations. */
export interface StoreBatch {
  readonly revision: Revision;
  readonly events: readonly StoreEvent[];
}

export interface WatchRequest {
  readonly prefix: string;
  /** Changes with a revision greater than this one are delivered, first the past ones, then the new ones as they happen. */
  readonly after: Revision;
}

/** Receives batches in revision order: none left out, none twice. Calls must not block and must not throw. */
export interface StoreWatcher {
  batch(batch: StoreBatch): void;
}

export interface StoreWatch {
  /** Ends the watch; nothing is delivered after the call. */
  cancel(): void;
}

export class CompactedError extends Error {
  readonly requested: Revision;
  readonly compacted: Revision;
  constructor(requested: Revision, compacted: Revision) {
    super(`revision ${requested} has been compacted: history begins after revision ${compacted}`);
    this.name = "CompactedError";
    this.requested = requested;
    this.compacted = compacted;
  }
}

export class FutureRevisionError extends Error {
  readonly requested: Revision;
  readonly current: Revision;
  constructor(requested: Revision, current: Revision) {
    super(`revision ${requested} is in the future: the newest is ${current}`);
    this.name = "FutureRevisionError";
    this.requested = requested;
    this.current = current;
  }
}

/** The store was asked for something after `close`. */
/**
 * A change could not be written down, for want of space or of a disk that works. Nothing of it is kept or told to anybody. What comes later is tried anew, so
 * this ends when the trouble does.
 */
export class StoreWriteError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreWriteError";
  }
}

export class StoreClosedError extends Error {
  constructor() {
    super("the store is closed");
    this.name = "StoreClosedError";
  }
}

export interface Store {
  /** The newest revision. */
  revision(): Revision;
  /** History at or before this revision is gone; 0 if nothing was compacted. */
  compacted(): Revision | 0;
  /** @throws CompactedError, FutureRevisionError when a revision is asked for that cannot be read. */
  get(key: string, revision?: Revision): Promise<KeyValue | undefined>;
  /** @throws CompactedError, FutureRevisionError */
  range(request: RangeRequest): Promise<RangeResult>;
  /**
   * All comparisons hold → all operations happen at one new revision; else nothing happens. Resolves after the change is durable (for backings that
   * are) and after watchers were told. A key may appear at most once among the operations.
   */
  txn(compares: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult>;
  /** @throws CompactedError (synchronously) when the past that is asked for is gone; FutureRevisionError when `after` lies ahead. */
  watch(request: WatchRequest, watcher: StoreWatcher): StoreWatch;
  /** Forgets the history at or before `revision`: older reads and watches fail from now on. The newest value of each key stays. */
  compact(revision: Revision): Promise<void>;
  /** Waits for what was begun, releases what is held. */
  close(): Promise<void>;
}
