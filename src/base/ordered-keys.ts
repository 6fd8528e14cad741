// A sorted set of texts that stays fast at a hundred thousand entries and more: a list of short sorted runs, so that an insertion moves at
// most one run and a search is two binary searches.

/** A run is split in two when it grows beyond this; about the size at which moving half of it still costs less than a microsecond. */
const runLimit = 512;

/** A sorted set of texts in code-point order, which for well-formed text is the order of the UTF-8 bytes. */
export class OrderedKeys {
  readonly #runs: string[][] = [];
  /** False from the first key on for which the engine's order (UTF-16) may differ from code-point order. */
  #plain = true;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a key; returns false if it was there. */
  add(key: string): boolean {
    this.#plain &&= isPlain(key);
    const run = this.#runs[Math.min(this.#runFor(key), this.#runs.length - 1)];
    if (run === undefined) {
      this.#runs.push([key]);
      this.#size = 1;
      return true;
    }
    const at = lowerBound(run, (other) => this.#isBefore(other, key));
    if (run[at] === key) return false;
    run.splice(at, 0, key);
    this.#size++;
    if (run.length > runLimit) this.#runs.splice(this.#runs.indexOf(run) + 1, 0, run.splice(run.length >> 1));
    return true;
  }

  /** Removes a key; returns false if it was not there. */
  remove(key: string): boolean {
    const index = this.#runFor(key);
    const run = this.#runs[index];
    if (run === undefined) return false;
    const at = lowerBound(run, (other) => this.#isBefore(other, key));
    if (run[at] !== key) return false;
    run.splice(at, 1);
    if (run.length === 0) this.#runs.splice(index, 1);
    this.#size--;
    return true;
  }

  /** The keys at or after `from` that begin with `prefix`, in order. The set must not change while it is walked. */
  *withPrefix(prefix: string, from: string = prefix): Generator<string, void, undefined> {
    const start = this.compare(from, prefix) > 0 ? from : prefix;
    const first = this.#runFor(start);
    for (let index = first; index < this.#runs.length; index++) {
      const run = this.#runs[index] as string[];
      const begin = index === first ? lowerBound(run, (key) => this.#isBefore(key, start)) : 0;
      for (let at = begin; at < run.length; at++) {
        const key = run[at] as string;
        if (!key.startsWith(prefix)) return;
        yield key;
      }
    }
  }

  /** How many keys `withPrefix` would yield, without walking them. */
  countWithPrefix(prefix: string, from: string = prefix): number {
    const start = this.compare(from, prefix) > 0 ? from : prefix;
    const begin = this.#rank((key) => this.#isBefore(key, start));
    const end = this.#rank((key) => this.#isBefore(key, prefix) || key.startsWith(prefix));
    return Math.max(0, end - begin);
  }

  /** Negative, zero or positive, as for sorting. */
  compare(a: string, b: string): number {
    if (a === b) return 0;
    return this.#plain && isPlain(a) && isPlain(b) ? (a < b ? -1 : 1) : compareCodePoints(a, b);
  }

  #isBefore(a: string, b: string): boolean {
    return this.#plain ? a < b : compareCodePoints(a, b) < 0;
  }

  /** Index of the first run that ends at or after `key`; the number of runs if none does. */
  #runFor(key: string): number {
    return lowerBound(this.#runs, (run) => this.#isBefore(run[run.length - 1] as string, key));
  }

  /** How many keys, from the smallest on, satisfy a condition that holds for all keys up to some point and for none after it. */
  #rank(holds: (key: string) => boolean): number {
    const index = lowerBound(this.#runs, (run) => holds(run[run.length - 1] as string));
    let rank = 0;
    for (let i = 0; i < index; i++) rank += (this.#runs[i] as string[]).length;
    const run = this.#runs[index];
    return run === undefined ? rank : rank + lowerBound(run, holds);
  }
}

/** Orders two texts by their code points. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above every other code unit. */
const codePointRank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

const isPlain = (text: string): boolean => !/[\ud800-\uffff]/.test(text);

/** The first index whose item does not satisfy a condition that holds for all items up to some point and for none after it. */
function lowerBound<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
