// The store without a disk: for the virtual clock, for tests, and for clusters that end with their process.

import type { Clock } from "../../base/time.ts";
import { Expiry } from "../expiry.ts";
import type { Commit, HistoryLimit } from "../history.ts";
import { defaultHistoryLimit } from "../history.ts";
import { KeySpace } from "../key-space.ts";
import type {
  Compare,
  KeyValue,
  Operation,
  RangeRequest,
  RangeResult,
  Revision,
  Store,
  StoreWatch,
  StoreWatcher,
  TxnResult,
  WatchRequest,
} from "../store.ts";
import { StoreClosedError } from "../store.ts";
import { decideTransaction, validateTransaction } from "../transaction.ts";
import type { ReportError } from "../watch-hub.ts";
import { throwLater, WatchHub } from "../watch-hub.ts";

export interface MemoryStoreOptions {
  readonly clock: Clock;
  readonly historyLimit?: HistoryLimit;
  /** Gets what a watcher throws; an uncaught error if absent. */
  readonly reportError?: ReportError;
}

/** Transactions happen, and watchers are told, inside the call of `txn`. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #historyLimit: HistoryLimit;
  readonly #keySpace = new KeySpace();
  readonly #hub: WatchHub;
  readonly #expiry: Expiry;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#historyLimit = options.historyLimit ?? defaultHistoryLimit;
    this.#hub = new WatchHub(options.reportError ?? throwLater);
    this.#expiry = new Expiry(options.clock, () => this.#expire());
  }

  revision(): Revision {
    return this.#keySpace.revision;
  }

  compacted(): Revision | 0 {
    return this.#keySpace.compacted;
  }

  async get(key: string, revision?: Revision): Promise<KeyValue | undefined> {
    this.#assertOpen();
    return this.#keySpace.get(key, revision);
  }

  async range(request: RangeRequest): Promise<RangeResult> {
    this.#assertOpen();
    return this.#keySpace.range(request);
  }

  async txn(compares: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    this.#assertOpen();
    validateTransaction(compares, operations);
    return this.#commit(compares, operations);
  }

  watch(request: WatchRequest, watcher: StoreWatcher): StoreWatch {
    this.#assertOpen();
    this.#keySpace.assertWatchable(request.after);
    return this.#hub.watch(request, watcher, (revision) => this.#keySpace.history.since(revision));
  }

  async compact(revision: Revision): Promise<void> {
    this.#assertOpen();
    this.#keySpace.compact(revision);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#hub.close();
    this.#expiry.close();
  }

  #commit(compares: readonly Compare[], operations: readonly Operation[]): TxnResult {
    const { revision } = this.#keySpace;
    const read = (key: string): KeyValue | undefined => this.#keySpace.current(key);
    const decision = decideTransaction(read, revision, compares, operations, this.#clock.now());
    switch (decision.kind) {
      case "done":
        return decision.result;
      case "change":
        this.#apply(decision.commit);
        return { kind: "committed", revision: decision.commit.revision };
    }
  }

  #apply(commit: Commit): void {
    this.#keySpace.apply(commit);
    this.#expiry.note(commit);
    const superfluous = this.#keySpace.history.superfluous(this.#historyLimit, commit.at);
    if (superfluous !== undefined) this.#keySpace.compact(superfluous);
    this.#hub.dispatch(commit);
  }

  #expire(): void {
    const keys = this.#expiry.due((key) => this.#keySpace.current(key));
    this.#commit(
      [],
      keys.map((key) => ({ kind: "delete", key })),
    );
    this.#expiry.arm();
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreClosedError();
  }
}
