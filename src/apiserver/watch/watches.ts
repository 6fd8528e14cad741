// All watches that run: they get their bookmarks together, and end together when the server does.

import { type Clock, seconds, type Timer } from "../../base/time.ts";
import type { ResourceKind } from "../../api/kinds.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import type { ResourceWatch, WatchKeeper } from "./resource-watch.ts";

/** How often clients learn how far they have come (api-machinery 4.4). */
const bookmarkInterval = seconds(60);

export class Watches implements WatchKeeper {
  readonly clock: Clock;
  readonly storage: ObjectStorage;
  readonly #running = new Set<ResourceWatch>();
  #timer: Timer | undefined;

  constructor(clock: Clock, storage: ObjectStorage) {
    this.clock = clock;
    this.storage = storage;
  }

  began(watch: ResourceWatch): void {
    this.#running.add(watch);
    this.#timer ??= this.#nextBookmarks();
  }

  over(watch: ResourceWatch): void {
    this.#running.delete(watch);
    if (this.#running.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The resource of each watch that runs. */
  *resources(): Generator<ResourceKind> {
    for (const watch of this.#running) yield watch.resource;
  }

  endAll(): void {
    for (const watch of this.#running) watch.end();
  }

  #nextBookmarks(): Timer {
    return this.clock.setTimer(
      bookmarkInterval,
      () => {
        this.#timer = this.#nextBookmarks();
        for (const watch of this.#running) watch.bookmark();
      },
      "watch bookmarks",
    );
  }
}
