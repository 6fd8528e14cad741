// Finds all the prefixes of a text among many, in time that depends on the text and not on how many prefixes there are.

/** Items filed under prefixes; `matching` finds the items whose prefix begins a text. A radix tree. */
export class PrefixTree<T> {
  readonly #root: Branch<T> = { label: "", items: new Set(), branches: new Map() };

  /** Files `item` under `prefix`. The same item may be filed once under each prefix. */
  add(prefix: string, item: T): void {
    let branch = this.#root;
    let rest = prefix;
    while (rest !== "") {
      const next = branch.branches.get(rest.charCodeAt(0));
      if (next === undefined) {
        const leaf: Branch<T> = { label: rest, items: new Set(), branches: new Map() };
        branch.branches.set(rest.charCodeAt(0), leaf);
        branch = leaf;
        break;
      }
      const shared = sharedLength(next.label, rest);
      branch = shared === next.label.length ? next : split(branch, next, shared);
      rest = rest.slice(shared);
    }
    branch.items.add(item);
  }

  /** Takes `item` away from `prefix`; does nothing if it is not there. */
  remove(prefix: string, item: T): void {
    const path: Branch<T>[] = [this.#root];
    let rest = prefix;
    while (rest !== "") {
      const next = path[path.length - 1]?.branches.get(rest.charCodeAt(0));
      if (next === undefined || !rest.startsWith(next.label)) return;
      path.push(next);
      rest = rest.slice(next.label.length);
    }
    path[path.length - 1]?.items.delete(item);
    for (let i = path.length - 1; i > 0; i--) {
      const branch = path[i] as Branch<T>;
      if (branch.items.size > 0 || branch.branches.size > 0) return;
      path[i - 1]?.branches.delete(branch.label.charCodeAt(0));
    }
  }

  /** The items whose prefix begins `text`: shorter prefixes first, within one prefix in the order of filing. */
  matching(text: string): T[] {
    const found: T[] = [];
    let branch = this.#root;
    let at = 0;
    for (;;) {
      for (const item of branch.items) found.push(item);
      const next = at < text.length ? branch.branches.get(text.charCodeAt(at)) : undefined;
      if (next === undefined || !text.startsWith(next.label, at)) return found;
      at += next.label.length;
      branch = next;
    }
  }
}

interface Branch<T> {
  readonly label: string;
  readonly items: Set<T>;
  readonly branches: Map<number, Branch<T>>;
}

/** Puts a new branch for the first `length` characters of `child` between `parent` and `child`. */
function split<T>(parent: Branch<T>, child: Branch<T>, length: number): Branch<T> {
  const lower: Branch<T> = { ...child, label: child.label.slice(length) };
  const upper: Branch<T> = {
    label: child.label.slice(0, length),
    items: new Set(),
    branches: new Map([[lower.label.charCodeAt(0), lower]]),
  };
  parent.branches.set(upper.label.charCodeAt(0), upper);
  return upper;
}

function sharedLength(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i;
}
