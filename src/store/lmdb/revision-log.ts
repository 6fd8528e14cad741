// The LMDB file: which commits it holds, how they are added, forgotten and read back. Only this file knows LMDB.

import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Database, RootDatabase } from "lmdb";
import { open } from "lmdb";
import type { Commit } from "../history.ts";
import type { KeySpace } from "../key-space.ts";
import { type Revision, type StoreEvent, StoreWriteError } from "../store.ts";
import { assertDatabaseFile } from "./database-file.ts";
import type { EventRecord, RecordKey } from "./record.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import type { ProcessIdentity } from "./store-owner.ts";
import { isRunning, StoreInUseError, thisProcess } from "./store-owner.ts";

/** Raised when the layout of the file changes. */
const formatVersion = 1;

/** The files this process has open: the owner's name inside them cannot tell one part of a process from another. */
const openHere = new Set<string>();

export class RevisionLog {
  readonly #path: string;
  readonly #root: RootDatabase<unknown, string>;
  readonly #records: Database<string, RecordKey>;

  /**
   * Opens the file in a folder and makes this process its owner.
   * @throws StoreInUseError; Error when the folder cannot be used or the file was written by another version.
   */
  static open(folder: string): RevisionLog {
    if (folder === "") throw new RangeError("the folder of a store must be named");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = realpathSync(folder);
    if (openHere.has(path)) throw new StoreInUseError(path, process.pid);
    const file = join(path, "revisions.mdb");
    assertDatabaseFile(file);
    const root = openFile(file);
    try {
      claim(root, path);
      return new RevisionLog(path, root);
    } catch (error) {
      void root.close();
      throw error;
    }
  }

  private constructor(path: string, root: RootDatabase<unknown, string>) {
    this.#path = path;
    this.#root = root;
    this.#records = root.openDB({ name: "revisions", encoding: "string", cache: false });
    openHere.add(path);
  }

  /** Reads everything into an empty key space: what lies at or before the compacted revision as it stands, the rest as history. */
  load(into: KeySpace): void {
    const compacted = (this.#root.get("compacted") ?? 0) as Revision | 0;
    into.resumeFrom(compacted);
    let records: EventRecord[] = [];
    for (const { key, value } of this.#records.getRange({ snapshot: false })) {
      const record = decodeRecord(key, value);
      if (record.revision <= compacted) {
        if (record.current !== undefined) into.restore(record.current);
        continue;
      }
      if (records.length > 0 && records[0]?.revision !== record.revision) {
        into.apply(commitOf(records, into));
        records = [];
      }
      records.push(record);
    }
    if (records.length > 0) into.apply(commitOf(records, into));
  }

  /**
   * Writes commits and how far history is compacted, and takes away what nobody can ask for any more; all or nothing. Resolves when it is on the
   * disk.
   * @throws StoreWriteError
   * @param forgotten the commits that were compacted since the last call.
   */
  async append(
    commits: readonly Commit[],
    { forgotten, compacted }: { readonly forgotten: readonly Commit[]; readonly compacted: Revision | 0 },
  ): Promise<void> {
    const written: Promise<boolean>[] = [];
    const batch = this.#records.batch(() => {
      for (const commit of commits) {
        for (const [index, event] of commit.events.entries()) {
          const { key, text } = encodeRecord(event, index, commit.at);
          written.push(this.#records.put(key, text));
        }
      }
      for (const commit of forgotten) {
        for (const event of commit.events) {
          for (const key of supersededBy(event)) written.push(this.#records.remove(key));
        }
      }
      if (this.#root.get("compacted") !== compacted) written.push(this.#root.put("compacted", compacted));
    });
    try {
      await Promise.all([batch, ...written]);
    } catch (error) {
      const why = await commitFailure(error);
      throw new StoreWriteError(`the store in ${this.#path} cannot be written: ${why}`, { cause: error });
    }
  }

  /** The newest revision of which the file holds something; 0 if it is empty. */
  newest(): Revision | 0 {
    for (const [revision] of this.#records.getKeys({ reverse: true, limit: 1 })) return revision as Revision;
    return 0;
  }

  async close(): Promise<void> {
    this.#root.removeSync("owner");
    await this.#root.close();
    openHere.delete(this.#path);
  }
}

/** @throws Error that names the file */
function openFile(file: string): RootDatabase<unknown, string> {
  try {
    // A commit returns after it is synced (no overlapping sync). Batches are made here and not by the turn of the event loop, whose batches keep a
    // promise that nobody can wait for: a full disk would end the process. The map begins small and grows with the file. Values live in the key
    // space, so nothing is cached.
    return open({
      path: file,
      noSubdir: true,
      maxDbs: 2,
      maxReaders: 16,
      cache: false,
      compression: false,
      overlappingSync: false,
      eventTurnBatching: false,
      encoding: "json",
    });
  } catch (error) {
    throw new Error(`cannot open ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** What the disk said: LMDB's error carries it as a promise that rejects. */
async function commitFailure(error: unknown): Promise<string> {
  try {
    await (error as { readonly commitError?: Promise<never> }).commitError;
  } catch (reason) {
    return (reason as Error).message;
  }
  return (error as Error).message;
}

/** Makes this process the owner, unless a living one is; one step for all processes, under LMDB's writer lock. */
function claim(root: RootDatabase<unknown, string>, path: string): void {
  root.transactionSync(() => {
    const owner = root.get("owner") as ProcessIdentity | undefined;
    if (owner !== undefined && isRunning(owner)) throw new StoreInUseError(path, owner.pid);
    const format = root.get("format") ?? formatVersion;
    if (format !== formatVersion) {
      throw new Error(
        `the store in ${path} has format ${JSON.stringify(format)}; this version reads format ${formatVersion}`,
      );
    }
    root.putSync("format", formatVersion);
    root.putSync("owner", thisProcess());
  });
}

/** The records of one revision as the transaction that they were. */
function commitOf(records: readonly EventRecord[], before: KeySpace): Commit {
  const first = records[0] as EventRecord;
  const events = records
    .toSorted((a, b) => a.index - b.index)
    .map(({ key, revision, current }): StoreEvent => {
      const previous = before.current(key);
      if (current !== undefined) return { kind: "put", key, current, previous };
      if (previous === undefined) throw new Error(`the store is damaged: revision ${revision} deletes an absent key`);
      return { kind: "delete", key, revision, previous };
    });
  return { revision: first.revision, at: first.at, events };
}

/** The records that only served to tell what was before an event, or that a key went. */
function supersededBy(event: StoreEvent): RecordKey[] {
  const previous: RecordKey[] = event.previous === undefined ? [] : [[event.previous.modRevision, event.key]];
  return event.kind === "delete" ? [...previous, [event.revision, event.key]] : previous;
}
