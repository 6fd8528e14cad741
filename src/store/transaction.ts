// What a transaction would do, decided without doing it: the same rules for every backing.

import { after } from "../base/time.ts";
import type { Instant } from "../base/time.ts";
import type { Commit } from "./history.ts";
import type { Compare, KeyValue, Operation, Revision, StoreEvent, TxnResult } from "./store.ts";

export type Decision =
  | { readonly kind: "change"; readonly commit: Commit }
  | { readonly kind: "done"; readonly result: TxnResult };

/**
 * Decides one transaction against what `read` sees.
 * @param newest the revision of the last change that `read` shows.
 */
export function decideTransaction(
  read: (key: string) => KeyValue | undefined,
  newest: Revision,
  compares: readonly Compare[],
  operations: readonly Operation[],
  now: Instant,
): Decision {
  const holds = compares.every((compare) => (read(compare.key)?.modRevision ?? 0) === compare.modRevision);
  if (!holds) {
    const current = compares.map((compare) => read(compare.key));
    return { kind: "done", result: { kind: "conflict", revision: newest, current } };
  }
  const revision = (newest + 1) as Revision;
  const events: StoreEvent[] = [];
  for (const operation of operations) {
    const previous = read(operation.key);
    switch (operation.kind) {
      case "put":
        events.push({
          kind: "put",
          key: operation.key,
          current: written(operation, previous, revision, now),
          previous,
        });
        break;
      case "delete":
        if (previous !== undefined) events.push({ kind: "delete", key: operation.key, revision, previous });
        break;
    }
  }
  if (events.length === 0) return { kind: "done", result: { kind: "committed", revision: newest } };
  return { kind: "change", commit: { revision, at: now, events } };
}

function written(
  put: Operation & { kind: "put" },
  previous: KeyValue | undefined,
  revision: Revision,
  now: Instant,
): KeyValue {
  const base = {
    key: put.key,
    value: put.value,
    createRevision: previous?.createRevision ?? revision,
    modRevision: revision,
  };
  return put.ttl === undefined ? base : { ...base, expiresAt: after(now, put.ttl) };
}

const keyBytesLimit = 1024;

/**
 * Refuses what no caller may send.
 * @throws RangeError a key that is empty, too long, not well-formed or holds NUL; a value that is not well-formed; a key that is written twice; a
 *   time to live that is not a positive number.
 */
export function validateTransaction(compares: readonly Compare[], operations: readonly Operation[]): void {
  for (const compare of compares) validateKey(compare.key);
  const written = new Set<string>();
  for (const operation of operations) {
    validateKey(operation.key);
    if (written.has(operation.key))
      throw new RangeError(`key ${quote(operation.key)} appears twice in one transaction`);
    written.add(operation.key);
    if (operation.kind === "delete") continue;
    if (!operation.value.isWellFormed())
      throw new RangeError(`the value of ${quote(operation.key)} is not well-formed`);
    const { ttl } = operation;
    if (ttl !== undefined && !(ttl > 0 && Number.isFinite(ttl))) {
      throw new RangeError(`the time to live of ${quote(operation.key)} must be positive, not ${ttl}`);
    }
  }
}

function validateKey(key: string): void {
  if (key === "") throw new RangeError("a key must not be empty");
  if (key.includes("\0")) throw new RangeError(`key ${quote(key)} holds NUL`);
  if (!key.isWellFormed()) throw new RangeError(`key ${quote(key)} is not well-formed`);
  // A code unit is at most three bytes of UTF-8, so short keys need no counting.
  if (key.length * 3 > keyBytesLimit && new TextEncoder().encode(key).length > keyBytesLimit) {
    throw new RangeError(`key ${quote(key)} is longer than ${keyBytesLimit} bytes`);
  }
}

const quote = (key: string): string => JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
