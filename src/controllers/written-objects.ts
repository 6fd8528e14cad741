// What a controller has written and its informer has not told yet: a second turn right after the first must not decide on what was before.

import type { Lister } from "../client/lister.ts";
import { keyOf } from "../client/controller.ts";
import type { FollowedObject } from "./shared-informers.ts";

export class WrittenObjects<T extends FollowedObject> {
  readonly #lister: Lister<T>;
  readonly #written = new Map<string, T>();

  constructor(lister: Lister<T>) {
    this.#lister = lister;
  }

  wrote(object: T): void {
    this.#written.set(keyOf(object), object);
  }

  get(key: string): T | undefined {
    return this.#newest(key, this.#lister.get(key));
  }

  list(): readonly T[] {
    if (this.#written.size === 0) return this.#lister.list();
    return this.#lister.list().map((known) => this.#newest(keyOf(known), known) ?? known);
  }

  /** What is gone comes back under another uid; what is known as new as it was written needs no memory. */
  #newest(key: string, known: T | undefined): T | undefined {
    const written = this.#written.get(key);
    if (written === undefined) return known;
    const isOverdue = known === undefined || known.metadata.uid !== written.metadata.uid;
    if (isOverdue || Number(known.metadata.resourceVersion) >= Number(written.metadata.resourceVersion)) {
      this.#written.delete(key);
      return known;
    }
    return written;
  }
}
