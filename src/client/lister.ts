// The objects an informer has seen, to be read without asking the API server.

/** Reads what an informer knows. Objects are shared and read-only. Order is the order in which they were first seen. */
export interface Lister<T> {
  /** By `namespace/name`, or `name` for what lives in no namespace. */
  get(key: string): T | undefined;
  list(): readonly T[];
  inNamespace(namespace: string): readonly T[];
  /** All objects for which the index called `index` gave `value`. @throws RangeError if the informer was made without that index */
  byIndex(index: string, value: string): readonly T[];
  readonly size: number;
}

/** Says under which values an object is found; none leaves it out. */
export type IndexFunction<T> = (object: T) => readonly string[];

export type Indexes<T> = Readonly<Record<string, IndexFunction<T>>>;

const namespaceIndex = "namespace";

interface Indexable {
  readonly metadata: { readonly namespace?: string };
}

/** What stands behind a lister: the informer writes, everyone else reads. */
export class ObjectCache<T extends Indexable> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #functions: ReadonlyMap<string, IndexFunction<T>>;
  readonly #indexes: ReadonlyMap<string, Map<string, Map<string, T>>>;

  constructor(indexes: Indexes<T> = {}) {
    const byNamespace: IndexFunction<T> = ({ metadata }) =>
      metadata.namespace === undefined ? [] : [metadata.namespace];
    this.#functions = new Map([[namespaceIndex, byNamespace], ...Object.entries(indexes)]);
    this.#indexes = new Map([...this.#functions.keys()].map((name) => [name, new Map()]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  inNamespace(namespace: string): readonly T[] {
    return this.byIndex(namespaceIndex, namespace);
  }

  byIndex(index: string, value: string): readonly T[] {
    const values = this.#indexes.get(index);
    if (values === undefined) throw new RangeError(`there is no index "${index}"`);
    return [...(values.get(value)?.values() ?? [])];
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** Keeps the object; answers with the one it replaces. */
  set(key: string, object: T): T | undefined {
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const [name, valuesOf] of this.#functions) this.#reindex(name, key, previous, object, valuesOf);
    return previous;
  }

  /** Forgets the object; answers with what it was. */
  delete(key: string): T | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    for (const [name, valuesOf] of this.#functions) this.#reindex(name, key, previous, undefined, valuesOf);
    return previous;
  }

  #reindex(
    name: string,
    key: string,
    previous: T | undefined,
    object: T | undefined,
    valuesOf: IndexFunction<T>,
  ): void {
    const index = this.#indexes.get(name) as Map<string, Map<string, T>>;
    const next = object === undefined ? [] : valuesOf(object);
    for (const value of previous === undefined ? [] : valuesOf(previous)) {
      if (next.includes(value)) continue;
      const entries = index.get(value);
      entries?.delete(key);
      if (entries?.size === 0) index.delete(value);
    }
    for (const value of next) {
      let entries = index.get(value);
      if (entries === undefined) {
        entries = new Map();
        index.set(value, entries);
      }
      entries.set(key, object as T);
    }
  }
}
