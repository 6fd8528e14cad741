// The embedded store: an LMDB file that every change is written to before anyone hears of it, and the same key space in memory as `MemoryStore`,
// which all reads and watches are answered from.

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
import { StoreClosedError, StoreWriteError } from "../store.ts";
import type { Decision } from "../transaction.ts";
import { decideTransaction, validateTransaction } from "../transaction.ts";
import type { ReportError } from "../watch-hub.ts";
import { throwLater, WatchHub } from "../watch-hub.ts";
import { RevisionLog } from "./revision-log.ts";

export interface LmdbStoreOptions {
  /** The folder of the database; made if it is not there. */
  readonly path: string;
  readonly clock: Clock;
  readonly historyLimit?: HistoryLimit;
  /** Gets what a watcher throws; an uncaught error if absent. */
  readonly reportError?: ReportError;
  /** Told once when the disk takes no more writes, and once when it does again. */
  readonly log?: (message: string) => void;
}

/**
 * Opens the store in a folder, and removes the keys that expired while it was closed.
 * @throws StoreInUseError when another process has it open; Error when the folder cannot be used or was written by an unknown version.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const store = new LmdbStore(options, RevisionLog.open(options.path));
  await store.recover();
  return store;
}

/** What one sync may carry: enough to be worth it, not so much that those who come next wait long. */
const batchLimit = { transactions: 1000, characters: 16 * 1024 * 1024 };

class LmdbStore implements Store {
  readonly #clock: Clock;
  readonly #historyLimit: HistoryLimit;
  readonly #log: RevisionLog;
  readonly #keySpace = new KeySpace();
  readonly #hub: WatchHub;
  readonly #expiry: Expiry;
  readonly #tell: (message: string) => void;
  #queue: Work[] = [];
  /** What compaction made superfluous in the file; goes with the next write. */
  #forgotten: Commit[] = [];
  /** Up to where the file knows that history is compacted. */
  #compactedInFile: Revision | 0 = 0;
  #writing: Promise<void> | undefined;
  /** The write that failed last; `undefined` once one has succeeded since. */
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: LmdbStoreOptions, log: RevisionLog) {
    this.#clock = options.clock;
    this.#historyLimit = options.historyLimit ?? defaultHistoryLimit;
    this.#log = log;
    this.#tell = options.log ?? (() => undefined);
    this.#hub = new WatchHub(options.reportError ?? throwLater);
    this.#expiry = new Expiry(options.clock, () => this.#expire());
  }

  /** Reads the file into memory. To be called once, before anything else. */
  async recover(): Promise<void> {
    try {
      this.#log.load(this.#keySpace);
      this.#compactedInFile = this.#keySpace.compacted;
      for (const value of this.#keySpace.values()) this.#expiry.add(value);
      this.#compactIfNeeded();
      await this.#enqueue([], []); // takes along what has expired
    } catch (error) {
      this.#expiry.close();
      await this.#log.close();
      throw error;
    }
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
    return this.#enqueue(compares, operations);
  }

  watch(request: WatchRequest, watcher: StoreWatcher): StoreWatch {
    this.#assertOpen();
    this.#keySpace.assertWatchable(request.after);
    return this.#hub.watch(request, watcher, (revision) => this.#keySpace.history.since(revision));
  }

  async compact(revision: Revision): Promise<void> {
    this.#assertOpen();
    this.#forget(this.#keySpace.compact(revision));
    await this.#enqueue([], []);
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    this.#expiry.close();
    await this.#writing;
    this.#hub.close();
    await this.#log.close();
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreClosedError();
  }

  #enqueue(compares: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ compares, operations, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  #expire(): void {
    // The outcome needs no one's attention: a failed write has told everyone who writes.
    this.#enqueue([], []).catch(() => undefined);
  }

  /** Writes batch after batch until nothing waits. Those who wait at the start of a batch share its sync. */
  async #writeAll(): Promise<void> {
    await Promise.resolve(); // the callers of this turn come along
    while (this.#queue.length > 0) {
      const batch = takeBatch(this.#queue);
      try {
        await this.#write(batch);
      } catch (error) {
        if (this.#failure === undefined) this.#tell(troubleOf(error as Error));
        this.#failure = error as Error;
        for (const work of batch) work.reject(error as Error);
      }
      await new Promise(setImmediate); // whoever got an answer may ask again in time for the next batch
    }
    this.#writing = undefined;
  }

  async #write(batch: readonly Work[]): Promise<void> {
    // A write that failed may have reached the disk all the same. Nobody was told of it, so it must not be built upon.
    if (this.#failure !== undefined && this.#log.newest() > this.#keySpace.revision) {
      throw new StoreWriteError(
        `${this.#failure.message}; what was written in vain is on the disk: start lifepod again`,
      );
    }
    const decided = this.#decide(batch);
    const commits = decided.flatMap(({ decision }) => (decision.kind === "change" ? [decision.commit] : []));
    const { compacted } = this.#keySpace;
    const forgotten = this.#forgotten;
    this.#forgotten = [];
    if (commits.length > 0 || compacted !== this.#compactedInFile) {
      try {
        await this.#log.append(commits, { forgotten, compacted });
      } catch (error) {
        this.#forgotten = [...forgotten, ...this.#forgotten];
        throw error;
      }
      this.#compactedInFile = compacted;
      if (this.#failure !== undefined) this.#tell("the store can be written again");
      this.#failure = undefined;
    }
    for (const { decision } of decided) if (decision.kind === "change") this.#apply(decision.commit);
    this.#expiry.arm();
    this.#compactIfNeeded();
    for (const { work, decision } of decided) {
      work?.resolve(
        decision.kind === "done" ? decision.result : { kind: "committed", revision: decision.commit.revision },
      );
    }
  }

  /** Decides the batch in order, each transaction seeing those before it; what expired comes first. */
  #decide(batch: readonly Work[]): readonly { work: Work | undefined; decision: Decision }[] {
    const now = this.#clock.now();
    const written = new Map<string, KeyValue | undefined>();
    let newest = this.#keySpace.revision;
    const read = (key: string): KeyValue | undefined =>
      written.has(key) ? written.get(key) : this.#keySpace.current(key);
    const decide = (compares: readonly Compare[], operations: readonly Operation[]): Decision => {
      const decision = decideTransaction(read, newest, compares, operations, now);
      if (decision.kind === "change") {
        newest = decision.commit.revision;
        for (const event of decision.commit.events) {
          written.set(event.key, event.kind === "put" ? event.current : undefined);
        }
      }
      return decision;
    };
    const expired = this.#expiry.due(read).map((key): Operation => ({ kind: "delete", key }));
    return [
      { work: undefined, decision: decide([], expired) },
      ...batch.map((work) => ({ work, decision: decide(work.compares, work.operations) })),
    ];
  }

  #apply(commit: Commit): void {
    this.#keySpace.apply(commit);
    this.#expiry.note(commit);
    this.#hub.dispatch(commit);
  }

  #compactIfNeeded(): void {
    const superfluous = this.#keySpace.history.superfluous(this.#historyLimit, this.#clock.now());
    if (superfluous !== undefined) this.#forget(this.#keySpace.compact(superfluous));
  }

  #forget(commits: readonly Commit[]): void {
    for (const commit of commits) this.#forgotten.push(commit);
  }
}

const troubleOf = (error: Error): string =>
  `${error.message}; nothing can be changed until it can, Pods go on as they are: make room on that disk`;

/** A transaction that waits to be written. */
interface Work {
  readonly compares: readonly Compare[];
  readonly operations: readonly Operation[];
  resolve(result: TxnResult): void;
  reject(error: Error): void;
}

/** Takes the work of the next batch off the queue. */
function takeBatch(queue: Work[]): Work[] {
  let characters = 0;
  let count = 0;
  for (const { operations } of queue) {
    if (count === batchLimit.transactions || characters > batchLimit.characters) break;
    for (const operation of operations) if (operation.kind === "put") characters += operation.value.length;
    count++;
  }
  return queue.splice(0, count);
}
