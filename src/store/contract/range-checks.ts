import type { Revision } from "../store.ts";
import { expectEqual } from "./store-bench.ts";
import type { StoreBench, StoreCheck } from "./store-bench.ts";

/** Ranges: order, borders, limits, paging, reads as of an old revision. */
export const rangeChecks: readonly StoreCheck[] = [
  {
    name: "a range holds the keys with the prefix, in order",
    async body(bench) {
      await bench.write({ "/pods/b": "2", "/pods/a": "1", "/nodes/a": "n", "/podsx": "x", "/pods/": "0", "/pod": "p" });
      expectEqual(await bench.list("/pods/"), ["/pods/=0", "/pods/a=1", "/pods/b=2"]);
      expectEqual(await bench.list("/none/"), []);
      expectEqual((await bench.list("")).length, 6);
    },
  },
  {
    name: "keys are ordered by their bytes",
    async body(bench) {
      const inOrder = ["A", "a", "a!", "a-", "a/", "aa", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{1f642}"];
      for (const key of inOrder.toReversed()) await bench.write({ [key]: "" });
      const { items } = await bench.store.range({ prefix: "" });
      expectEqual(
        items.map(({ key }) => key),
        inOrder,
      );
      expectEqual(await bench.list("", { from: "\ue000", limit: 2 }), ["\ue000=", "\uffff="]);
      expectEqual((await bench.store.range({ prefix: "", from: "\u{10000}" })).count, 2);
    },
  },
  {
    name: "a limit cuts the range and says so; the count goes on to the end",
    async body(bench) {
      await bench.write({ a1: "", a2: "", a3: "", b: "" });
      const answer = async (limit?: number): Promise<unknown> => {
        const { items, more, count } = await bench.store.range({ prefix: "a", ...(limit !== undefined && { limit }) });
        return [items.length, more, count];
      };
      expectEqual(await answer(), [3, false, 3]);
      expectEqual(await answer(2), [2, true, 3]);
      expectEqual(await answer(3), [3, false, 3]);
      expectEqual(await answer(0), [0, true, 3]);
    },
  },
  {
    name: "a range begins at a key that need not exist",
    async body(bench) {
      await bench.write({ a1: "1", a3: "3", a5: "5" });
      expectEqual(await bench.list("a", { from: "a3" }), ["a3=3", "a5=5"]);
      expectEqual(await bench.list("a", { from: "a2" }), ["a3=3", "a5=5"]);
      expectEqual(await bench.list("a", { from: "a3\0" }), ["a5=5"]);
      expectEqual(await bench.list("a", { from: "A" }), ["a1=1", "a3=3", "a5=5"]);
      expectEqual(await bench.list("a", { from: "b" }), []);
      expectEqual((await bench.store.range({ prefix: "a", from: "a2", limit: 1 })).count, 2);
    },
  },
  {
    name: "pages read at one revision make one whole, whatever is written meanwhile",
    async body(bench) {
      for (let i = 0; i < 30; i++) await bench.write({ [keyOf(i)]: `old${i}` });
      const { revision } = await bench.store.range({ prefix: "k", limit: 1 });
      const paged = await pages(bench, revision, async (page) => {
        await bench.write({ [keyOf(page)]: undefined, [keyOf(page + 10)]: "new", [`${keyOf(page)}a`]: "new" });
      });
      expectEqual(
        paged,
        Array.from({ length: 30 }, (_, i) => `${keyOf(i)}=old${i}`),
      );
    },
  },
  {
    name: "a range at an old revision shows what was then",
    async body(bench) {
      await bench.write({ a: "1", b: "1" });
      await bench.write({ a: "2", c: "2" });
      await bench.write({ b: undefined });
      await bench.write({ b: "5", a: undefined });
      expectEqual(await bench.list("", { revision: 1 }), []);
      expectEqual(await bench.list("", { revision: 2 }), ["a=1", "b=1"]);
      expectEqual(await bench.list("", { revision: 3 }), ["a=2", "b=1", "c=2"]);
      expectEqual(await bench.list("", { revision: 4 }), ["a=2", "c=2"]);
      expectEqual(await bench.list("", { revision: 5 }), ["b=5", "c=2"]);
      const then = await bench.store.range({ prefix: "", revision: 3 as Revision, limit: 2 });
      expectEqual([then.items.length, then.more, then.count, then.revision], [2, true, 3, 3]);
    },
  },
  {
    name: "a read at an old revision shows what was then",
    async body(bench) {
      await bench.write({ a: "1" });
      await bench.write({ other: "1" });
      await bench.write({ a: "2" });
      await bench.write({ a: undefined });
      const values: unknown[] = [];
      for (let revision = 1; revision <= 5; revision++) {
        values.push((await bench.store.get("a", revision as Revision))?.value);
      }
      expectEqual(values, [undefined, "1", "1", "2", undefined]);
    },
  },
  {
    name: "ten thousand keys that come in any order are ranged in order",
    async body(bench) {
      const count = 10_000;
      const writes: Promise<unknown>[] = [];
      for (let i = 0; i < count; i++) writes.push(bench.write({ [keyOf((i * 7919) % count)]: "" }));
      await Promise.all(writes);
      const { items } = await bench.store.range({ prefix: "k" });
      expectEqual(items.length, count);
      expectEqual(
        items.findIndex(({ key }, i) => key !== keyOf(i)),
        -1,
        "first key out of order",
      );
      expectEqual((await bench.store.range({ prefix: "k09", limit: 1 })).count, 1000);
    },
  },
];

const keyOf = (i: number): string => `k${String(i).padStart(5, "0")}`;

/** Reads the whole prefix `k` in pages of four, with something happening between them. */
async function pages(
  bench: StoreBench,
  revision: Revision,
  between: (page: number) => Promise<void>,
): Promise<string[]> {
  const lines: string[] = [];
  let from = "k";
  for (let page = 0; ; page++) {
    const { items, more } = await bench.store.range({ prefix: "k", from, limit: 4, revision });
    lines.push(...items.map(({ key, value }) => `${key}=${value}`));
    if (!more) return lines;
    from = `${items[items.length - 1]?.key}\0`;
    await between(page);
  }
}
