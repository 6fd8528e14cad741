import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";
import { defaultHistoryLimit } from "../../src/store/history.ts";
import { ManualClock, RecordingWatcher } from "../../src/store/contract/store-bench.ts";
import { openLmdbStore } from "../../src/store/lmdb/lmdb-store.ts";
import type { Store } from "../../src/store/store.ts";

const writer = fileURLToPath(new URL("./store-crash-writer.mjs", import.meta.url));
const fullDiskWriter = fileURLToPath(new URL("./store-full-disk-writer.mjs", import.meta.url));
const built = fileURLToPath(new URL("../../dist/store/lmdb/lmdb-store.js", import.meta.url));

interface Acknowledged {
  readonly revision: number;
  readonly writer: string;
  readonly count: number;
}

describe("the LMDB store under kill -9", () => {
  let folder: string;
  beforeAll(async () => {
    if (!existsSync(built)) throw new Error(`${built} is missing: build first (npm run build)`);
    folder = await mkdtemp(join(tmpdir(), "lifepod-crash-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("keeps every acknowledged write through twenty kills, without gaps and without going back", async () => {
    const random = new SeededRandom("store-crash").stream("acknowledgements before the kill");
    const acknowledged: Acknowledged[] = [];
    let newest = 1;
    for (let round = 0; round < 20; round++) {
      // Every other writer compacts all the time, so that kills fall into that, too.
      const kept = round % 2 === 0 ? 100_000 : 50;
      const acks = await writeUntilKilled(folder, round, kept, random.integer(1, 400));
      acknowledged.push(...acks);
      const store = await open(folder);
      try {
        await expectAllKept(store, acknowledged);
        expectNoGaps(store);
        expect(acks[0]?.revision).toBe(newest + 1);
        expect(store.revision()).toBeGreaterThanOrEqual(Math.max(...acks.map(({ revision }) => revision)));
        newest = store.revision();
      } finally {
        await store.close();
      }
    }
  }, 120_000);

  it("refuses a second process while the first lives, and takes over from it when it was killed", async () => {
    const other = join(folder, "other");
    const child = spawn(process.execPath, [writer, other, "x", "100"], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    await expect(open(other)).rejects.toThrow(`the store in ${other} is in use by process ${child.pid}`);

    const closed = once(child, "close");
    child.stdout.resume();
    child.kill("SIGKILL");
    await closed;
    const store = await open(other);
    expect(store.revision()).toBeGreaterThan(1);
    await store.close();
  });
});

it("the LMDB store on a full disk refuses writes, keeps what was acknowledged, and harms neither reads nor the process", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lifepod-full-"));
  try {
    // Files may not grow beyond 2 MiB; the signal that says so is ignored, so that the write itself fails, as on a full disk.
    const limited = 'trap "" XFSZ; ulimit -f 2048; exec "$0" "$1" "$2"';
    const child = spawn("bash", ["-c", limited, process.execPath, fullDiskWriter, folder], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const closed = once(child, "close");
    let output = "";
    for await (const chunk of child.stdout) output += String(chunk);
    expect(await closed).toEqual([0, null]);

    const seen = JSON.parse(output) as {
      failure: string;
      again: string;
      acknowledged: number;
      revision: number;
      count: number;
    };
    expect(seen.failure).toMatch(/^the store in .* cannot be written: /);
    expect(seen.again).toMatch(/^the store in .* cannot be written: /);
    expect(seen.acknowledged).toBeGreaterThan(100);
    expect([seen.revision, seen.count]).toEqual([seen.acknowledged, seen.acknowledged - 1]);

    const store = await open(folder);
    expect(store.revision()).toBe(seen.acknowledged);
    expect((await store.range({ prefix: "" })).count).toBe(seen.count);
    await store.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Lets a writing process live until so many writes were acknowledged; returns all that were until it died. */
async function writeUntilKilled(folder: string, round: number, kept: number, kills: number): Promise<Acknowledged[]> {
  const args = [writer, folder, `round-${String(round).padStart(2, "0")}-`, String(kept)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const acks: Acknowledged[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [revision, name, count] = line.split(" ");
    acks.push({ revision: Number(revision), writer: name as string, count: Number(count) });
    if (acks.length === kills) child.kill("SIGKILL");
  }
  const [code, signal] = await closed;
  expect([code, signal]).toEqual([null, "SIGKILL"]);
  return acks;
}

const open = (path: string): Promise<Store> =>
  openLmdbStore({ path, clock: new ManualClock(), historyLimit: defaultHistoryLimit });

async function expectAllKept(store: Store, acknowledged: readonly Acknowledged[]): Promise<void> {
  const { items } = await store.range({ prefix: "key/" });
  const revisions = new Map(items.map(({ key, modRevision }) => [key, modRevision]));
  const lost = acknowledged.filter((ack) => revisions.get(`key/${ack.writer}/${ack.count}` as never) !== ack.revision);
  expect(lost).toEqual([]);

  // Both halves of every transaction are there, acknowledged or not.
  const made = new Map<string, number>();
  for (const { key, value } of items) {
    const [, name, count] = key.split("/");
    expect(value.startsWith(`${name} ${count} `)).toBe(true);
    made.set(`counter/${name}`, (made.get(`counter/${name}`) ?? 0) + 1);
  }
  const counters = await store.range({ prefix: "counter/" });
  expect(new Map(counters.items.map(({ key, value }) => [key, Number(value)]))).toEqual(made);
}

function expectNoGaps(store: Store): void {
  const watcher = new RecordingWatcher();
  const from = Math.max(1, store.compacted());
  store.watch({ prefix: "", after: from as ReturnType<Store["revision"]> }, watcher).cancel();
  const want = Array.from({ length: store.revision() - from }, (_, i) => from + 1 + i);
  expect(watcher.batches.map(({ revision }) => revision as number)).toEqual(want);
  const incomplete = watcher.batches.filter(({ events }) => events.length !== 2);
  expect(incomplete).toEqual([]);
}
