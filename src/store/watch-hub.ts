// Who watches what, and the delivery of each commit to those whom it concerns.

import { PrefixTree } from "../base/prefix-tree.ts";
import type { Commit } from "./history.ts";
import type { Revision, StoreEvent, StoreWatch, StoreWatcher, WatchRequest } from "./store.ts";

/** Where the errors of others' code go: engineering errors that must be seen, but must not harm the store. */
export type ReportError = (error: unknown) => void;

/** Ends the process the way an uncaught error does, after the present work is finished. */
export const throwLater: ReportError = (error) => {
  queueMicrotask(() => {
    throw error;
  });
};

export class WatchHub {
  readonly #byPrefix = new PrefixTree<Watching>();
  readonly #pending: Commit[] = [];
  readonly #reportError: ReportError;
  #dispatching = false;
  #lastNumber = 0;
  #closed = false;

  constructor(reportError: ReportError) {
    this.#reportError = reportError;
  }

  /**
   * Tells all watchers, synchronously and in revision order. A watcher may call the store from inside: what is committed meanwhile is delivered
   * when everyone has got this one.
   */
  dispatch(commit: Commit): void {
    this.#pending.push(commit);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) this.#deliver(next);
    } finally {
      this.#dispatching = false;
    }
  }

  /**
   * Adds a watcher. The past is delivered inside the call.
   * @param since all applied commits after a revision, including those whose dispatch is still pending.
   */
  watch(request: WatchRequest, watcher: StoreWatcher, since: (revision: Revision) => readonly Commit[]): StoreWatch {
    const watching: Watching = { number: ++this.#lastNumber, watcher, cursor: request.after, active: true };
    // What a watcher commits from inside becomes its past, too.
    for (let past = since(watching.cursor); past.length > 0 && !this.#closed; past = since(watching.cursor)) {
      for (const commit of past) {
        const events = commit.events.filter((event) => event.key.startsWith(request.prefix));
        this.#send(watching, commit.revision, events);
      }
    }
    this.#byPrefix.add(request.prefix, watching);
    return {
      cancel: () => {
        watching.active = false;
        this.#byPrefix.remove(request.prefix, watching);
      },
    };
  }

  /** Nothing is delivered after the call. */
  close(): void {
    this.#closed = true;
  }

  #deliver(commit: Commit): void {
    const concerned = new Map<Watching, StoreEvent[]>();
    for (const event of commit.events) {
      for (const watching of this.#byPrefix.matching(event.key)) {
        const events = concerned.get(watching);
        if (events === undefined) concerned.set(watching, [event]);
        else events.push(event);
      }
    }
    // In the order of their coming: one seed must always give one order.
    const inOrder = [...concerned].sort(([a], [b]) => a.number - b.number);
    for (const [watching, events] of inOrder) this.#send(watching, commit.revision, events);
  }

  #send(watching: Watching, revision: Revision, events: readonly StoreEvent[]): void {
    if (!watching.active || this.#closed || watching.cursor >= revision) return;
    watching.cursor = revision;
    if (events.length === 0) return;
    try {
      watching.watcher.batch({ revision, events });
    } catch (error) {
      this.#reportError(error);
    }
  }
}

interface Watching {
  readonly number: number;
  readonly watcher: StoreWatcher;
  /** What was delivered, or needed no delivery, up to here. A watcher that comes while commits are pending gets those as its past. */
  cursor: Revision;
  active: boolean;
}
