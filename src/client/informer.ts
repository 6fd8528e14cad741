// An always fresh copy of one resource's objects: list once, then follow the watch; when the watch ends go on where it was; when history is gone
// list again. Whoever reads the lister sees a state that existed, never one that runs backwards. (api-machinery 4, 13.2)

import type { Status } from "../api/index.ts";
import { StatusError, isReason } from "../api/wire/status-error.ts";
import type { Random } from "../base/random.ts";
import { type Clock, type Instant, type Millis, elapsed, millis, minutes, seconds } from "../base/time.ts";
import { keyOf } from "./controller.ts";
import { type Indexes, type Lister, ObjectCache } from "./lister.ts";
import type { ResourceClient, StoredObject, TypedWatchEvent } from "./resource-client.ts";

/** The wait after the first failure to list or watch; doubles with each further one. A random part of the same size is added. */
export const firstRelistDelay: Millis = millis(800);

/** The longest wait between two attempts, before the random part. */
export const longestRelistDelay: Millis = seconds(30);

/** A watch that lasted this long clears the failures before it. */
export const steadyWatch: Millis = minutes(2);

/** A watch that ends sooner than this and brought nothing counts as a failure: else a broken server would be asked without pause. */
export const shortestWatch: Millis = seconds(1);

/** How far the copy is. */
export type InformerState =
  /** Nothing is known, or what is known is too old to follow. */
  | { readonly kind: "empty" }
  /** The copy is complete as of `resourceVersion`; nothing newer arrives at the moment. */
  | { readonly kind: "listed"; readonly resourceVersion: string }
  /** The copy is complete and follows. */
  | { readonly kind: "watching"; readonly resourceVersion: string }
  | { readonly kind: "stopped" };

export type InformerChange<T> =
  | { readonly kind: "added"; readonly object: T }
  | { readonly kind: "updated"; readonly object: T; readonly previous: T }
  /** `object` is the last state that was seen. */
  | { readonly kind: "deleted"; readonly object: T };

export interface InformerOptions<T> {
  readonly resource: ResourceClient<T>;
  readonly clock: Clock;
  readonly random: Random;
  /** Who follows; names the stream of chance and the timers. Two informers of one process should differ in it. */
  readonly name: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Indexes<T>;
  /** Told about each failed list or watch; the informer goes on by itself. */
  readonly onFailure?: (error: unknown) => void;
}

export interface Informer<T> {
  readonly lister: Lister<T>;
  readonly state: InformerState;
  /**
   * Calls `handler` for every object that is there and for every change from now on. It must not block and must not throw; most add a key to
   * a queue. Answers with the way to unsubscribe.
   */
  onAny(handler: (change: InformerChange<T>) => void): () => void;
  start(): void;
  stop(): void;
  /** Whether the first list has reached the lister and all handlers. */
  hasSynced(): boolean;
  /** Resolves as soon as `hasSynced`; never if the informer is stopped before. */
  whenSynced(): Promise<void>;
}

export function createInformer<T extends StoredObject>(options: InformerOptions<T>): Informer<T> {
  return new ListWatchInformer(options);
}

/** Why a watch is over. */
type WatchEnd =
  | { readonly kind: "ended"; readonly brought: number }
  /** The server no longer has the history to go on from. */
  | { readonly kind: "expired"; readonly error: unknown }
  | { readonly kind: "failed"; readonly error: unknown };

class ListWatchInformer<T extends StoredObject> implements Informer<T> {
  readonly #options: InformerOptions<T>;
  readonly #cache: ObjectCache<T>;
  readonly #handlers = new Set<(change: InformerChange<T>) => void>();
  readonly #syncWaiters: (() => void)[] = [];
  #state: InformerState = { kind: "empty" };
  #started = false;
  #synced = false;
  #failures = 0;
  /** After an expiry only the newest state will do: an older one may lie before what was already seen. */
  #wantsNewest = false;
  #endWatch: (() => void) | undefined;
  #endPause: (() => void) | undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#cache = new ObjectCache<T>(options.indexes);
  }

  get lister(): Lister<T> {
    return this.#cache;
  }

  get state(): InformerState {
    return this.#state;
  }

  hasSynced(): boolean {
    return this.#synced;
  }

  whenSynced(): Promise<void> {
    return this.#synced ? Promise.resolve() : new Promise((wake) => this.#syncWaiters.push(wake));
  }

  onAny(handler: (change: InformerChange<T>) => void): () => void {
    this.#handlers.add(handler);
    for (const object of this.#cache.list()) handler({ kind: "added", object });
    return () => this.#handlers.delete(handler);
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#run();
  }

  stop(): void {
    this.#state = { kind: "stopped" };
    this.#endWatch?.();
    this.#endPause?.();
  }

  async #run(): Promise<void> {
    for (;;) {
      switch (this.#state.kind) {
        case "empty":
          await this.#list();
          break;
        case "listed":
          await this.#follow(this.#state.resourceVersion);
          break;
        case "watching": // only while #follow runs
        case "stopped":
          return;
      }
    }
  }

  async #list(): Promise<void> {
    const { resource, namespace, labelSelector, fieldSelector } = this.#options;
    const selection = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
    const items: T[] = [];
    let page: { resourceVersion: string; continue?: string };
    try {
      const first = await resource.list({ ...selection, ...(this.#wantsNewest ? {} : { resourceVersion: "0" }) });
      items.push(...first.items);
      page = first;
      while (page.continue !== undefined) {
        const next = await resource.list({ ...selection, continue: page.continue });
        items.push(...next.items);
        page = next;
      }
    } catch (error) {
      await this.#failed(error);
      return;
    }
    if (this.#isStopped()) return;
    this.#replaceAll(items);
    this.#wantsNewest = false;
    this.#state = { kind: "listed", resourceVersion: page.resourceVersion };
    this.#sync();
  }

  /** Follows until the watch ends, and leaves the state from which to go on. */
  async #follow(from: string): Promise<void> {
    const begun = this.#options.clock.now();
    const end = await this.#watch(from);
    if (this.#isStopped()) return;
    const reached = this.#state.kind === "watching" ? this.#state.resourceVersion : from;
    switch (end.kind) {
      case "ended":
        this.#state = { kind: "listed", resourceVersion: reached };
        await this.#pace(begun, end.brought);
        return;
      case "expired":
        this.#state = { kind: "empty" };
        this.#wantsNewest = true;
        this.#options.onFailure?.(end.error);
        await this.#pace(begun, 0);
        return;
      case "failed":
        this.#state = { kind: "listed", resourceVersion: reached };
        await this.#failed(end.error);
        return;
    }
  }

  #watch(resourceVersion: string): Promise<WatchEnd> {
    const { resource, namespace, labelSelector, fieldSelector } = this.#options;
    return new Promise((resolve) => {
      let brought = 0;
      let failure: WatchEnd | undefined;
      const receiver = {
        event: (event: TypedWatchEvent<T>): void => {
          if (this.#isStopped()) return;
          if (event.type === "ERROR") failure = endOf(new StatusError(event.object as unknown as Status));
          else {
            brought++;
            this.#apply(event);
          }
        },
        closed: (): void => resolve(failure ?? { kind: "ended", brought }),
      };
      this.#state = { kind: "watching", resourceVersion };
      const selection = {
        resourceVersion,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
      };
      resource.watch(selection, receiver).then(
        (watch) => {
          this.#endWatch = () => {
            watch.stop();
            resolve({ kind: "ended", brought });
          };
          if (this.#isStopped()) this.#endWatch();
        },
        (error: unknown) => resolve(endOf(error)),
      );
    });
  }

  #apply(event: TypedWatchEvent<T>): void {
    const { object } = event;
    const key = keyOf(object);
    switch (event.type) {
      case "ADDED":
      case "MODIFIED": {
        const previous = this.#cache.set(key, object);
        this.#tell(previous === undefined ? { kind: "added", object } : { kind: "updated", object, previous });
        break;
      }
      case "DELETED":
        if (this.#cache.delete(key) !== undefined) this.#tell({ kind: "deleted", object });
        break;
      case "BOOKMARK":
      case "ERROR":
        break;
    }
    // A handler may have stopped the informer.
    if (this.#state.kind === "watching") {
      this.#state = { kind: "watching", resourceVersion: object.metadata.resourceVersion };
    }
  }

  /** Takes over a list: tells only what differs from what was known. */
  #replaceAll(items: readonly T[]): void {
    const listed = new Set(items.map(keyOf));
    for (const key of this.#cache.keys()) {
      if (listed.has(key)) continue;
      const object = this.#cache.delete(key);
      if (object !== undefined) this.#tell({ kind: "deleted", object });
    }
    for (const object of items) {
      const previous = this.#cache.set(keyOf(object), object);
      if (previous === undefined) this.#tell({ kind: "added", object });
      else if (previous.metadata.uid !== object.metadata.uid) {
        this.#tell({ kind: "deleted", object: previous });
        this.#tell({ kind: "added", object });
      } else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion) {
        this.#tell({ kind: "updated", object, previous });
      }
    }
  }

  #tell(change: InformerChange<T>): void {
    for (const handler of this.#handlers) handler(change);
  }

  #sync(): void {
    this.#synced = true;
    for (const wake of this.#syncWaiters.splice(0)) wake();
  }

  /** After a watch that ended without a failure: go on at once, unless it was too short to have been of use. */
  async #pace(begun: Instant, brought: number): Promise<void> {
    const lasted = elapsed(begun, this.#options.clock.now());
    if (lasted >= steadyWatch || brought > 0) this.#failures = 0;
    if (brought === 0 && lasted < shortestWatch) await this.#backOff();
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#isStopped()) return;
    this.#options.onFailure?.(error);
    await this.#backOff();
  }

  async #backOff(): Promise<void> {
    const { clock, random, name } = this.#options;
    const wait = Math.min(firstRelistDelay * 2 ** this.#failures, longestRelistDelay);
    this.#failures++;
    const jitter = random.stream(`informer/${name}`).between(0, wait);
    await new Promise<void>((wake) => {
      const timer = clock.setTimer((wait + jitter) as Millis, wake, `informer ${name}`);
      this.#endPause = () => {
        timer.cancel();
        wake();
      };
    });
  }

  #isStopped(): boolean {
    return this.#state.kind === "stopped";
  }
}

/** Whether going on from the same version is hopeless: its future is gone, or the server (restored from an older state) has yet to reach it. */
function endOf(error: unknown): WatchEnd {
  const expired = isReason(error, "Expired") || isReason(error, "Gone");
  const kind = expired || (error instanceof StatusError && isHopeless(error)) ? "expired" : "failed";
  return { kind, error };
}

function isHopeless({ code, status }: StatusError): boolean {
  const causes = status.details?.causes ?? [];
  return code === 410 || code === 400 || causes.some(({ reason }) => reason === "ResourceVersionTooLarge");
}
