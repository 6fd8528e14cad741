import { minutes, seconds } from "../../base/time.ts";
import type { HistoryLimit } from "../history.ts";
import type { Revision } from "../store.ts";
import { CompactedError } from "../store.ts";
import { expectEqual, failureOf } from "./store-bench.ts";
import type { StoreCheck } from "./store-bench.ts";

/** What is still there after the store was closed and opened again. A backing without a disk skips these. */
export const durabilityChecks: readonly StoreCheck[] = [
  {
    name: "everything survives: values, revisions, history",
    async body(bench) {
      await bench.write({ a: "1", b: "1" });
      await bench.write({ a: "2" });
      await bench.write({ z: "1", b: undefined, c: "3" });
      const before = await bench.store.range({ prefix: "" });
      const told = bench.watch("", 1).batches;

      await bench.reopen();

      expectEqual(await bench.store.range({ prefix: "" }), before);
      expectEqual(bench.watch("", 1).batches, told);
      expectEqual(await bench.list("", { revision: 2 }), ["a=1", "b=1"]);
      expectEqual(await bench.write({ a: "3" }), 5);
    },
  },
  {
    name: "the revision never goes back, even when the newest key is gone and compacted",
    async body(bench) {
      await bench.write({ a: "1" });
      await bench.write({ a: undefined });
      await bench.store.compact(3 as Revision);
      await bench.reopen();
      expectEqual([bench.store.revision(), bench.store.compacted()], [3, 3]);
      expectEqual(await bench.list(""), []);
      expectEqual(await bench.write({ a: "2" }), 4);
      expectEqual((await bench.store.get("a"))?.createRevision, 4);
    },
  },
  {
    name: "compaction survives, and so does what it keeps",
    async body(bench) {
      for (let i = 0; i < 20; i++) {
        await bench.write({ [`k${i % 4}`]: String(i), [`gone${i % 3}`]: i % 2 === 0 ? "x" : undefined });
      }
      await bench.store.compact(15 as Revision);
      const states: string[][] = [];
      for (let revision = 16; revision <= 21; revision++) states.push(await bench.list("", { revision }));
      const told = bench.watch("", 15).batches;

      await bench.reopen();

      expectEqual(bench.store.compacted(), 15);
      expectEqual((await failureOf(() => bench.watch("", 14))) instanceof CompactedError, true);
      for (const [i, state] of states.entries()) expectEqual(await bench.list("", { revision: 16 + i }), state);
      expectEqual(bench.watch("", 15).batches, told);
    },
  },
  {
    name: "what is forgotten by itself takes no room after many writes, and the rest survives",
    async body(bench) {
      const small: HistoryLimit = { age: minutes(5), revisions: 10, mostRevisions: 20, mostCharacters: 100_000 };
      await bench.reopen(small);
      for (let i = 0; i < 200; i++) await bench.write({ [`k${i % 5}`]: String(i) });
      const state = await bench.store.range({ prefix: "" });
      await bench.reopen(small);
      expectEqual(await bench.store.range({ prefix: "" }), state);
      expectEqual(bench.store.compacted() >= 150, true, "compacted");
      await bench.reopen(small);
      expectEqual(await bench.store.range({ prefix: "" }), state);
    },
  },
  {
    name: "keys that expired while the store was closed go when it is opened; the others at their time",
    async body(bench) {
      const put = (key: string, ttl: number) => ({ kind: "put" as const, key, value: "v", ttl: seconds(ttl) });
      await bench.store.txn([], [put("soon", 10), put("later", 100), { kind: "put", key: "stays", value: "v" }]);
      await bench.store.close();
      bench.clock.advance(seconds(50));

      await bench.open();
      expectEqual(await bench.list(""), ["later=v", "stays=v"]);
      const watcher = bench.watch("", 2);
      expectEqual(watcher.lines(), ["3 delete soon (was v)"]);

      bench.clock.advance(seconds(50));
      await watcher.received(2);
      expectEqual(await bench.list(""), ["stays=v"]);
    },
  },
  {
    name: "one place cannot be opened twice at a time",
    async body(bench) {
      await bench.write({ a: "1" });
      const error = await failureOf(() => bench.openTwice());
      expectEqual(error.name, "StoreInUseError");
      expectEqual(/is in use by process \d+/.test(error.message), true, error.message);
      expectEqual(await bench.write({ a: "2" }), 3, "the first goes on");
      await bench.reopen();
      expectEqual(await bench.list(""), ["a=2"]);
    },
  },
];
