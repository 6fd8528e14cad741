import { after, hours, millis, seconds } from "../../base/time.ts";
import type { Millis } from "../../base/time.ts";
import { expectEqual } from "./store-bench.ts";
import type { StoreBench, StoreCheck } from "./store-bench.ts";

/** Keys that go by themselves. */
export const expiryChecks: readonly StoreCheck[] = [
  {
    name: "a key with a time to live goes at its time, as an ordinary deletion",
    async body(bench) {
      await putFor(bench, "event", seconds(60));
      const expiresAt = after(bench.clock.now(), seconds(60));
      expectEqual((await bench.store.get("event"))?.expiresAt, expiresAt);
      const watcher = bench.watch("");

      bench.clock.advance(millis(59_999));
      expectEqual((await bench.store.get("event"))?.value, "v");
      bench.clock.advance(millis(1));
      await watcher.received(1);

      expectEqual(watcher.lines(), ["3 delete event (was v)"]);
      expectEqual([await bench.store.get("event"), bench.store.revision()], [undefined, 3]);
    },
  },
  {
    name: "a key that is written again lives by the new time",
    async body(bench) {
      await putFor(bench, "longer", seconds(10));
      await putFor(bench, "shorter", seconds(60));
      await putFor(bench, "longer", seconds(30));
      await putFor(bench, "shorter", seconds(20));
      await putFor(bench, "for-ever", seconds(5));
      await bench.write({ "for-ever": "v" });
      const watcher = bench.watch("");
      bench.clock.advance(seconds(15));
      bench.clock.advance(seconds(5));
      await watcher.received(1);
      expectEqual(watcher.lines(), ["8 delete shorter (was v)"]);
      bench.clock.advance(seconds(10));
      await watcher.received(2);
      bench.clock.advance(hours(1));
      expectEqual(await bench.list(""), ["for-ever=v"]);
    },
  },
  {
    name: "keys that expire together go in one transaction, earliest first",
    async body(bench) {
      await putFor(bench, "c", seconds(3));
      await putFor(bench, "a", seconds(3));
      await putFor(bench, "b", seconds(3));
      const watcher = bench.watch("");
      bench.clock.advance(seconds(3));
      await watcher.received(1);
      expectEqual(watcher.lines(), ["5 delete c (was v)", "5 delete a (was v)", "5 delete b (was v)"]);
    },
  },
  {
    name: "a time to live of months is kept",
    async body(bench) {
      await putFor(bench, "slow", hours(24 * 60));
      const watcher = bench.watch("");
      for (let day = 0; day < 59; day++) bench.clock.advance(hours(24));
      expectEqual((await bench.store.get("slow"))?.value, "v");
      bench.clock.advance(hours(24));
      await watcher.received(1);
      expectEqual(await bench.store.get("slow"), undefined);
    },
  },
  {
    name: "a closed store leaves no timer behind",
    async body(bench) {
      await putFor(bench, "a", seconds(10));
      await bench.store.close();
      expectEqual(bench.clock.pending, 0, "pending timers");
    },
  },
  {
    name: "a store that is closed while it writes leaves no timer behind",
    async body(bench) {
      const written = putFor(bench, "a", seconds(10));
      await bench.store.close();
      await written;
      expectEqual(bench.clock.pending, 0, "pending timers");
    },
  },
];

async function putFor(bench: StoreBench, key: string, ttl: Millis): Promise<void> {
  await bench.store.txn([], [{ kind: "put", key, value: "v", ttl }]);
}
