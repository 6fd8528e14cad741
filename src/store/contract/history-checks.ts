import { minutes, seconds } from "../../base/time.ts";
import type { HistoryLimit } from "../history.ts";
import type { Revision } from "../store.ts";
import { CompactedError, FutureRevisionError } from "../store.ts";
import { expectEqual, failureOf } from "./store-bench.ts";
import type { StoreCheck } from "./store-bench.ts";

const revision = (n: number): Revision => n as Revision;
const small: HistoryLimit = { age: minutes(5), revisions: 10, mostRevisions: 20, mostCharacters: 10_000 };

/** Compaction, revisions that are not there yet, and the bounds of the history. */
export const historyChecks: readonly StoreCheck[] = [
  {
    name: "what was compacted cannot be read any more",
    async body(bench) {
      const { store } = bench;
      for (const value of ["1", "2", "3", "4"]) await bench.write({ a: value }); // revisions 2 to 5
      await store.compact(revision(3));
      expectEqual(store.compacted(), 3);
      for (const ask of [() => store.get("a", revision(3)), () => store.range({ prefix: "", revision: revision(2) })]) {
        expectEqual((await failureOf(ask)) instanceof CompactedError, true, "is a CompactedError");
      }
      expectEqual((await store.get("a", revision(4)))?.value, "3");
      expectEqual(await bench.list("", { revision: 4 }), ["a=3"]);
    },
  },
  {
    name: "a watch from before the compaction fails at once, one from the compacted revision on does not",
    async body(bench) {
      for (const value of ["1", "2", "3"]) await bench.write({ a: value });
      await bench.store.compact(revision(3));
      const error = await failureOf(() => bench.watch("", 2));
      expectEqual(error instanceof CompactedError, true, "is a CompactedError");
      expectEqual([(error as CompactedError).requested, (error as CompactedError).compacted], [2, 3]);
      expectEqual(bench.watch("", 3).lines(), ["4 put a=3 (was 2)"]);
    },
  },
  {
    name: "compaction keeps the newest value of each key, and the newest revision readable",
    async body(bench) {
      await bench.write({ a: "1", b: "1" });
      await bench.write({ a: "2" });
      await bench.write({ b: undefined });
      await bench.store.compact(revision(4));
      expectEqual(await bench.list(""), ["a=2"]);
      expectEqual(await bench.list("", { revision: 4 }), ["a=2"]);
      await bench.write({ c: "1" });
      expectEqual((await failureOf(() => bench.list("", { revision: 4 }))) instanceof CompactedError, true);
    },
  },
  {
    name: "compacting twice to the same revision, or beyond the newest, is an error and changes nothing",
    async body(bench) {
      const { store } = bench;
      await bench.write({ a: "1" });
      await store.compact(revision(2));
      expectEqual((await failureOf(() => store.compact(revision(2)))) instanceof CompactedError, true);
      expectEqual((await failureOf(() => store.compact(revision(3)))) instanceof FutureRevisionError, true);
      expectEqual(store.compacted(), 2);
    },
  },
  {
    name: "a revision that is not there yet cannot be read or watched from",
    async body(bench) {
      const { store } = bench;
      await bench.write({ a: "1" });
      const asks = [
        () => store.get("a", revision(3)),
        () => store.range({ prefix: "", revision: revision(3) }),
        () => store.watch({ prefix: "", after: revision(3) }, { batch: () => undefined }),
      ];
      for (const ask of asks) {
        const error = await failureOf(ask);
        expectEqual(error instanceof FutureRevisionError, true, error.name);
        expectEqual((error as FutureRevisionError).current, 2);
      }
    },
  },
  {
    name: "history is kept for its age and forgotten by itself after it",
    async body(bench) {
      await bench.reopen(small);
      for (let i = 0; i < 15; i++) await bench.write({ a: String(i) });
      expectEqual(bench.store.compacted(), 0, "compacted while young");
      bench.clock.advance(minutes(6));
      await bench.write({ a: "late" });
      const newest = bench.store.revision();
      expectEqual(bench.store.compacted(), newest - 10, "compacted after the age");
      expectEqual(bench.watch("", newest - 10).batches.length, 10, "revisions that are left");
    },
  },
  {
    name: "history never outgrows its bounds, however young it is",
    async body(bench) {
      await bench.reopen(small);
      for (let i = 0; i < 100; i++) await bench.write({ a: String(i) });
      const kept = bench.store.revision() - bench.store.compacted();
      expectEqual(kept >= 10 && kept <= 22, true, `kept ${kept} revisions`);
      for (let i = 0; i < 10; i++) await bench.write({ a: "x".repeat(3000) });
      const keptLarge = bench.store.revision() - bench.store.compacted();
      expectEqual(keptLarge <= 4, true, `kept ${keptLarge} large revisions`);
      bench.clock.advance(seconds(1));
    },
  },
];
