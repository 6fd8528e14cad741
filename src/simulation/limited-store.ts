// A store on a disk that can be full: nothing can be written then, and everything can be read.

import {
  type Compare,
  type KeyValue,
  type Operation,
  type RangeRequest,
  type RangeResult,
  type Revision,
  type Store,
  type StoreWatch,
  type StoreWatcher,
  StoreWriteError,
  type TxnResult,
  type WatchRequest,
} from "../store/store.ts";

export class LimitedStore implements Store {
  /** No space is left. */
  isFull = false;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async txn(compares: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    if (this.isFull) throw new StoreWriteError("the store cannot be written: No space left on device");
    return this.#store.txn(compares, operations);
  }

  revision(): Revision {
    return this.#store.revision();
  }

  compacted(): Revision | 0 {
    return this.#store.compacted();
  }

  get(key: string, revision?: Revision): Promise<KeyValue | undefined> {
    return this.#store.get(key, revision);
  }

  range(request: RangeRequest): Promise<RangeResult> {
    return this.#store.range(request);
  }

  watch(request: WatchRequest, watcher: StoreWatcher): StoreWatch {
    return this.#store.watch(request, watcher);
  }

  compact(revision: Revision): Promise<void> {
    return this.#store.compact(revision);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
