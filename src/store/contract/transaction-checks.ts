import { seconds } from "../../base/time.ts";
import type { Compare, Operation, Revision } from "../store.ts";
import { committed, expectEqual, failureOf } from "./store-bench.ts";
import type { StoreCheck } from "./store-bench.ts";

const put = (key: string, value = "v"): Operation => ({ kind: "put", key, value });
const at = (key: string, modRevision: number): Compare => ({ key, modRevision: modRevision as Revision });

/** Compare-and-swap, atomicity, and what a transaction refuses. */
export const transactionChecks: readonly StoreCheck[] = [
  {
    name: "an empty store is at revision 1 and has compacted nothing",
    async body({ store }) {
      expectEqual([store.revision(), store.compacted()], [1, 0]);
      expectEqual(await store.get("a"), undefined);
    },
  },
  {
    name: "every transaction that changes something takes the next revision",
    async body({ store }) {
      for (const want of [2, 3, 4]) expectEqual(committed(await store.txn([], [put("a"), put("b")])), want);
      expectEqual(store.revision(), 4);
    },
  },
  {
    name: "a transaction that changes nothing takes none",
    async body({ store }) {
      expectEqual(await store.txn([], [{ kind: "delete", key: "absent" }]), { kind: "committed", revision: 1 });
      expectEqual(await store.txn([], []), { kind: "committed", revision: 1 });
      expectEqual(store.revision(), 1);
    },
  },
  {
    name: "a key remembers when it was made and when it was last written",
    async body(bench) {
      await bench.write({ a: "1" });
      await bench.write({ a: "2" });
      expectEqual(await bench.store.get("a"), { key: "a", value: "2", createRevision: 2, modRevision: 3 });
    },
  },
  {
    name: "a key that was deleted and put again is made anew",
    async body(bench) {
      await bench.write({ a: "1" });
      await bench.write({ a: undefined });
      expectEqual(await bench.store.get("a"), undefined);
      await bench.write({ a: "2" });
      expectEqual(await bench.store.get("a"), { key: "a", value: "2", createRevision: 4, modRevision: 4 });
    },
  },
  {
    name: "a comparison holds only at the revision of the last write",
    async body(bench) {
      const { store } = bench;
      await bench.write({ a: "1" });
      await bench.write({ a: "2" });
      const conflict = await store.txn([at("a", 2)], [put("a", "lost")]);
      const current = { key: "a", value: "2", createRevision: 2, modRevision: 3 };
      expectEqual(conflict, { kind: "conflict", revision: 3, current: [current] });
      expectEqual(await store.txn([at("a", 3)], [put("a", "3")]), { kind: "committed", revision: 4 });
      expectEqual((await store.get("a"))?.value, "3");
    },
  },
  {
    name: "a comparison with 0 holds only where there is no key",
    async body(bench) {
      const { store } = bench;
      expectEqual(await store.txn([at("a", 0)], [put("a")]), { kind: "committed", revision: 2 });
      expectEqual((await store.txn([at("a", 0)], [put("a")])).kind, "conflict");
      await bench.write({ a: undefined });
      expectEqual((await store.txn([at("a", 0)], [put("a")])).kind, "committed");
    },
  },
  {
    name: "one comparison that fails stops all operations, and all compared keys are told",
    async body(bench) {
      const { store } = bench;
      await bench.write({ a: "1" });
      const result = await store.txn([at("a", 2), at("b", 9)], [put("a", "x"), put("b", "x"), put("c", "x")]);
      const a = { key: "a", value: "1", createRevision: 2, modRevision: 2 };
      expectEqual(result, { kind: "conflict", revision: 2, current: [a, undefined] });
      expectEqual(await bench.list(""), ["a=1"]);
    },
  },
  {
    name: "all operations of a transaction happen at one revision",
    async body(bench) {
      await bench.write({ gone: "1" });
      const revision = await bench.write({ a: "1", gone: undefined, b: "2" });
      const { items } = await bench.store.range({ prefix: "" });
      expectEqual(
        items.map(({ key, modRevision }) => [key, modRevision]),
        [
          ["a", revision],
          ["b", revision],
        ],
      );
    },
  },
  {
    name: "of many writers with one comparison exactly one wins",
    async body({ store }) {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, i) => store.txn([at("a", 0)], [put("a", String(i))])),
      );
      const winners = results.flatMap((result, i) => (result.kind === "committed" ? [i] : []));
      expectEqual(winners.length, 1, "winners");
      expectEqual((await store.get("a"))?.value, String(winners[0]));
      expectEqual(store.revision(), 2);
    },
  },
  {
    name: "concurrent writers lose no update",
    async body({ store }) {
      const increment = async (): Promise<void> => {
        for (;;) {
          const now = await store.get("n");
          const next = put("n", String(Number(now?.value ?? 0) + 1));
          if ((await store.txn([at("n", now?.modRevision ?? 0)], [next])).kind === "committed") return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, increment));
      expectEqual((await store.get("n"))?.value, "20");
      expectEqual(store.revision(), 21);
    },
  },
  {
    name: "a transaction has happened when its promise resolves",
    async body(bench) {
      const watcher = bench.watch("");
      const revision = await bench.write({ a: "1" });
      expectEqual(bench.store.revision(), revision);
      expectEqual(watcher.lines(), ["2 put a=1"]);
      expectEqual((await bench.store.get("a"))?.value, "1");
    },
  },
  {
    name: "refuses keys and values that it cannot keep, and changes nothing",
    async body({ store }) {
      const refused: (readonly Operation[])[] = [
        [put("")],
        [put("a\0b")],
        [put("a\ud800b")],
        [put("x".repeat(1025))],
        [put("é".repeat(513))],
        [put("a", "\udfff")],
        [put("a"), { kind: "delete", key: "a" }],
        [{ kind: "put", key: "a", value: "v", ttl: seconds(0) }],
        [{ kind: "put", key: "a", value: "v", ttl: seconds(Number.NaN) }],
      ];
      for (const operations of refused) {
        const error = await failureOf(() => store.txn([], [put("other"), ...operations]));
        expectEqual(error instanceof RangeError, true, `${error.name} for ${JSON.stringify(operations).slice(0, 60)}`);
      }
      expectEqual((await failureOf(() => store.txn([at("", 0)], [put("a")]))) instanceof RangeError, true);
      expectEqual(store.revision(), 1);
    },
  },
  {
    name: "keeps keys of 1024 bytes and values of any text as they are",
    async body(bench) {
      const key = `/${"é".repeat(511)}x`;
      const values = ["", "\n", "a\nb", '{"i":0}\n', "\u0001\u001f", "日本語 🙂 \ufeff", "x".repeat(2_000_000)];
      for (const value of values) {
        await bench.write({ [key]: value, "\u0001odd\u007f\uffff\u{10ffff}": value });
        expectEqual((await bench.store.get(key))?.value === value, true, `value ${JSON.stringify(value.slice(0, 20))}`);
      }
      expectEqual((await bench.store.range({ prefix: "\u0001odd" })).count, 1);
    },
  },
  {
    name: "answers nothing after it is closed",
    async body({ store }) {
      const begun = store.txn([], [put("a")]);
      await store.close();
      expectEqual(await begun, { kind: "committed", revision: 2 });
      const refused = [
        () => store.get("a"),
        () => store.range({ prefix: "" }),
        () => store.txn([], [put("a")]),
        () => store.compact(2 as Revision),
        () => store.watch({ prefix: "", after: 2 as Revision }, { batch: () => undefined }),
      ];
      for (const ask of refused) expectEqual((await failureOf(ask)).name, "StoreClosedError");
      await store.close();
    },
  },
];
