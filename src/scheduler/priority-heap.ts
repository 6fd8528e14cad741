// A queue that gives out the first by an order, in O(log n). What is no longer wanted is left inside and skipped when it comes up.

export class PriorityHeap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;
  readonly #isStale: (item: T) => boolean;

  /**
   * @param before whether `a` comes out before `b`; must be a total order, or one seed gives two answers
   * @param isStale whether the item is no longer wanted
   */
  constructor(before: (a: T, b: T) => boolean, isStale: (item: T) => boolean) {
    this.#before = before;
    this.#isStale = isStale;
  }

  push(item: T): void {
    this.#items.push(item);
    let index = this.#items.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(item, this.#items[parent] as T)) break;
      this.#items[index] = this.#items[parent] as T;
      index = parent;
    }
    this.#items[index] = item;
  }

  /** Takes the first that is still wanted. */
  pop(): T | undefined {
    for (;;) {
      const first = this.#items[0];
      if (first === undefined) return undefined;
      this.#removeFirst();
      if (!this.#isStale(first)) return first;
    }
  }

  #removeFirst(): void {
    const last = this.#items.pop() as T;
    const { length } = this.#items;
    if (length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#before(this.#items[child + 1] as T, this.#items[child] as T)) child++;
      if (!this.#before(this.#items[child] as T, last)) break;
      this.#items[index] = this.#items[child] as T;
      index = child;
    }
    this.#items[index] = last;
  }
}
