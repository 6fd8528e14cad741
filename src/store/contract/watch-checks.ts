import type { Revision, StoreBatch } from "../store.ts";
import { expectEqual, RecordingWatcher } from "./store-bench.ts";
import type { StoreCheck } from "./store-bench.ts";

/** The promises of a watch: ordered, unique, complete, resumable, atomic. */
export const watchChecks: readonly StoreCheck[] = [
  {
    name: "a watch is told every change under its prefix, with what was before, and nothing else",
    async body(bench) {
      const watcher = bench.watch("/pods/");
      await bench.write({ "/pods/a": "1" });
      await bench.write({ "/nodes/a": "n", "/podsx": "x" });
      await bench.write({ "/pods/a": "2" });
      await bench.write({ "/pods/a": undefined });
      await bench.write({ "/pods/a": undefined });
      expectEqual(watcher.lines(), ["2 put /pods/a=1", "4 put /pods/a=2 (was 1)", "5 delete /pods/a (was 2)"]);
      const [made, , gone] = watcher.batches.flatMap((batch) => batch.events);
      expectEqual(made?.kind === "put" && made.current, {
        key: "/pods/a",
        value: "1",
        createRevision: 2,
        modRevision: 2,
      });
      expectEqual(gone?.kind === "delete" && gone.revision, 5);
    },
  },
  {
    name: "a watch is atomic: one transaction is one batch, in the order of its operations",
    async body(bench) {
      await bench.write({ z: "0" });
      const watcher = bench.watch("");
      await bench.write({ c: "1", z: undefined, a: "2", b: "3" });
      expectEqual(watcher.batches.length, 1);
      expectEqual(watcher.lines(), ["3 put c=1", "3 delete z (was 0)", "3 put a=2", "3 put b=3"]);
    },
  },
  {
    name: "a watch is ordered, unique and complete under many writers",
    async body(bench) {
      const watcher = bench.watch("");
      await Promise.all(Array.from({ length: 300 }, (_, i) => bench.write({ [`k${i % 7}`]: String(i) })));
      expectEqual(
        watcher.batches.map((batch) => batch.revision),
        Array.from({ length: 300 }, (_, i) => i + 2),
      );
    },
  },
  {
    name: "a watch is resumable: from any revision it tells the same rest",
    async body(bench) {
      const whole = bench.watch("a");
      for (let i = 0; i < 10; i++) await bench.write({ [`a${i % 3}`]: String(i), [`b${i}`]: "" });
      await bench.write({ a1: undefined });
      for (let from = 1; from <= bench.store.revision(); from++) {
        const rest = whole.lines().filter((line) => Number.parseInt(line, 10) > from);
        expectEqual(bench.watch("a", from).lines(), rest, `the rest after ${from}`);
      }
      const resumed = bench.watch("a", 5);
      await bench.write({ a9: "new" });
      expectEqual(
        resumed.lines(),
        whole.lines().filter((line) => Number.parseInt(line, 10) > 5),
      );
    },
  },
  {
    name: "a watch that begins while writes are under way misses nothing and tells nothing twice",
    async body(bench) {
      const writes: Promise<unknown>[] = [];
      const watchers: { readonly from: number; readonly watcher: RecordingWatcher }[] = [];
      for (let i = 0; i < 100; i++) {
        writes.push(bench.write({ a: String(i) }));
        if (i % 10 === 0) watchers.push({ from: bench.store.revision(), watcher: bench.watch("") });
        if (i % 25 === 0) await writes[writes.length - 1];
      }
      await Promise.all(writes);
      for (const { from, watcher } of watchers) {
        const want = Array.from({ length: 101 - from }, (_, i) => from + 1 + i);
        expectEqual(
          watcher.batches.map((batch) => batch.revision),
          want,
          `revisions after ${from}`,
        );
      }
    },
  },
  {
    name: "watches with overlapping prefixes each get theirs",
    async body(bench) {
      const prefixes = ["", "/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/b", "/a/b/c"];
      const watchers = prefixes.map((prefix) => ({ prefix, watcher: bench.watch(prefix) }));
      const twice = bench.watch("/a/");
      const keys = ["/a/b/c", "/a/b", "/a", "/ab/c", "/b/a", "x"];
      for (const key of keys) await bench.write({ [key]: "" });
      for (const { prefix, watcher } of watchers) {
        const seen = watcher.batches.flatMap((batch) => batch.events.map((event) => event.key));
        expectEqual(
          seen,
          keys.filter((key) => key.startsWith(prefix)),
          `prefix ${prefix}`,
        );
      }
      expectEqual(twice.batches.length, 2);
    },
  },
  {
    name: "a cancelled watch hears nothing more, and the others do",
    async body(bench) {
      const [gone, stays] = [bench.watch("a"), bench.watch("a")];
      await bench.write({ a: "1" });
      gone.watch?.cancel();
      gone.watch?.cancel();
      await bench.write({ a: "2" });
      expectEqual([gone.batches.length, stays.batches.length], [1, 2]);
    },
  },
  {
    name: "a watch cancelled from inside another's delivery does not get that batch",
    async body(bench) {
      const second = new RecordingWatcher();
      bench.store.watch({ prefix: "", after: bench.store.revision() }, { batch: () => second.watch?.cancel() });
      second.watch = bench.store.watch({ prefix: "", after: bench.store.revision() }, second);
      await bench.write({ a: "1" });
      expectEqual(second.batches.length, 0);
    },
  },
  {
    name: "a watcher may write from inside, and everyone hears both in order",
    async body(bench) {
      const { store } = bench;
      const before = bench.watch("");
      let inner: Promise<unknown> | undefined;
      store.watch(
        { prefix: "a", after: store.revision() },
        {
          batch: () => {
            inner = store.txn([], [{ kind: "put", key: "echo", value: "1" }]);
          },
        },
      );
      const last = bench.watch("");
      await bench.write({ a: "1" });
      expectEqual(await inner, { kind: "committed", revision: 3 });
      for (const watcher of [before, last]) expectEqual(watcher.lines(), ["2 put a=1", "3 put echo=1"]);
    },
  },
  {
    name: "a watcher that begins another watch from inside, from the past, gets all of it once",
    async body(bench) {
      const { store } = bench;
      const nested = new RecordingWatcher();
      let begun = false;
      const batch = (): void => {
        if (begun) return;
        begun = true;
        store.watch({ prefix: "", after: 1 as Revision }, nested);
      };
      await bench.write({ a: "0" });
      store.watch({ prefix: "", after: store.revision() }, { batch });
      await Promise.all([bench.write({ a: "1" }), bench.write({ a: "2" })]);
      expectEqual(
        nested.batches.map(({ revision }) => revision),
        [2, 3, 4],
      );
    },
  },
  {
    name: "a watcher that writes while it is told the past hears that, too, after the past",
    async body(bench) {
      const { store } = bench;
      for (const value of ["1", "2"]) await bench.write({ a: value });
      const seen: number[] = [];
      let inner: Promise<unknown> | undefined;
      const batch = ({ revision }: StoreBatch): void => {
        seen.push(revision);
        inner ??= store.txn([], [{ kind: "put", key: "echo", value: "1" }]);
      };
      store.watch({ prefix: "", after: 1 as Revision }, { batch });
      await inner;
      expectEqual(seen, [2, 3, 4]);
    },
  },
  {
    name: "a watcher that throws harms no one else, and its error is reported",
    async body(bench) {
      const first = bench.watch("");
      bench.store.watch({ prefix: "", after: bench.store.revision() }, { batch: () => fail("broken watcher") });
      const last = bench.watch("");
      await bench.write({ a: "1" });
      expectEqual([first.lines(), last.lines()], [["2 put a=1"], ["2 put a=1"]]);
      expectEqual(bench.reports.splice(0).map(String), ["Error: broken watcher"]);
    },
  },
  {
    name: "a thousand watches and a change that concerns one: the others hear nothing",
    async body(bench) {
      const watchers = Array.from({ length: 1000 }, (_, i) => bench.watch(`/pods/ns-${i}/`));
      await bench.write({ "/pods/ns-500/a": "1" });
      const told = watchers.flatMap((watcher, i) => (watcher.batches.length > 0 ? [i] : []));
      expectEqual(told, [500]);
    },
  },
  {
    name: "nothing is delivered after the store is closed",
    async body(bench) {
      const watcher = bench.watch("");
      const begun = bench.write({ a: "1" });
      await bench.store.close();
      await begun;
      expectEqual(watcher.lines(), ["2 put a=1"], "what was begun before");
    },
  },
];

function fail(message: string): never {
  throw new Error(message);
}
