import { mkdtemp, open as openFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WallClock } from "../host/wall-clock.ts";
import { openLmdbStore } from "../store/lmdb/lmdb-store.ts";
import { latencies, type Measurement } from "./measurement.ts";

const value = "x".repeat(1024);

/** Durable writes of 1 KiB: 64 writers at once, and one alone beside a write and sync of a plain file. */
export async function measureStoreWrites(): Promise<readonly Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), "lifepod-bench-"));
  const store = await openLmdbStore({ path: join(folder, "store"), clock: new WallClock() });
  let next = 0;
  const write = async (): Promise<number> => {
    const begun = performance.now();
    await store.txn([], [{ kind: "put", key: `/bench/${next++ % 5000}`, value }]);
    return performance.now() - begun;
  };
  const alone: number[] = [];
  for (let run = 0; run < 1000; run++) alone.push(await write());

  const total = 40_000;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      for (let run = 0; run < total / 64; run++) await write();
    }),
  );
  const rate = total / ((performance.now() - begun) / 1000);
  await store.close();
  const floor = { sample: await plainWrites(join(folder, "plain")), what: "write and fdatasync of a file" };
  await rm(folder, { recursive: true, force: true });
  return [
    ...latencies("durable write, one writer", alone, floor),
    { what: "durable writes, 64 writers", value: rate, unit: "/s", note: "1 KiB each" },
  ];
}

async function plainWrites(path: string): Promise<number[]> {
  const file = await openFile(path, "w");
  const sample: number[] = [];
  for (let run = 0; run < 1000; run++) {
    const begun = performance.now();
    await file.write(value);
    await file.datasync();
    sample.push(performance.now() - begun);
  }
  await file.close();
  return sample;
}
