// How a change is written down. One record for each event: the key [revision, key] and one line of JSON before the value.
// What an event says of the previous value is not written: it is the record that was there before.

import type { Instant } from "../../base/time.ts";
import type { KeyValue, Revision, StoreEvent } from "../store.ts";

export type RecordKey = [revision: number, key: string];

/** A record as it is read back. */
export interface EventRecord {
  readonly key: string;
  readonly revision: Revision;
  /** The event's place among those of its transaction. */
  readonly index: number;
  readonly at: Instant;
  /** `undefined` for a deletion. */
  readonly current: KeyValue | undefined;
}

type Header =
  | { readonly i: number; readonly at: number; readonly c: number; readonly x?: number }
  | { readonly i: number; readonly at: number };

export function encodeRecord(event: StoreEvent, index: number, at: Instant): { key: RecordKey; text: string } {
  switch (event.kind) {
    case "put": {
      const { createRevision, modRevision, expiresAt, value } = event.current;
      const header: Header = { i: index, at, c: createRevision, ...(expiresAt !== undefined && { x: expiresAt }) };
      return { key: [modRevision, event.key], text: `${JSON.stringify(header)}\n${value}` };
    }
    case "delete":
      return { key: [event.revision, event.key], text: JSON.stringify({ i: index, at } satisfies Header) };
  }
}

/** @throws Error if the record was not written by `encodeRecord`. */
export function decodeRecord([revision, key]: RecordKey, text: string): EventRecord {
  const end = text.indexOf("\n");
  const header = JSON.parse(end === -1 ? text : text.slice(0, end)) as Header;
  const base = { key, revision: revision as Revision, index: header.i, at: header.at as Instant };
  if (!("c" in header)) return { ...base, current: undefined };
  const current: KeyValue = {
    key,
    value: text.slice(end + 1),
    createRevision: header.c as Revision,
    modRevision: base.revision,
    ...(header.x !== undefined && { expiresAt: header.x as Instant }),
  };
  return { ...base, current };
}
