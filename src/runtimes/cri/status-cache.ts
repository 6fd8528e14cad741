// What a list of CRI leaves out (addresses, exit codes, start times) does not change while the state stays the same, so it is asked for once a state.

export class StatusCache<Id, Status> {
  /** `undefined` for an id that is known to exist, without its status. */
  readonly #entries = new Map<Id, { readonly state: number; readonly status: Status } | undefined>();

  /** Is this an id that was seen? */
  has(id: Id): boolean {
    return this.#entries.has(id);
  }

  /** The status if it was looked up in this very state. */
  known(id: Id, state: number): Status | undefined {
    const entry = this.#entries.get(id);
    return entry?.state === state ? entry.status : undefined;
  }

  keep(id: Id, state: number, status: Status): void {
    this.#entries.set(id, { state, status });
  }

  /** Remembers that the id exists. */
  expect(id: Id): void {
    if (!this.#entries.has(id)) this.#entries.set(id, undefined);
  }

  /** Something happened to it: the next list looks again. */
  drop(id: Id): void {
    if (this.#entries.has(id)) this.#entries.set(id, undefined);
  }

  forget(id: Id): void {
    this.#entries.delete(id);
  }

  /** Forgets all others. */
  retain(ids: ReadonlySet<Id>): void {
    for (const id of this.#entries.keys()) if (!ids.has(id)) this.#entries.delete(id);
  }
}
