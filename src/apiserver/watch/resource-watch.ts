// One client's watch: where it begins, which changes it sees and as what, when it ends (api-machinery 4).

import type { ResourceKind } from "../../api/kinds.ts";
import type { WatchEvent, WatchReceiver, WatchStream } from "../../api/wire/request.ts";
import { expired, StatusError, unknownError } from "../../api/wire/status-error.ts";
import { type Clock, type Millis, type Timer } from "../../base/time.ts";
import { CompactedError, type Revision, type StoreWatch } from "../../store/store.ts";
import { tooLargeResourceVersion } from "../registry/read-failures.ts";
import type { Selection } from "../registry/selection.ts";
import { type Change, type EventRepresentation, watchEvent } from "../storage/change.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import type { ResourceCache, Trigger } from "../storage/resource-cache.ts";
import { documentOf } from "../storage/stored-object.ts";

/** Where a watch begins (api-machinery 4.3). */
export type WatchStart =
  /** With an ADDED event for everything that is there. */
  | { readonly kind: "everything"; readonly notBefore: Revision }
  /** The same, then a bookmark that says so. */
  | { readonly kind: "everythingThenBookmark"; readonly notBefore: Revision }
  /** With what changes from now on. */
  | { readonly kind: "now" }
  /** With what has changed since. */
  | { readonly kind: "after"; readonly revision: Revision };

export interface WatchOptions {
  readonly selection: Selection;
  readonly start: WatchStart;
  readonly representation: WatchRepresentation;
  readonly allowBookmarks: boolean;
  readonly timeout: Millis;
}

export interface WatchRepresentation extends EventRepresentation {
  /** How the first event of a watch is shown, if differently (a Table's columns come once). */
  readonly first?: EventRepresentation;
  /** An object that carries only a resourceVersion. */
  bookmark(revision: Revision, annotations?: Readonly<Record<string, string>>): WatchEvent;
}

/** Who keeps track of the watches that run. */
export interface WatchKeeper {
  readonly clock: Clock;
  readonly storage: ObjectStorage;
  began(watch: ResourceWatch): void;
  over(watch: ResourceWatch): void;
}

const initialEventsEnd = { "k8s.io/initial-events-end": "true" };

export class ResourceWatch implements WatchStream {
  readonly #keeper: WatchKeeper;
  readonly #cache: ResourceCache;
  readonly #options: WatchOptions;
  readonly #trigger: Trigger | undefined;
  #receiver: WatchReceiver | undefined;
  #state: "new" | "running" | "over" = "new";
  #isFirst = true;
  /** Everything up to here was delivered; `undefined` while the watch follows the caches, which are at the storage's revision. */
  #historyPosition: Revision | undefined;
  #history: StoreWatch | undefined;
  /** Where the watch left the history for the cache. */
  #caughtUpAt = 0 as Revision;
  #timer: Timer | undefined;

  /** @param cache the loaded cache of the resource */
  constructor(keeper: WatchKeeper, cache: ResourceCache, options: WatchOptions) {
    this.#keeper = keeper;
    this.#cache = cache;
    this.#options = options;
    this.#trigger = options.selection.trigger;
  }

  get resource(): ResourceKind {
    return this.#options.selection.resource;
  }

  start(receiver: WatchReceiver): void {
    if (this.#state !== "new") return;
    this.#state = "running";
    this.#receiver = receiver;
    this.#keeper.began(this);
    this.#timer = this.#keeper.clock.setTimer(this.#options.timeout, () => this.#timeOut(), "watch time-out");
    const needed = startRevision(this.#options.start);
    if (needed <= this.#keeper.storage.revision) this.#begin();
    else void this.#beginWhenReached(needed);
  }

  stop(): void {
    this.#release();
  }

  /** Ends the watch from the server's side. */
  end(): void {
    const receiver = this.#receiver;
    if (this.#release()) receiver?.ended();
  }

  /** Tells the client how far it has come, if it wants to know. */
  bookmark(): void {
    if (this.#state !== "running" || !this.#options.allowBookmarks) return;
    const position = this.#historyPosition ?? this.#keeper.storage.revision;
    if (position >= startRevision(this.#options.start)) {
      this.#receiver?.event(this.#options.representation.bookmark(position));
    }
  }

  /** Waiting for a state that lies ahead cannot fail, it only takes too long. */
  async #beginWhenReached(revision: Revision): Promise<void> {
    const isReached = await this.#keeper.storage.waitFor(revision);
    if (this.#state !== "running") return;
    if (isReached) this.#begin();
    else this.#fail(tooLargeResourceVersion(revision, this.#keeper.storage.revision));
  }

  #begin(): void {
    const { start } = this.#options;
    switch (start.kind) {
      case "everything":
      case "everythingThenBookmark":
        this.#cache.subscribe(this.#take, this.#trigger);
        this.#sendEverything();
        if (start.kind === "everythingThenBookmark" && this.#state === "running") {
          const { revision } = this.#keeper.storage;
          this.#receiver?.event(this.#options.representation.bookmark(revision, initialEventsEnd));
        }
        return;
      case "now":
        this.#cache.subscribe(this.#take, this.#trigger);
        return;
      case "after":
        if (this.#cache.lastChange <= start.revision) this.#cache.subscribe(this.#take, this.#trigger);
        else this.#followHistory(start.revision);
    }
  }

  #sendEverything(): void {
    const { selection } = this.#options;
    const present = Array.from(this.#cache.range(selection.prefix)); // a receiver may write while it is told
    for (const stored of present) {
      if (this.#state !== "running") return;
      if (selection.has(stored)) {
        this.#send((representation) => watchEvent("ADDED", representation.represent(stored)));
      }
    }
  }

  /** Catches up from the store's history; as soon as nothing is missing, the watch goes on from the cache like all others. */
  #followHistory(revision: Revision): void {
    this.#historyPosition = revision;
    try {
      const history = this.#keeper.storage.watchHistory(this.#cache, revision, (at, changes) => {
        if (this.#historyPosition === undefined) return;
        for (const change of changes) this.#tell(change);
        this.#historyPosition = at;
        this.#joinLive();
      });
      this.#history = history;
      // The receiver may have stopped the watch, or nothing may be missing any more, before the call came back.
      this.#joinLive();
      if (this.#state !== "running" || this.#historyPosition === undefined) history.cancel();
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
      this.#fail(expired(`too old resource version: ${revision} (${error.compacted})`));
    }
  }

  #joinLive(): void {
    const position = this.#historyPosition;
    if (this.#state !== "running" || position === undefined || this.#cache.lastChange > position) return;
    this.#caughtUpAt = position;
    this.#historyPosition = undefined;
    this.#history?.cancel();
    this.#cache.subscribe(this.#take, this.#trigger);
  }

  /** A change as it happens. What the history has told already is passed over. */
  readonly #take = (change: Change): void => {
    if (change.revision > this.#caughtUpAt) this.#tell(change);
  };

  /** One change of the resource: what it is for this watch's selection (api-machinery 4.2). */
  #tell(change: Change): void {
    if (this.#state !== "running") return;
    const { selection } = this.#options;
    const was = change.previous !== undefined && selection.has(change.previous);
    const is = change.current !== undefined && selection.has(change.current);
    if (!was && !is) return;
    const type = was && is ? "MODIFIED" : is ? "ADDED" : "DELETED";
    this.#send((representation) => change.event(type, representation));
  }

  #send(make: (representation: EventRepresentation) => WatchEvent): void {
    const { representation } = this.#options;
    const event = make(this.#isFirst ? (representation.first ?? representation) : representation);
    this.#isFirst = false;
    this.#receiver?.event(event);
  }

  #fail(error: StatusError): void {
    if (this.#state !== "running") return;
    const status = error instanceof StatusError ? error.status : unknownError(String(error)).status;
    this.#receiver?.event(watchEvent("ERROR", documentOf({ ...status })));
    this.end();
  }

  #timeOut(): void {
    this.bookmark();
    this.end();
  }

  /** @returns whether the watch was still running */
  #release(): boolean {
    const wasRunning = this.#state === "running";
    this.#state = "over";
    this.#receiver = undefined;
    this.#timer?.cancel();
    this.#history?.cancel();
    this.#cache.unsubscribe(this.#take, this.#trigger);
    this.#keeper.over(this);
    return wasRunning;
  }
}

function startRevision(start: WatchStart): Revision {
  switch (start.kind) {
    case "everything":
    case "everythingThenBookmark":
      return start.notBefore;
    case "now":
      return 0 as Revision;
    case "after":
      return start.revision;
  }
}
