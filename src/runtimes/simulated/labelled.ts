// Things with labels, found by them without a look at everything: a machine with a thousand containers is asked for those of one Pod all the time.

type Labels = Readonly<Record<string, string>>;

export class Labelled<T> {
  readonly #labels = new Map<T, Labels>();
  readonly #byPair = new Map<string, Set<T>>();

  add(item: T, labels: Labels): void {
    this.#labels.set(item, labels);
    for (const pair of pairsOf(labels)) {
      const items = this.#byPair.get(pair) ?? new Set();
      this.#byPair.set(pair, items.add(item));
    }
  }

  delete(item: T): void {
    for (const pair of pairsOf(this.#labels.get(item) ?? {})) {
      const items = this.#byPair.get(pair);
      items?.delete(item);
      if (items?.size === 0) this.#byPair.delete(pair);
    }
    this.#labels.delete(item);
  }

  /** All that carry every one of the wanted labels, in the order in which they were added. */
  matching(wanted: Labels): readonly T[] {
    const sets = pairsOf(wanted).map((pair) => this.#byPair.get(pair));
    let fewest: ReadonlySet<T> | undefined;
    for (const items of sets) {
      if (items === undefined) return [];
      if (fewest === undefined || items.size < fewest.size) fewest = items;
    }
    if (fewest === undefined) return [...this.#labels.keys()];
    return [...fewest].filter((item) => sets.every((items) => items?.has(item)));
  }
}

const pairsOf = (labels: Labels): readonly string[] =>
  Object.entries(labels).map(([name, value]) => `${name}=${value}`);
